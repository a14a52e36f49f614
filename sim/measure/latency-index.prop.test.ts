import fc from 'fast-check';
import { build } from 'hdr-histogram-js';
import { expect, test } from 'vitest';
import { bucketCount, highestOf, indexOf, latencyUsMax, lowestOf, widthOf } from './latency-index.ts';

/** Every magnitude as likely as every other, with the neighbours of powers of two, where buckets change width. */
const latencyUs = fc.oneof(
  fc.integer({ min: 0, max: latencyUsMax }),
  fc
    .integer({ min: 0, max: 25 })
    .chain((power) => fc.integer({ min: -2, max: 2 }).map((by) => Math.max(0, 2 ** power + by))),
  fc.double({ min: 0, max: Math.log(latencyUsMax), noNaN: true }).map((log) => Math.floor(Math.exp(log))),
);

test('a value lies within the range of its bucket', () => {
  fc.assert(
    fc.property(latencyUs, (us) => {
      const index = indexOf(us);
      expect(lowestOf(index)).toBeLessThanOrEqual(us);
      expect(highestOf(index)).toBeGreaterThanOrEqual(us);
    }),
    { numRuns: 2000 },
  );
});

test('buckets follow each other without a gap, and the longest latency is in the last doubling', () => {
  for (let index = 1; index < bucketCount; index += 1) {
    expect(lowestOf(index)).toBe(highestOf(index - 1) + 1);
    expect(indexOf(lowestOf(index))).toBe(index);
    expect(indexOf(highestOf(index))).toBe(index);
  }
  expect(indexOf(0)).toBe(0);
  expect(indexOf(latencyUsMax)).toBeGreaterThanOrEqual(bucketCount - 1024);
  expect(indexOf(latencyUsMax)).toBeLessThan(bucketCount);
});

test('no bucket above 2,047 us is wider than a thousandth of its values', () => {
  for (let index = 0; index < bucketCount; index += 1) {
    expect(widthOf(index)).toBeLessThanOrEqual(Math.max(1, lowestOf(index) / 1000));
  }
});

test('hdr-histogram-js finds a value in exactly the same bucket', () => {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: latencyUsMax,
    numberOfSignificantValueDigits: 3,
  });
  fc.assert(
    fc.property(latencyUs, (us) => {
      histogram.reset();
      histogram.recordValue(us);
      expect(histogram.getValueAtPercentile(0)).toBe(lowestOf(indexOf(us)));
      expect(histogram.getValueAtPercentile(100)).toBe(highestOf(indexOf(us)));
    }),
    { numRuns: 2000 },
  );
});
