/**
 * The users of an account. Nothing here knows a password or a token, only what they were hashed to.
 *
 *   users      user -> '1' or '0' (admin of the whole account or not), then the rights as JSON
 *   passwords  user -> text of server/access/password.ts; its epoch changes with every new password
 *
 * Each change is one script, so that of two at the same time neither takes away the last admin.
 */
import { hasAccountRight, type Rights } from '../protocol/rights.ts';
import type { RedisConnection } from './connection.ts';
import { AccountKeys, accountsKey } from './keys.ts';

/** What became of a change. */
export type UserChange = 'done' | 'exists' | 'unknown' | 'last_admin';

export interface StoredUser {
  readonly username: string;
  readonly rights: Rights;
}

/** KEYS users, passwords; ARGV user, its record, its password. */
const addScript = `#!lua
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 'exists' end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 'done'
`;

/** KEYS users, passwords; ARGV user, then its new record or '' to remove it. Looks for another admin first. */
const changeScript = `#!lua
local old, new = redis.call('HGET', KEYS[1], ARGV[1]), ARGV[2]
if not old then return 'unknown' end
if old:sub(1, 1) == '1' and new:sub(1, 1) ~= '1' then
  local admins = 0
  for _, record in ipairs(redis.call('HVALS', KEYS[1])) do
    if record:sub(1, 1) == '1' then admins = admins + 1 end
  end
  if admins < 2 then return 'last_admin' end
end
if new == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], new)
end
return 'done'
`;

/** KEYS users, passwords; ARGV user, its password. */
const passwordScript = `#!lua
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 'unknown' end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 'done'
`;

/** All methods throw CB_REDIS_UNREACHABLE or CB_REDIS_REPLY. */
export class UserStore {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** True if there is any account at all. */
  async hasAccounts(): Promise<boolean> {
    return Number(await this.#connection.call('SCARD', [accountsKey])) > 0;
  }

  /** @param password as hashed */
  async add(account: string, username: string, rights: Rights, password: string): Promise<UserChange> {
    const change = await this.#change(account, addScript, [username, recordOf(rights), password]);
    if (change === 'done') await this.#connection.call('SADD', [accountsKey, account]);
    return change;
  }

  update(account: string, username: string, rights: Rights): Promise<UserChange> {
    return this.#change(account, changeScript, [username, recordOf(rights)]);
  }

  remove(account: string, username: string): Promise<UserChange> {
    return this.#change(account, changeScript, [username, '']);
  }

  /** Tokens that were given for the old password are worth nothing from now on. */
  setPassword(account: string, username: string, password: string): Promise<UserChange> {
    return this.#change(account, passwordScript, [username, password]);
  }

  /** The password as hashed; undefined if there is no such user. */
  async password(account: string, username: string): Promise<string | undefined> {
    const found = await this.#connection.call('HGET', [new AccountKeys(account).passwords, username]);
    return typeof found === 'string' ? found : undefined;
  }

  async get(account: string, username: string): Promise<StoredUser | undefined> {
    const record = await this.#connection.call('HGET', [new AccountKeys(account).users, username]);
    return typeof record === 'string' ? { username, rights: rightsOf(record) } : undefined;
  }

  /** By name. */
  async list(account: string): Promise<StoredUser[]> {
    const flat = (await this.#connection.call('HGETALL', [new AccountKeys(account).users])) as string[];
    const users: StoredUser[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2)
      users.push({ username: flat[i] as string, rights: rightsOf(flat[i + 1] as string) });
    return users.sort((a, b) => (a.username < b.username ? -1 : 1));
  }

  async #change(account: string, script: string, args: readonly string[]): Promise<UserChange> {
    const { users, passwords } = new AccountKeys(account);
    return (await this.#connection.call('EVAL', [script, '2', users, passwords, ...args])) as UserChange;
  }
}

const recordOf = (rights: Rights): string =>
  (hasAccountRight(rights, 'admin') ? '1' : '0') + JSON.stringify(rights);

/** What `recordOf` wrote. */
export const rightsOf = (record: string): Rights => JSON.parse(record.slice(1)) as Rights;
