/** What is stored now, each number from the data itself where it can be. */
import type { PropertyName } from '../protocol/property.ts';
import type { TotalsReply } from '../protocol/replies.ts';
import { makeScript, type RedisConnection } from './connection.ts';
import { ordinalSegmentBits, PropertyKeys, unescapeName } from './keys.ts';

const typePrefix = 'type:';
const botPrefix = 'bot:';
const dayPrefix = 'day:';
const directoryEntryBytes = 4;

// Both in one script: a commit between two commands would look like a lost chunk.
const segmentScript = makeScript(`#!lua flags=no-writes
return {redis.call('GET', KEYS[1]) or '', redis.call('HLEN', KEYS[2])}
`);

export async function readTotals(connection: RedisConnection, property: PropertyName): Promise<TotalsReply> {
  const keys = new PropertyKeys(property);
  const totals = pairs(await connection.call('HGETALL', [keys.totals]));
  const byType: Record<string, number> = Object.create(null);
  const bots: Record<string, number> = Object.create(null);
  let ordinals = 0;
  for (const [field, value] of totals) {
    if (field === 'ordinals') ordinals = Number(value);
    else if (field.startsWith(typePrefix))
      byType[unescapeName(field.slice(typePrefix.length))] = Number(value);
    else if (field.startsWith(botPrefix)) bots[unescapeName(field.slice(botPrefix.length))] = Number(value);
  }
  return {
    byType: { ...byType },
    bots: { ...bots },
    sessions: await countSessions(connection, keys),
    documents: await countDocuments(connection, keys, ordinals),
  };
}

async function countSessions(connection: RedisConnection, keys: PropertyKeys): Promise<number> {
  const names = texts(await connection.call('SMEMBERS', [keys.registry]));
  const days = names.filter((name) => name.startsWith(dayPrefix)).map((name) => name.slice(dayPrefix.length));
  const lengths = await Promise.all(days.map((day) => connection.call('LLEN', [keys.sessionIndex(day)])));
  return lengths.reduce((sum: number, length) => sum + Number(length), 0);
}

async function countDocuments(
  connection: RedisConnection,
  keys: PropertyKeys,
  ordinals: number,
): Promise<number> {
  const segments = Math.ceil(ordinals / 2 ** ordinalSegmentBits);
  let documents = 0;
  for (let segment = 0; segment < segments; segment++)
    documents += await countSegment(connection, keys, segment);
  return documents;
}

async function countSegment(
  connection: RedisConnection,
  keys: PropertyKeys,
  segment: number,
): Promise<number> {
  const names = [keys.directory(segment), keys.documents(segment)];
  const [directory, chunks] = (await connection.readScript(segmentScript, names, [])) as [Buffer, number];
  // A chunk that is gone must not be counted; which one it is, only the list of fields can tell.
  const present =
    chunks === directory.length / directoryEntryBytes
      ? undefined
      : new Set(texts(await connection.call('HKEYS', [keys.documents(segment)])));
  let documents = 0;
  for (let at = 0; at + directoryEntryBytes <= directory.length; at += directoryEntryBytes) {
    if (present === undefined || present.has(String(directory.readUInt16BE(at))))
      documents += directory.readUInt16BE(at + 2);
  }
  return documents;
}

function texts(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}

function pairs(reply: unknown): [string, string][] {
  const flat = texts(reply);
  return Array.from({ length: flat.length / 2 }, (_none, i) => [flat[2 * i] ?? '', flat[2 * i + 1] ?? '']);
}
