/** What is stored now, each number from the data itself where it can be. */
import type { PropertyName } from '../protocol/property.ts';
import type { TotalsReply } from '../protocol/replies.ts';
import { makeScript, type RedisConnection } from './connection.ts';
import { ordinalSegmentBits, PropertyKeys, unescapeName } from './keys.ts';
import { eventsOfPage, pagesOf, parseSealedEntry } from './segment-meta.ts';

const typePrefix = 'type:';
const botPrefix = 'bot:';
const dayPrefix = 'day:';
const directoryEntryBytes = 4;

// In one script: a commit between two commands would look like a lost chunk, the sealing of a segment like lost ones.
const segmentScript = makeScript(`#!lua flags=no-writes
local entry = redis.call('HGET', KEYS[3], ARGV[1]) or ''
return {redis.call('GET', KEYS[1]) or '', redis.call('HLEN', KEYS[2]), entry, redis.call('HLEN', KEYS[4])}
`);

type SegmentReply = [directory: Buffer, chunks: number, sealedEntry: Buffer, pages: number];

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
  const names = [keys.directory(segment), keys.documents(segment), keys.sealed, keys.segmentPages(segment)];
  const reply = await connection.readScript(segmentScript, names, [String(segment)]);
  const [directory, chunks, entry, pages] = reply as SegmentReply;
  if (entry.length > 0) return countPages(connection, keys.segmentPages(segment), String(entry), pages);
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

/** Documents of a sealed segment, by the pages that are there. */
async function countPages(
  connection: RedisConnection,
  pagesKey: string,
  entryText: string,
  pages: number,
): Promise<number> {
  const entry = parseSealedEntry(entryText);
  if (pages === pagesOf(entry)) return entry.count;
  const present = texts(await connection.call('HKEYS', [pagesKey]));
  return present.reduce((sum, page) => sum + eventsOfPage(entry, Number(page)), 0);
}

function texts(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}

function pairs(reply: unknown): [string, string][] {
  const flat = texts(reply);
  return Array.from({ length: flat.length / 2 }, (_none, i) => [flat[2 * i] ?? '', flat[2 * i + 1] ?? '']);
}
