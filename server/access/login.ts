/**
 * `POST /auth`: a name and a password for a token. Whatever is wrong, an unknown account, an unknown user or the
 * password, the reply is the same and takes the same work. Failed tries are counted in Redis, by user and by
 * address, whether or not there is such a user; a try that succeeds is taken back.
 */
import { isIPv6 } from 'node:net';
import type { ErrorReply } from '../protocol/replies.ts';
import { UserStore } from '../store/accounts.ts';
import { addToken } from '../store/accounts-tokens.ts';
import { countTry, takeBackTry } from '../store/accounts-tries.ts';
import type { RedisConnection } from '../store/connection.ts';
import { isAccountName, isUserName } from './names.ts';
import { epochOf, type PasswordHasher, passwordLengthMax } from './password.ts';
import { hashOf, newToken } from './secrets.ts';

export const triesWindowMs = 300_000;
export const userTriesMax = 10;
export const addressTriesMax = 50;

export interface LoginRequest {
  readonly account: string;
  readonly username: string;
  readonly password: string;
  readonly ip: string;
  readonly ttlMs: number;
}

export type LoginReply =
  | { readonly token: string }
  | { readonly refused: ErrorReply; readonly retryAfterSeconds?: number };

const wrong: LoginReply = {
  refused: { status: 401, code: 'bad_login', message: 'the username or the password is wrong' },
};

/** `account/user`, or a user of the account that is named elsewhere. */
export function splitUsername(username: string, account: string): { account: string; username: string } {
  const slash = username.indexOf('/');
  return slash < 0
    ? { account, username }
    : { account: username.slice(0, slash), username: username.slice(slash + 1) };
}

/** Throws CB_REDIS_UNREACHABLE, and CB_BUSY when too many passwords are being checked. */
export async function login(
  connection: RedisConnection,
  hasher: PasswordHasher,
  { account, username, password, ip, ttlMs }: LoginRequest,
): Promise<LoginReply> {
  // Such a user can't exist; that it is told at once tells nothing else.
  if (!isAccountName(account) || !isUserName(username) || password.length > passwordLengthMax) return wrong;
  const counters = [
    { who: `ip:${addressGroup(ip)}`, max: addressTriesMax },
    { who: `user:${hashOf(`${account}/${username}`)}`, max: userTriesMax },
  ];
  for (const { who, max } of counters) {
    const { tries, resetMs } = await countTry(connection, who, triesWindowMs);
    if (tries > max) return tooMany(resetMs);
  }
  const stored = await new UserStore(connection).password(account, username);
  if (!(await hasher.verify(password, stored)) || stored === undefined) return wrong;
  for (const { who } of counters) await takeBackTry(connection, who);
  const token = newToken(account);
  await addToken(connection, account, { hash: hashOf(token), epoch: epochOf(stored), username, ttlMs });
  return { token };
}

function tooMany(resetMs: number): LoginReply {
  const message = 'too many failed logins for this user or from this address; try again later';
  return {
    refused: { status: 429, code: 'too_many_tries', message },
    retryAfterSeconds: Math.max(1, Math.ceil(resetMs / 1000)),
  };
}

/** A network of IPv6 has as many addresses as anybody likes: its first 64 bits count as one. */
function addressGroup(ip: string): string {
  if (!isIPv6(ip)) return ip;
  const [head = '', tail] = ip.split('::', 2);
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  return [...first, ...zeros, ...last].slice(0, 4).join(':');
}
