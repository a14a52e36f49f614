/**
 * Reads the documents of a segment that is not sealed: its directory (`P::seg:K::dir`), four bytes a commit in the
 * order of the commits, and the chunks that it lists.
 *
 *   first position u16, count u16, big-endian    00 00 00 40 | 00 40 00 03 = 64 documents, then 3
 */
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import { type ChunkLines, decodeChunk, decodeChunkLines } from './chunk.ts';
import { makeScript, type RedisConnection } from './connection.ts';
import type { PropertyKeys } from './keys.ts';

export const directoryEntryBytes = 4;

/** Of one read: 0.1 ms of Redis with heartbeats, and no more than a few megabytes with the largest documents. */
const chunksPerReadMax = 128;
const eventsPerReadMax = 1024;

export interface DirectoryEntry {
  readonly first: number;
  readonly count: number;
}

export interface ReadChunk {
  readonly entry: DirectoryEntry;
  /** Undefined: the directory lists a chunk that is not there. */
  readonly chunk: Buffer | undefined;
}

/** KEYS generation, docs; ARGV the generation that is expected, fields. Replies false if they are not there any more. */
const chunksScript = makeScript(`#!lua flags=no-writes
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
if redis.call('EXISTS', KEYS[2]) == 0 then return false end
return redis.call('HMGET', KEYS[2], unpack(ARGV, 2))
`);

/** Which unsealed segment is read: of which data, and how its documents are called. */
export interface ChunkSource {
  readonly connection: RedisConnection;
  readonly keys: PropertyKeys;
  readonly generation: string;
  readonly number: number;
}

/** Entries from a byte of the directory on, to another one (not included). */
export async function readDirectory(
  { connection, keys, number }: ChunkSource,
  fromByte: number,
  toByte: number,
): Promise<DirectoryEntry[]> {
  const args = [keys.directory(number), String(fromByte), String(toByte - 1)];
  const bytes = (await connection.callBuffer('GETRANGE', args)) as Buffer;
  const entries: DirectoryEntry[] = [];
  for (let at = 0; at + directoryEntryBytes <= bytes.length; at += directoryEntryBytes)
    entries.push({ first: bytes.readUInt16BE(at), count: bytes.readUInt16BE(at + 2) });
  return entries;
}

/**
 * The chunks of these entries, some at a time. Throws CB_REDIS_STALE if the segment was sealed, dropped or deleted
 * meanwhile: who looks again finds out which.
 */
export async function* readChunks(
  source: ChunkSource,
  entries: readonly DirectoryEntry[],
): AsyncGenerator<readonly ReadChunk[]> {
  for (let at = 0; at < entries.length; ) {
    const slice = entries.slice(at, endOfRead(entries, at));
    at += slice.length;
    const chunks = await readSlice(source, slice);
    yield slice.map((entry, i) => ({ entry, chunk: chunks[i] ?? undefined }));
  }
}

function endOfRead(entries: readonly DirectoryEntry[], from: number): number {
  let events = 0;
  let to = from;
  while (to < entries.length && to < from + chunksPerReadMax && events < eventsPerReadMax)
    events += entries[to++]?.count ?? 0;
  return to;
}

async function readSlice(
  { connection, keys, generation, number }: ChunkSource,
  slice: readonly DirectoryEntry[],
): Promise<readonly (Buffer | null)[]> {
  const names = [keys.generation, keys.documents(number)];
  const fields = slice.map(({ first }) => String(first));
  const reply = await connection.readScript(chunksScript, names, [generation, ...fields]);
  if (Array.isArray(reply)) return reply as (Buffer | null)[];
  throw movedSegment(number);
}

/** What was being read is not there any more, or lies elsewhere now; asked again, a question is answered. */
export function movedSegment(number: number): CrowdbeatError {
  const message = `segment ${number} of the stored events was sealed, dropped or deleted while it was read`;
  return new CrowdbeatError('CB_REDIS_STALE', message);
}

/** The chunk's documents. Throws CB_REDIS_REPLY if the bytes are no chunk. */
export function documentsOfChunk(chunk: Buffer, number: number, first: number): string[] {
  return readable(() => decodeChunk(chunk), number, first);
}

/** The same as bytes. */
export function linesOfChunk(chunk: Buffer, number: number, first: number): ChunkLines {
  return readable(() => decodeChunkLines(chunk), number, first);
}

function readable<T>(read: () => T, number: number, first: number): T {
  try {
    return read();
  } catch (error) {
    const message = `segment ${number} of the stored events: what is stored at ${first} can't be read: ${messageOf(error)}`;
    throw new CrowdbeatError('CB_REDIS_REPLY', message, { cause: error });
  }
}
