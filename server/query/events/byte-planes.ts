/**
 * Whole numbers as bytes that DEFLATE shortens well: what they exceed the least one by, plus 1 (0 = none), in 32 bits,
 * all lowest bytes first, then all second ones, and so on. The bytes of one plane are alike, those of a number not.
 *
 *   1000, none, 1300  ->  least 1000; 1, 0, 301  ->  01 00 2d | 00 00 01 | 00 00 00 | 00 00 00
 */

const planes = 4;
/** 2^32 - 2: with the 1 that is added the largest difference still fits. */
const spreadMax = 0xfffffffe;

/** NaN = none. Undefined if one is no whole number, or they lie too far apart. */
export function toPlanes(values: Float64Array): { least: number; bytes: Buffer } | undefined {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (!Number.isSafeInteger(value)) return undefined;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (least > most) least = most = 0;
  if (most - least > spreadMax) return undefined;
  const count = values.length;
  const bytes = Buffer.alloc(count * planes);
  for (let i = 0; i < count; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) continue;
    const code = value - least + 1;
    bytes[i] = code & 0xff;
    bytes[count + i] = (code >>> 8) & 0xff;
    bytes[2 * count + i] = (code >>> 16) & 0xff;
    bytes[3 * count + i] = code >>> 24;
  }
  return { least, bytes };
}

export function fromPlanes(bytes: Buffer, least: number): Float64Array {
  const count = bytes.length / planes;
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const low = (bytes[i] as number) | ((bytes[count + i] as number) << 8);
    const high = (bytes[2 * count + i] as number) | ((bytes[3 * count + i] as number) << 8);
    const code = low + high * 0x10000;
    values[i] = code === 0 ? Number.NaN : least + code - 1;
  }
  return values;
}
