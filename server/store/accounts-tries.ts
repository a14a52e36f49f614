/** Counts tries at something, in Redis so that all collectors share the count; it is forgotten after a while. */
import type { RedisConnection } from './connection.ts';
import { loginTriesKey } from './keys.ts';

/** KEYS counter; ARGV how long it is kept. */
const countScript = `#!lua
local tries = redis.call('INCR', KEYS[1])
if tries == 1 or redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {tries, redis.call('PTTL', KEYS[1])}
`;

/** KEYS counter. One that has expired meanwhile must not come back, below zero and for ever. */
const takeBackScript = `#!lua
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DECR', KEYS[1]) end
`;

export interface Tries {
  /** This one included. */
  readonly tries: number;
  /** Until the count begins anew. */
  readonly resetMs: number;
}

export async function countTry(connection: RedisConnection, who: string, windowMs: number): Promise<Tries> {
  const reply = await connection.call('EVAL', [countScript, '1', loginTriesKey(who), String(windowMs)]);
  const [tries, resetMs] = reply as [number, number];
  return { tries: Number(tries), resetMs: Math.max(0, Number(resetMs)) };
}

export async function takeBackTry(connection: RedisConnection, who: string): Promise<void> {
  await connection.call('EVAL', [takeBackScript, '1', loginTriesKey(who)]);
}
