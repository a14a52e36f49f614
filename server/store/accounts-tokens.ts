/**
 * Tokens of an account, by their SHA-256. `tokens` holds `expiry ms:epoch:user`, `token_expiry` the same hashes
 * by expiry. A token is as good as its user: when the user is gone or has another password (another epoch),
 * it is worth nothing, whatever its expiry says. What has expired goes when the next token is made.
 */
import type { Rights } from '../protocol/rights.ts';
import { rightsOf } from './accounts.ts';
import { makeScript, type RedisConnection } from './connection.ts';
import { AccountKeys } from './keys.ts';

export interface TokenHolder {
  readonly username: string;
  readonly rights: Rights;
  /** Of the token: which password it was given for. */
  readonly epoch: string;
  /** As hashed, now; its epoch must be the token's. */
  readonly password: string;
  /** How long the token lives on. */
  readonly leftMs: number;
}

/** KEYS tokens, token_expiry; ARGV hash, ttl ms, epoch, user. A thousand expired ones go at a time. */
const addScript = `#!lua
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local expired = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', nowMs, 'LIMIT', 0, 1000)
if #expired > 0 then
  redis.call('HDEL', KEYS[1], unpack(expired))
  redis.call('ZREM', KEYS[2], unpack(expired))
end
local expiryMs = string.format('%.0f', nowMs + ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], expiryMs .. ':' .. ARGV[3] .. ':' .. ARGV[4])
redis.call('ZADD', KEYS[2], expiryMs, ARGV[1])
`;

/** KEYS tokens, users, passwords; ARGV hash. */
const readScript = makeScript(`#!lua flags=no-writes
local token = redis.call('HGET', KEYS[1], ARGV[1])
if not token then return false end
local expiryMs, epoch, user = token:match('^(%d+):([^:]*):(.*)$')
local time = redis.call('TIME')
local leftMs = expiryMs - (time[1] * 1000 + math.floor(time[2] / 1000))
local record, password = redis.call('HGET', KEYS[2], user), redis.call('HGET', KEYS[3], user)
if leftMs <= 0 or not record or not password then return false end
return {user, epoch, record, password, leftMs}
`);

/** Throws CB_REDIS_UNREACHABLE or CB_REDIS_REPLY, as `readToken` does. */
export async function addToken(
  connection: RedisConnection,
  account: string,
  token: { readonly hash: string; readonly epoch: string; readonly username: string; readonly ttlMs: number },
): Promise<void> {
  const { tokens, tokenExpiry } = new AccountKeys(account);
  const args = [token.hash, String(token.ttlMs), token.epoch, token.username];
  await connection.call('EVAL', [addScript, '2', tokens, tokenExpiry, ...args]);
}

/** Whose token it is; undefined if it is nobody's (any more). The caller compares the epochs. */
export async function readToken(
  connection: RedisConnection,
  account: string,
  hash: string,
): Promise<TokenHolder | undefined> {
  const { tokens, users, passwords } = new AccountKeys(account);
  const reply = await connection.readScript(readScript, [tokens, users, passwords], [hash]);
  if (!Array.isArray(reply)) return undefined;
  const [username = '', epoch = '', record = '', password = ''] = (reply as unknown[]).map(String);
  return { username, epoch, rights: rightsOf(record), password, leftMs: Number(reply[4]) };
}
