/**
 * Reads what a sealed segment is made of. Each read names the segment's token: what belongs to a segment that was
 * dropped or deleted is never taken for another's.
 *
 *   P::seg:K::cols   field -> parts u16le, first part;  field#1, field#2 … -> the other parts of its column
 *   P::seg:K::pages  page, from 0 -> its documents
 *
 * A long column is cut: a value of a megabyte would hold Redis for 0.3 ms each time it is copied, and a length just
 * below a size class of the allocator wastes nothing.
 */
import { CrowdbeatError } from '../base/errors.ts';
import { makeScript, type RedisConnection } from './connection.ts';
import { escapeName, type PropertyKeys } from './keys.ts';
import { movedSegment } from './segment-chunks.ts';
import type { SegmentMeta } from './segment-meta.ts';

/** 64 KiB with what Redis and its allocator add. */
const partBytes = 65_536 - 16;
const partsHeaderBytes = 2;

export interface SealedSource {
  readonly connection: RedisConnection;
  readonly keys: PropertyKeys;
  readonly number: number;
  readonly token: string;
}

/** The entry `token:…` of the segment must begin with ARGV[2]; KEYS[1] is P::sealed. */
const guard = `
local entry = redis.call('HGET', KEYS[1], ARGV[1])
if not entry or string.sub(entry, 1, #ARGV[2] + 1) ~= ARGV[2] .. ':' then return false end
`;

const metaScript = makeScript(`#!lua flags=no-writes
${guard}
return {redis.call('GET', KEYS[2]) or ''}
`);

/** ARGV number, token, field. Replies {} if the column is not there. */
const columnScript = makeScript(`#!lua flags=no-writes
${guard}
local first = redis.call('HGET', KEYS[2], ARGV[3])
if not first then return {} end
local parts = {first}
for i = 1, struct.unpack('<I2', first) - 1 do
  parts[i + 1] = redis.call('HGET', KEYS[2], ARGV[3] .. '#' .. i) or ''
end
return parts
`);

/**
 * ARGV number, token, field, bytes of the head, from and to in the column's bytes. Replies {} if the column is not
 * there, otherwise its head and the bytes from one place to before the other.
 */
const sliceScript = makeScript(`#!lua flags=no-writes
${guard}
local first = redis.call('HGET', KEYS[2], ARGV[3])
if not first then return {} end
local from, to = ${partsHeaderBytes} + tonumber(ARGV[5]), ${partsHeaderBytes} + tonumber(ARGV[6])
local slices = {}
for part = math.floor(from / ${partBytes}), math.floor((to - 1) / ${partBytes}) do
  local bytes = part == 0 and first or redis.call('HGET', KEYS[2], ARGV[3] .. '#' .. part) or ''
  local start = part * ${partBytes}
  slices[#slices + 1] = string.sub(bytes, math.max(from - start, 0) + 1, to - start)
end
return {string.sub(first, ${partsHeaderBytes} + 1, ${partsHeaderBytes} + ARGV[4]), table.concat(slices)}
`);

const pageScript = makeScript(`#!lua flags=no-writes
${guard}
return {redis.call('HGET', KEYS[2], ARGV[3]) or ''}
`);

/** ARGV number, token, fields and values. */
const addScript = `#!lua
${guard}
redis.call('HSET', KEYS[2], unpack(ARGV, 3))
return 1
`;

/** Throws CB_REDIS_STALE if the segment is not there any more; so do the other functions. */
export async function readSegmentMeta(source: SealedSource): Promise<SegmentMeta> {
  const [text] = await read(source, metaScript, source.keys.segmentMeta(source.number), []);
  if (text === undefined || text.length === 0) throw lost(source, 'its list of columns');
  return JSON.parse(text.toString()) as SegmentMeta;
}

/** The bytes of a field's column; undefined if it has none. */
export async function readColumnBytes(source: SealedSource, field: string): Promise<Buffer | undefined> {
  const key = source.keys.segmentColumns(source.number);
  const parts = await read(source, columnScript, key, [escapeName(field)]);
  if (parts.length === 0) return undefined;
  if (parts.some((part) => part.length === 0)) throw lost(source, `a part of the column of ${field}`);
  return Buffer.concat(parts).subarray(partsHeaderBytes);
}

/**
 * The first bytes of a field's column, and those from one place on to before another one; less than asked for where
 * the column ends. Undefined if the field has none.
 */
export async function readColumnSlice(
  source: SealedSource,
  field: string,
  headBytes: number,
  range: { readonly from: number; readonly to: number },
): Promise<{ readonly head: Buffer; readonly slice: Buffer } | undefined> {
  const key = source.keys.segmentColumns(source.number);
  const numbers = [headBytes, range.from, range.to].map(String);
  const [head, slice] = await read(source, sliceScript, key, [escapeName(field), ...numbers]);
  return head === undefined || slice === undefined ? undefined : { head, slice };
}

export async function readPageBytes(source: SealedSource, page: number): Promise<Buffer> {
  const [bytes] = await read(source, pageScript, source.keys.segmentPages(source.number), [String(page)]);
  if (bytes === undefined || bytes.length === 0) throw lost(source, `page ${page} of its documents`);
  return bytes;
}

/** Adds the column of a field that was declared after the segment was sealed. */
export async function addColumn(source: SealedSource, field: string, column: Buffer): Promise<void> {
  const { connection, keys, number, token } = source;
  const names = ['2', keys.sealed, keys.segmentColumns(number)];
  const args = [addScript, ...names, String(number), token, ...columnFields(field, column).flat()];
  if ((await connection.call('EVAL', args)) !== 1) throw movedSegment(number);
}

/** How a column is stored. */
export function columnFields(field: string, column: Buffer): [field: string, value: Buffer][] {
  const parts = Math.max(1, Math.ceil((column.length + partsHeaderBytes) / partBytes));
  const header = Buffer.alloc(partsHeaderBytes);
  header.writeUInt16LE(parts);
  const whole = Buffer.concat([header, column]);
  const name = escapeName(field);
  return Array.from({ length: parts }, (_none, i) => [
    i === 0 ? name : `${name}#${i}`,
    whole.subarray(i * partBytes, (i + 1) * partBytes),
  ]);
}

async function read(
  { connection, keys, number, token }: SealedSource,
  script: ReturnType<typeof makeScript>,
  key: string,
  args: readonly string[],
): Promise<Buffer[]> {
  const reply = await connection.readScript(script, [keys.sealed, key], [String(number), token, ...args]);
  if (!Array.isArray(reply)) throw movedSegment(number);
  return reply as Buffer[];
}

function lost({ number }: SealedSource, what: string): CrowdbeatError {
  return new CrowdbeatError('CB_REDIS_REPLY', `segment ${number} of the stored events has lost ${what}`);
}
