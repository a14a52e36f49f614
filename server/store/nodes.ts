/**
 * Which collectors are alive: each says so in Redis, again and again, and is forgotten when it has been silent.
 *
 *   {crowdbeat}::collectors        hash: node id -> what it says of itself, as JSON
 *   {crowdbeat}::collectors_until  sorted set: node id -> when it is forgotten, ms on the clock of Redis
 *
 * One script both announces and lists, so that a list never holds who was silent for too long, whatever the clocks
 * of the collectors say. The keys themselves end with the last collector.
 */

import type { RedisConnection } from './connection.ts';
import { collectorNodes, collectorNodesUntil } from './keys.ts';

/** A collector that was silent for so long is gone. */
export const nodeLifeMs = 15_000;

export interface CollectorNode {
  readonly id: string;
  readonly url: string;
  readonly version: string;
  readonly pid: number;
  readonly host: string;
  /** Epoch ms. */
  readonly started: number;
  readonly worker: number;
  readonly workers: number;
}

/** KEYS nodes, until; ARGV id, its life in ms ('0' = ends now), JSON. Returns the JSON of all that live. */
const announceScript = `#!lua
local now = redis.call('TIME')
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
if ARGV[2] == '0' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
  redis.call('ZADD', KEYS[2], string.format('%d', nowMs + ARGV[2]), ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%d', nowMs))) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
return redis.call('HVALS', KEYS[1])
`;

/** Says that a collector lives, for `lifeMs` from now; answers with all that do. */
export function announceNode(
  connection: RedisConnection,
  node: CollectorNode,
  lifeMs = nodeLifeMs,
): Promise<CollectorNode[]> {
  return run(connection, node.id, String(lifeMs), JSON.stringify(node));
}

/** Says that it ends, before its time. */
export async function withdrawNode(connection: RedisConnection, id: string): Promise<void> {
  await run(connection, id, '0', '');
}

async function run(connection: RedisConnection, ...args: string[]): Promise<CollectorNode[]> {
  const keys = [collectorNodes, collectorNodesUntil];
  const reply = (await connection.call('EVAL', [announceScript, '2', ...keys, ...args])) as string[];
  const nodes = reply.map((json) => JSON.parse(json) as CollectorNode);
  return nodes.sort((a, b) => a.started - b.started || a.worker - b.worker || (a.id < b.id ? -1 : 1));
}
