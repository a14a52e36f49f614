/**
 * Where a latency goes in an HdrHistogram of 3 significant digits over 1 us .. 60 s, as a pure function.
 *
 * Values up to 2,047 us have a bucket each. Above, every doubling has 1,024 buckets, so that a bucket is
 * never wider than 1/1024 of its value:
 *
 *   us      0 .. 2047   2048 .. 4095   4096 .. 8191   ...   33554432 .. 67108863
 *   width       1             2              4        ...          32768
 *   index   0 .. 2047   2048 .. 3071   3072 .. 4095   ...      16384 .. 17407
 *
 *   4,099 us: shift 2, 4099 >> 2 = 1024, index 2 * 1024 + 1024 = 3072, which holds 4096 .. 4099 us.
 *
 * The layout is that of hdr-histogram-js, so a worker can count in a plain typed array and the main
 * process can merge by index; a property test holds the two together.
 */

/** The longest latency told apart; longer ones are recorded as this one and counted as clamped. */
export const latencyUsMax = 60_000_000;

/** How many buckets cover 0 .. `latencyUsMax`. */
export const bucketCount = 17_408;

/** Bucket of a latency: whole microseconds, 0 .. `latencyUsMax` (not checked: this is the hot path). */
export function indexOf(latencyUs: number): number {
  const shift = 21 - Math.clz32(latencyUs | 2047);
  return (shift << 10) + (latencyUs >>> shift);
}

/** Lowest latency of a bucket, in microseconds. */
export function lowestOf(index: number): number {
  const doubling = index >> 10;
  return doubling === 0 ? index : ((index & 1023) + 1024) << (doubling - 1);
}

/** How many microsecond values share a bucket. */
export function widthOf(index: number): number {
  const doubling = index >> 10;
  return doubling === 0 ? 1 : 1 << (doubling - 1);
}

/** Highest latency of a bucket, in whole microseconds. */
export function highestOf(index: number): number {
  return lowestOf(index) + widthOf(index) - 1;
}
