/**
 * What an account has beside users: its properties, their publish keys, the origins that may send to them, and its
 * parameters. Read whole, since a collector asks for it every second or two and not with each request.
 *
 *   properties    property -> epoch ms of its making
 *   publish_keys  SHA-256 -> epoch ms ':' first characters ':' property
 *   cors          escaped property ':' host or origin
 *   system        parameter -> value
 */
import { makeScript, type RedisConnection } from './connection.ts';
import { AccountKeys, accountsKey, escapeName, originIndexKey, unescapeName } from './keys.ts';

export interface PublishKeyRecord {
  readonly property: string;
  /** The first characters of the key, for people to tell it by. */
  readonly hint: string;
  readonly createdMs: number;
}

export interface AccountState {
  readonly properties: ReadonlySet<string>;
  /** By SHA-256. */
  readonly publishKeys: ReadonlyMap<string, PublishKeyRecord>;
  /** Hosts and origins by property, as they were added. */
  readonly origins: ReadonlyMap<string, readonly string[]>;
  readonly system: ReadonlyMap<string, string>;
}

const stateScript = makeScript(`#!lua flags=no-writes
return {redis.call('HKEYS', KEYS[1]), redis.call('HGETALL', KEYS[2]), redis.call('SMEMBERS', KEYS[3]),
  redis.call('HGETALL', KEYS[4])}
`);

/** KEYS properties, publish_keys, cors; ARGV property, escaped property and ':'. Gives its entries. */
const removePropertyScript = `#!lua
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return false end
local keys, entries = redis.call('HGETALL', KEYS[2]), {}
for i = 1, #keys, 2 do
  if keys[i + 1]:match('^%d+:[^:]*:(.*)$') == ARGV[1] then redis.call('HDEL', KEYS[2], keys[i]) end
end
for _, entry in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  if entry:sub(1, #ARGV[2]) == ARGV[2] then
    redis.call('SREM', KEYS[3], entry)
    entries[#entries + 1] = entry:sub(#ARGV[2] + 1)
  end
end
return entries
`;

/** All methods throw CB_REDIS_UNREACHABLE or CB_REDIS_REPLY. */
export class AccountStore {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** An account that nobody made has nothing. */
  async read(account: string): Promise<AccountState> {
    const { properties, publishKeys, cors, system } = new AccountKeys(account);
    const reply = await this.#connection.readScript(stateScript, [properties, publishKeys, cors, system], []);
    const [names = [], keys = [], entries = [], parameters = []] = (reply as Buffer[][]).map((part) =>
      part.map(String),
    );
    return {
      properties: new Set(names),
      publishKeys: new Map(pairs(keys).map(([hash, record]) => [hash, keyRecordOf(record)])),
      origins: originsOf(entries),
      system: new Map(pairs(parameters)),
    };
  }

  /** False if it was there already. */
  async addProperty(account: string, property: string, nowMs: number): Promise<boolean> {
    const { properties } = new AccountKeys(account);
    const added = await this.#connection.call('HSETNX', [properties, property, String(nowMs)]);
    await this.#connection.call('SADD', [accountsKey, account]);
    return Number(added) === 1;
  }

  /** Takes its publish keys and origins along, not its data. False if there is no such property. */
  async removeProperty(account: string, property: string): Promise<boolean> {
    const { properties, publishKeys, cors } = new AccountKeys(account);
    const args = [removePropertyScript, '3', properties, publishKeys, cors, property];
    const entries = await this.#connection.call('EVAL', [...args, `${escapeName(property)}:`]);
    if (!Array.isArray(entries)) return false;
    for (const entry of entries as string[]) await this.#unindex(account, property, entry);
    return true;
  }

  async addPublishKey(account: string, hash: string, record: PublishKeyRecord): Promise<void> {
    const text = `${record.createdMs}:${record.hint}:${record.property}`;
    await this.#connection.call('HSET', [new AccountKeys(account).publishKeys, hash, text]);
  }

  async removePublishKeys(account: string, hashes: readonly string[]): Promise<void> {
    if (hashes.length > 0)
      await this.#connection.call('HDEL', [new AccountKeys(account).publishKeys, ...hashes]);
  }

  async addOrigin(account: string, property: string, entry: string): Promise<void> {
    await this.#connection.call('SADD', [new AccountKeys(account).cors, `${escapeName(property)}:${entry}`]);
    await this.#connection.call('SADD', [originIndexKey(entry), indexed(account, property)]);
  }

  /** False if it was not there. */
  async removeOrigin(account: string, property: string, entry: string): Promise<boolean> {
    const args = [new AccountKeys(account).cors, `${escapeName(property)}:${entry}`];
    const removed = await this.#connection.call('SREM', args);
    await this.#unindex(account, property, entry);
    return Number(removed) === 1;
  }

  /** True if any property lets one of these entries in. */
  async isAnyIndexed(entries: readonly string[]): Promise<boolean> {
    const found = await Promise.all(
      entries.map((entry) => this.#connection.call('EXISTS', [originIndexKey(entry)])),
    );
    return found.some((count) => Number(count) === 1);
  }

  async setParameter(account: string, name: string, value: string): Promise<void> {
    await this.#connection.call('HSET', [new AccountKeys(account).system, name, value]);
  }

  /** All of it, users and tokens included; not the data of its properties. Resolves with their names. */
  async deleteAccount(account: string): Promise<readonly string[]> {
    const { properties } = await this.read(account);
    // One by one: the index of origins lies elsewhere and must be left without a trace too.
    for (const property of properties) await this.removeProperty(account, property);
    await this.#connection.call('UNLINK', new AccountKeys(account).all);
    await this.#connection.call('SREM', [accountsKey, account]);
    return [...properties];
  }

  async #unindex(account: string, property: string, entry: string): Promise<void> {
    await this.#connection.call('SREM', [originIndexKey(entry), indexed(account, property)]);
  }
}

const indexed = (account: string, property: string): string =>
  `${escapeName(account)}::${escapeName(property)}`;

function keyRecordOf(text: string): PublishKeyRecord {
  const [createdMs = '', hint = ''] = text.split(':', 2);
  return { createdMs: Number(createdMs), hint, property: text.slice(createdMs.length + hint.length + 2) };
}

function originsOf(entries: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const origins = new Map<string, string[]>();
  for (const entry of [...entries].sort()) {
    const colon = entry.indexOf(':');
    const property = unescapeName(entry.slice(0, colon));
    const known = origins.get(property) ?? [];
    origins.set(property, known);
    known.push(entry.slice(colon + 1));
  }
  return origins;
}

const pairs = (flat: readonly string[]): [string, string][] =>
  Array.from({ length: flat.length / 2 }, (_none, i) => [flat[2 * i] ?? '', flat[2 * i + 1] ?? '']);
