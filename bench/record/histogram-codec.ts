/**
 * Reads HdrHistogram's V2 encoding, the `HISTFAAA…` of records and `.hlog` files, into plain bucket counts.
 * The library's own reader gives a histogram that answers percentiles and hides its buckets; statistics need
 * the buckets. Layout (HdrHistogram `AbstractHistogram.encodeIntoCompressedByteBuffer`):
 *
 *   base64( int32 0x1c849314 · int32 length · zlib(
 *     int32 0x1c849313 · int32 payload bytes · int32 index offset · int32 digits ·
 *     int64 lowest · int64 highest · float64 ratio ·
 *     ZigZag LEB128 numbers: n >= 0 the count of the next bucket, n < 0 a run of -n empty ones ))
 *
 *   The library writes 1 as index offset and shifts nothing; readers pass over it, and so does this one.
 *
 *   3 digits: buckets 0 .. 2047 are 1 us wide each, 2048 .. 3071 are 2 us wide, and so on in steps of 1024.
 *   The numbers 0x0a 0x05 0x02 are 5, -3, 1: five values of 0 us, none of 1 to 3 us, one of 4 us.
 */
import { inflateSync } from 'node:zlib';
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';

/** Buckets that hold something, in rising order; the three lists are parallel. */
export interface BucketCounts {
  readonly lowUs: readonly number[];
  readonly highUs: readonly number[];
  readonly counts: readonly number[];
  readonly total: number;
}

const headerBytes = 40;
/** A histogram of 5 digits over an hour is a few MB; what claims more is no histogram of ours. */
const inflatedBytesMax = 1 << 26;

/** Throws CrowdbeatError CB_RECORD naming `what`, for instance the file and line. */
export function decodeHistogram(base64: string, what: string): BucketCounts {
  try {
    return decode(Buffer.from(base64, 'base64'));
  } catch (error) {
    throw new CrowdbeatError(
      'CB_RECORD',
      `${what}: needs an HdrHistogram (V2, compressed): ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

function decode(bytes: Buffer): BucketCounts {
  const cookie = bytes.readInt32BE(0) & ~0xf0;
  if (cookie !== 0x1c849304) throw new RangeError('the first four bytes are others');
  const length = bytes.readInt32BE(4);
  const inner = inflateSync(bytes.subarray(8, 8 + length), { maxOutputLength: inflatedBytesMax });
  if ((inner.readInt32BE(0) & ~0xf0) !== 0x1c849303) throw new RangeError('the inner cookie is another');
  if (inner.readBigInt64BE(16) !== 1n) throw new RangeError('its lowest value is not 1');
  const payload = inner.subarray(headerBytes, headerBytes + inner.readInt32BE(4));
  return countsOf(payload, halfBucketsOf(inner.readInt32BE(12)));
}

/** log2 of how many buckets a doubling has: 10 for 3 digits. */
function halfBucketsOf(digits: number): number {
  if (digits < 1 || digits > 5) throw new RangeError(`it has ${digits} digits`);
  return Math.ceil(Math.log2(2 * 10 ** digits)) - 1;
}

function countsOf(payload: Buffer, half: number): BucketCounts {
  const lowUs: number[] = [];
  const highUs: number[] = [];
  const counts: number[] = [];
  let total = 0;
  let index = 0;
  for (let at = 0; at < payload.length; ) {
    const [number, next] = readNumber(payload, at);
    at = next;
    if (number < 0) {
      index -= number;
      continue;
    }
    if (number > 0) {
      const width = widthOf(index, half);
      const low = lowestOf(index, half);
      lowUs.push(low);
      highUs.push(low + width - 1);
      counts.push(number);
      total += number;
    }
    index += 1;
  }
  return { lowUs, highUs, counts, total };
}

function widthOf(index: number, half: number): number {
  return 2 ** Math.max(0, (index >> half) - 1);
}

function lowestOf(index: number, half: number): number {
  const doubling = index >> half;
  if (doubling === 0) return index;
  return ((index & (2 ** half - 1)) + 2 ** half) * 2 ** (doubling - 1);
}

/** One ZigZag LEB128 number and where the next begins; the ninth byte carries eight bits. */
function readNumber(bytes: Buffer, start: number): [number, number] {
  let value = 0n;
  for (let at = start, shift = 0n; ; at += 1, shift += 7n) {
    if (at >= bytes.length) throw new RangeError('it ends in the middle of a number');
    const byte = BigInt(bytes[at] as number);
    const last = shift === 56n;
    value |= (last ? byte : byte & 0x7fn) << shift;
    if (last || byte < 0x80n) {
      const signed = (value >> 1n) ^ -(value & 1n);
      return [Number(signed), at + 1];
    }
  }
}
