/**
 * A column as bytes, for a hash of its segment in Redis. Little-endian.
 *
 *   +---------+------+------------------------------------------------+
 *   | version | kind | payload                                        |
 *   | 01      | 1 B  |                                                |
 *   +---------+------+------------------------------------------------+
 *   kind 0  nothing: no event has a value (only of fields that were declared after the segment was sealed)
 *   kind 1  dictionary, raw DEFLATE of what column-pairs.ts draws
 *   kind 2  whole numbers: the least, f64, then raw DEFLATE of byte-planes.ts
 *   kind 3  numbers: raw DEFLATE of f64 each, NaN = none
 *   kind 4  uuids, 16 bytes each, all 0 = none; random, so not compressed
 *
 *   a uuid of one event: 01 04 | 3e 0a 6b 52 7f 6d 4a 8e 9d 7c 5b 1f 00 00 00 01
 *
 * Compressing and expanding is done by the threads of zlib; the loops here take at most 1 ms for 65,536 events.
 */
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { fromPlanes, toPlanes } from './byte-planes.ts';
import { decodeDictionary, encodeDictionary } from './column-pairs.ts';
import type { Column, NumberColumn, UuidColumn } from './segment.ts';

const deflate = promisify(deflateRaw) as (bytes: Uint8Array, options: object) => Promise<Buffer>;
const inflate = promisify(inflateRaw) as (bytes: Uint8Array) => Promise<Buffer>;

const version = 1;
const kinds = { nothing: 0, dictionary: 1, integers: 2, doubles: 3, uuid: 4 } as const;
/** Version and kind. */
export const columnHeadBytes = 2;
const uuidBytes = 16;
/** Level 6 takes three times as long, for 2% fewer bytes of all columns of heartbeats. */
const deflateOptions = { level: 4, memLevel: 9 };

export async function encodeColumn(column: Column | undefined): Promise<Buffer> {
  if (column === undefined) return Buffer.from([version, kinds.nothing]);
  if (column.kind === 'number') return encodeNumbers(column);
  if (column.kind === 'dictionary')
    return packed(kinds.dictionary, await deflate(await encodeDictionary(column), deflateOptions));
  // A copy: swap32 turns round the bytes in place.
  const bytes = Buffer.from(new Uint32Array(column.words).buffer);
  return packed(kinds.uuid, bytes.swap32());
}

async function encodeNumbers({ values }: NumberColumn): Promise<Buffer> {
  const whole = toPlanes(values);
  if (whole === undefined)
    return packed(kinds.doubles, await deflate(Buffer.from(values.slice().buffer), deflateOptions));
  const least = Buffer.alloc(8);
  least.writeDoubleLE(whole.least);
  return packed(kinds.integers, least, await deflate(whole.bytes, deflateOptions));
}

function packed(kind: number, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([version, kind]), ...parts]);
}

/** Throws an Error that names what is wrong with the bytes. */
export async function decodeColumn(bytes: Buffer): Promise<Column | undefined> {
  if (bytes.length < columnHeadBytes || bytes[0] !== version)
    throw new Error(
      `column: needs version ${version} and a kind, has ${bytes.length} bytes from ${bytes[0]}`,
    );
  const payload = bytes.subarray(columnHeadBytes);
  switch (bytes[1]) {
    case kinds.nothing:
      return undefined;
    case kinds.dictionary:
      return decodeDictionary(await inflate(payload));
    case kinds.integers:
      return {
        kind: 'number',
        values: fromPlanes(await inflate(payload.subarray(8)), payload.readDoubleLE(0)),
      };
    case kinds.doubles:
      return { kind: 'number', values: new Float64Array(bufferOf(await inflate(payload))) };
    case kinds.uuid: {
      const words = bufferOf(payload);
      Buffer.from(words).swap32();
      return { kind: 'uuid', words: new Uint32Array(words) };
    }
    default:
      throw new Error(`column: kind must be 0 to 4, is ${bytes[1]}`);
  }
}

/** Where the values of some events lie in the bytes of a column of uuids. */
export const uuidRange = (from: number, to: number): { readonly from: number; readonly to: number } => ({
  from: columnHeadBytes + from * uuidBytes,
  to: columnHeadBytes + to * uuidBytes,
});

/** The column of these events alone, from their bytes; undefined if the head is not that of a column of uuids. */
export function decodeUuidSlice(head: Buffer, slice: Buffer, events: number): UuidColumn | undefined {
  if (head[0] !== version || head[1] !== kinds.uuid || slice.length !== events * uuidBytes) return undefined;
  const words = bufferOf(slice);
  Buffer.from(words).swap32();
  return { kind: 'uuid', words: new Uint32Array(words) };
}

/** The bytes alone, from the start of memory of their own, as typed arrays want them. */
function bufferOf(bytes: Buffer): ArrayBuffer {
  const own = new ArrayBuffer(bytes.length);
  new Uint8Array(own).set(bytes);
  return own;
}
