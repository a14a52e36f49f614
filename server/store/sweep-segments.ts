/**
 * Documents have no time to live of their own: they go a segment at a time, `P::seg:K::docs` with its directory, when
 * the newest of it was received longer ago than documents are kept. The newest is in the last chunk: ordinals are
 * given in the order of commits. So no document goes early, and one may stay for as long as its segment fills.
 *
 * The segment that is being filled goes too when it is old enough, or a property that nobody visits any more would
 * keep its last 65,536 documents for ever. What comes later begins the next segment, the rest of the ordinals is left
 * out: so a document's place in its segment tells its ordinal, unless chunks before it were lost, and the key of a
 * document that went (`_m1key`) does not come to name another one.
 */
import { decodeChunk } from './chunk.ts';
import type { RedisConnection } from './connection.ts';
import { ordinalSegmentBits, type PropertyKeys } from './keys.ts';
import { parseSealedEntry, sealedVersionField } from './segment-meta.ts';

const directoryEntryBytes = 4;
/** Segments that one pass drops, at most: 16 million documents. */
const droppedMax = 256;

/**
 * KEYS generation, totals, docs, dir, and what a sealer may have begun to write; ARGV the generation and the last
 * directory entry that were seen, and the first ordinal of the next segment. Returns whether the segment went: not if
 * something was committed to it since, nor if the property is another one now.
 */
const dropScript = `#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('GETRANGE', KEYS[4], -4, -1) ~= ARGV[2] then return 0 end
redis.call('UNLINK', unpack(KEYS, 3))
if tonumber(redis.call('HGET', KEYS[2], 'ordinals') or '0') < tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[2], 'ordinals', ARGV[3])
end
return 1
`;

/** KEYS generation, sealed, cols, pages, meta; ARGV the generation, the segment and its entry that were seen. */
const dropSealedScript = `#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('HGET', KEYS[2], ARGV[2]) ~= ARGV[3] then return 0 end
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('HINCRBY', KEYS[2], '${sealedVersionField}', 1)
redis.call('UNLINK', unpack(KEYS, 3))
return 1
`;

/**
 * Drops the segments whose newest document was received before `beforeMs` (epoch ms). Resolves with how many.
 * @param generation as it was read when the sweep began
 */
export async function dropOldSegments(
  connection: RedisConnection,
  keys: PropertyKeys,
  generation: string,
  beforeMs: number,
): Promise<number> {
  const ordinals = Number((await connection.call('HGET', [keys.totals, 'ordinals'])) ?? 0);
  const segments = Math.ceil(ordinals / 2 ** ordinalSegmentBits);
  let dropped = 0;
  for (let segment = 0; segment < segments && dropped < droppedMax; segment++) {
    const documents = keys.documents(segment);
    const directory = keys.directory(segment);
    const last = await lastEntry(connection, directory);
    if (last.length < directoryEntryBytes) {
      const isDropped = await dropOldSealed(connection, keys, generation, beforeMs, segment);
      if (isDropped === 'too young') break;
      if (isDropped) dropped++;
      continue;
    }
    const newestMs = await newestReceiptMs(connection, documents, last);
    // What can't be dated stays: to keep too much can be mended.
    if (newestMs === undefined) continue;
    if (newestMs >= beforeMs) break;
    const names = [keys.generation, keys.totals, documents, directory, ...sealedKeys(keys, segment)];
    const next = String((segment + 1) * 2 ** ordinalSegmentBits);
    const args = [dropScript, String(names.length), ...names, generation, last, next];
    dropped += Number(await connection.call('EVAL', args));
  }
  return dropped;
}

const sealedKeys = (keys: PropertyKeys, segment: number): string[] => [
  keys.segmentColumns(segment),
  keys.segmentPages(segment),
  keys.segmentMeta(segment),
];

/** True if the segment was sealed and old enough, and went. */
async function dropOldSealed(
  connection: RedisConnection,
  keys: PropertyKeys,
  generation: string,
  beforeMs: number,
  segment: number,
): Promise<boolean | 'too young'> {
  const entry = await connection.call('HGET', [keys.sealed, String(segment)]);
  if (typeof entry !== 'string') return false;
  const { newestMs } = parseSealedEntry(entry);
  if (newestMs === undefined) return false;
  if (newestMs >= beforeMs) return 'too young';
  const names = [keys.generation, keys.sealed, ...sealedKeys(keys, segment)];
  const args = [dropSealedScript, String(names.length), ...names, generation, String(segment), entry];
  return (await connection.call('EVAL', args)) === 1;
}

async function lastEntry(connection: RedisConnection, directory: string): Promise<Buffer> {
  const from = String(-directoryEntryBytes);
  return (await connection.callBuffer('GETRANGE', [directory, from, '-1'])) as Buffer;
}

/** The latest time of receipt in the last chunk, epoch ms. */
async function newestReceiptMs(
  connection: RedisConnection,
  documents: string,
  entry: Buffer,
): Promise<number | undefined> {
  const chunk = await connection.callBuffer('HGET', [documents, String(entry.readUInt16BE(0))]);
  if (!Buffer.isBuffer(chunk)) return undefined;
  try {
    const times = decodeChunk(chunk).map(receiptMs);
    return times.includes(undefined) ? undefined : Math.max(...(times as number[]));
  } catch {
    // A chunk that can't be read can't be dated either.
    return undefined;
  }
}

function receiptMs(document: string): number | undefined {
  const event: unknown = JSON.parse(document);
  if (typeof event !== 'object' || event === null || !('_m1' in event)) return undefined;
  const { _m1: added } = event;
  if (typeof added !== 'object' || added === null || !('receivedUTC' in added)) return undefined;
  return typeof added.receivedUTC === 'number' ? added.receivedUTC : undefined;
}
