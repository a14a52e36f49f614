/** Which session stores a property has. `stash` of demo/site is there from the first minute on. */
import {
  defaultProperty,
  formatPropertyName,
  type PropertyName,
  parsePropertyName,
} from '../protocol/property.ts';
import { makeScript, type RedisConnection } from './connection.ts';
import { flushedProperties, PropertyKeys } from './keys.ts';

export const defaultSessionStore = 'stash';

export const sessionStoresMax = 16;

/** True for a store that exists without having been added. */
export function isImplicitStore({ account, property }: PropertyName, name: string): boolean {
  const isDefault = account === defaultProperty.account && property === defaultProperty.property;
  return isDefault && name === defaultSessionStore;
}

const addScript = makeScript(`#!lua
local generation = redis.call('GET', KEYS[1])
if generation and string.sub(generation, 1, 1) == '!' then
  return redis.error_reply('DELETING the property is being deleted')
end
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 1 end
if redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[2]) then return 0 end
return redis.call('SADD', KEYS[2], ARGV[1])
`);

/** Adds a store, if it isn't there already. False if the property has its 16 already. */
export async function addSessionStore(
  connection: RedisConnection,
  property: PropertyName,
  name: string,
): Promise<boolean> {
  const { generation, sessionStores } = new PropertyKeys(property);
  // The list of properties first: a store that no flusher knows would fill up, a property without a store is nothing.
  await connection.call('SADD', [flushedProperties, formatPropertyName(property)]);
  const reply = await connection.call('EVAL', [
    addScript.text,
    '2',
    generation,
    sessionStores,
    name,
    String(sessionStoresMax),
  ]);
  return reply === 1;
}

/** Names in their order. */
export async function listSessionStores(
  connection: RedisConnection,
  property: PropertyName,
): Promise<string[]> {
  const added = (await connection.call('SMEMBERS', [new PropertyKeys(property).sessionStores])) as string[];
  const names = new Set(added);
  if (isImplicitStore(property, defaultSessionStore)) names.add(defaultSessionStore);
  return [...names].sort();
}

export async function hasSessionStore(
  connection: RedisConnection,
  property: PropertyName,
  name: string,
): Promise<boolean> {
  if (isImplicitStore(property, name)) return true;
  return (await connection.call('SISMEMBER', [new PropertyKeys(property).sessionStores, name])) === 1;
}

/** Every property that has a session store, demo/site first. Forgets those that have none any more. */
export async function listFlushedProperties(connection: RedisConnection): Promise<PropertyName[]> {
  const names = (await connection.call('SMEMBERS', [flushedProperties])) as string[];
  const properties = [defaultProperty];
  for (const text of names) {
    const property = parsePropertyName(text);
    if (property === undefined || text === formatPropertyName(defaultProperty)) continue;
    if ((await listSessionStores(connection, property)).length > 0) properties.push(property);
    else await connection.call('SREM', [flushedProperties, text]);
  }
  return properties;
}
