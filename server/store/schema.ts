/**
 * The schema of a property: its declared fields, kept in one hash with a version that changes with it.
 *
 *   P::schema   name of the field -> {"type":…,"multi":…,"description":…};  `#version` -> number
 *
 * No escaped name can be `#version`: `#` is escaped.
 */
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError } from '../base/errors.ts';
import { limits } from '../protocol/limits.ts';
import { formatPropertyName, type PropertyName } from '../protocol/property.ts';
import { makeScript, type RedisConnection } from './connection.ts';
import { escapeName, PropertyKeys, unescapeName } from './keys.ts';
import { RecentMap } from './recent-map.ts';
import { type IndexedField, indexedFields, type SchemaField, standardFields } from './schema-fields.ts';

export interface Schema {
  /** 0 while only the standard fields are known; otherwise it grows with every change, also over a deletion. */
  readonly version: number;
  /** Standard fields first, then the declared ones by name. */
  readonly fields: readonly SchemaField[];
  readonly indexed: readonly IndexedField[];
}

export const standardSchema: Schema = {
  version: 0,
  fields: standardFields,
  indexed: indexedFields(standardFields),
};

const versionField = '#version';

/**
 * KEYS generation, schema; ARGV now in epoch ms, fields at most, then escaped name and JSON of each field. Replies
 * {version, names that are new…}; {-1, escaped name, its JSON} if a field is there and says otherwise; {-2} if there
 * would be too many. The version is at least the time, so that a schema made anew after a deletion gets a new one.
 */
const addScript = `#!lua
local generation = redis.call('GET', KEYS[1])
if generation and string.sub(generation, 1, 1) == '!' then
  return redis.error_reply('DELETING the property is being deleted')
end
local version = tonumber(redis.call('HGET', KEYS[2], '${versionField}') or '0')
local count = redis.call('HLEN', KEYS[2]) - (version > 0 and 1 or 0)
local reply, write = {version}, {}
for i = 3, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[2], ARGV[i])
  if not known then
    reply[#reply + 1] = ARGV[i]
    write[#write + 1], write[#write + 2] = ARGV[i], ARGV[i + 1]
  elseif known ~= ARGV[i + 1] then
    return {-1, ARGV[i], known}
  end
end
if #write == 0 then return reply end
if count + #write / 2 > tonumber(ARGV[2]) then return {-2} end
version = math.max(version + 1, tonumber(ARGV[1]))
redis.call('HSET', KEYS[2], '${versionField}', string.format('%d', version), unpack(write))
reply[1] = version
return reply
`;

const readScript = makeScript(`#!lua flags=no-writes
return redis.call('HGETALL', KEYS[1])
`);

export type SchemaAdded =
  | { readonly version: number; readonly added: readonly string[] }
  /** Nothing was added: a field is declared already, as another one. */
  | { readonly conflict: SchemaField }
  /** Nothing was added: there would be more than `limits.schemaFieldsMax`. */
  | 'too_many';

/** Declares fields, all or none; what is declared already, in the same words, stays. */
export async function addToSchema(
  connection: RedisConnection,
  property: PropertyName,
  fields: readonly SchemaField[],
  nowMs: number,
): Promise<SchemaAdded> {
  const keys = new PropertyKeys(property);
  const args = fields.flatMap((field) => [escapeName(field.name), JSON.stringify(restOf(field))]);
  const limit = String(limits.schemaFieldsMax);
  const names = [keys.generation, keys.schema];
  const reply = (await connection.call('EVAL', [
    addScript,
    '2',
    ...names,
    String(nowMs),
    limit,
    ...args,
  ])) as unknown[];
  const [version, ...rest] = reply;
  if (version === -2) return 'too_many';
  if (version === -1) return { conflict: fieldOf(String(rest[0]), String(rest[1])) };
  return { version: Number(version), added: rest.map((name) => unescapeName(String(name))) };
}

/** The schema as it is now. Throws CB_REDIS_UNREACHABLE. */
export async function loadSchema(connection: RedisConnection, property: PropertyName): Promise<Schema> {
  const key = new PropertyKeys(property).schema;
  const flat = ((await connection.readScript(readScript, [key], [])) as Buffer[]).map(String);
  const declared: SchemaField[] = [];
  let version = 0;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [name = '', text = ''] = flat.slice(i, i + 2);
    if (name === versionField) version = Number(text);
    else declared.push(fieldOf(name, text));
  }
  if (version === 0) return standardSchema;
  declared.sort((a, b) => (a.name < b.name ? -1 : 1));
  const fields = [...standardFields, ...declared];
  return { version, fields, indexed: indexedFields(fields) };
}

function restOf({ type, multi, description }: SchemaField): Omit<SchemaField, 'name'> {
  return { type, multi, description };
}

function fieldOf(escapedName: string, json: string): SchemaField {
  return { name: unescapeName(escapedName), ...(JSON.parse(json) as Omit<SchemaField, 'name'>) };
}

/** How long a schema is believed without a look at its version. */
const believedMs = 2000;
const schemasHalf = 500;

interface Believed {
  readonly schema: Schema;
  readonly sinceMs: number;
}

/** The schemas of the properties that are in use; each at most two seconds old. */
export class SchemaCache {
  readonly #connection: RedisConnection;
  readonly #clock: Clock;
  readonly #known = new RecentMap<string, Believed>(schemasHalf);

  constructor(connection: RedisConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** Throws CB_REDIS_UNREACHABLE when it had to ask and nobody answered. */
  async get(property: PropertyName): Promise<Schema> {
    const name = formatPropertyName(property);
    const known = this.#known.get(name);
    const nowMs = this.#clock.monotonicMs();
    if (known !== undefined && nowMs - known.sinceMs < believedMs) return known.schema;
    const isSame = known !== undefined && known.schema.version === (await this.#version(property));
    const schema = isSame ? known.schema : await loadSchema(this.#connection, property);
    this.#known.set(name, { schema, sinceMs: nowMs });
    return schema;
  }

  /** After a change that this process made. */
  forget(property: PropertyName): void {
    this.#known.delete(formatPropertyName(property));
  }

  async #version(property: PropertyName): Promise<number> {
    const reply = await this.#connection.call('HGET', [new PropertyKeys(property).schema, versionField]);
    const version = Number(reply ?? 0);
    if (Number.isSafeInteger(version)) return version;
    throw new CrowdbeatError(
      'CB_REDIS_REPLY',
      `the schema of ${formatPropertyName(property)} has no version`,
    );
  }
}
