import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BucketCounts } from '../record/index.ts';
import { ksDistance, logWasserstein, mergeHistograms, quantileUs, shapeTest } from './distribution.ts';

/** Whole microseconds below 2,048 have a bucket each, so a histogram is its values. */
function histogramOf(values: readonly number[]): BucketCounts {
  const counts = new Map<number, number>();
  for (const value of [...values].sort((a, b) => a - b)) counts.set(value, (counts.get(value) ?? 0) + 1);
  return {
    lowUs: [...counts.keys()],
    highUs: [...counts.keys()],
    counts: [...counts.values()],
    total: values.length,
  };
}

const values = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 });

test('a quantile is the value at its rank, as a sorted list has it', () => {
  const property = fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (recorded, q) => {
    const rank = Math.max(1, Math.ceil(q * recorded.length - 1e-9));
    expect(quantileUs(histogramOf(recorded), q)).toBe([...recorded].sort((a, b) => a - b)[rank - 1]);
  });
  fc.assert(property, { seed: 1, numRuns: 200 });
  expect(quantileUs(histogramOf([]), 0.5)).toBeUndefined();
});

test('merged histograms are the histogram of all values', () => {
  const property = fc.property(fc.array(values, { maxLength: 5 }), (parts) => {
    expect(mergeHistograms(parts.map(histogramOf))).toEqual(histogramOf(parts.flat()));
  });
  fc.assert(property, { seed: 2, numRuns: 100 });
});

test('the greatest gap is the one found by trying every value', () => {
  const property = fc.property(values, values, (one, other) => {
    const share = (list: readonly number[], at: number): number =>
      list.filter((value) => value <= at).length / list.length;
    const gaps = [...one, ...other].map((at) => Math.abs(share(one, at) - share(other, at)));
    expect(ksDistance(histogramOf(one), histogramOf(other))).toBeCloseTo(Math.max(...gaps), 12);
  });
  fc.assert(property, { seed: 3, numRuns: 100 });
});

test('the distance of logarithms is the mean over all ranks, and doesn’t depend on the unit', () => {
  const property = fc.property(
    fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 })), {
      minLength: 1,
      maxLength: 30,
    }),
    (pairs) => {
      const [a, b] = [
        pairs.map(([one]) => one).sort((x, y) => x - y),
        pairs.map(([, other]) => other).sort((x, y) => x - y),
      ];
      const expected =
        a.reduce((sum, value, rank) => sum + Math.abs(Math.log(b[rank]! / value)), 0) / a.length;
      expect(logWasserstein(histogramOf(a), histogramOf(b))).toBeCloseTo(expected, 10);
      const scaled = (list: readonly number[]): BucketCounts => histogramOf(list.map((value) => value * 7));
      expect(logWasserstein(scaled(a), scaled(b))).toBeCloseTo(expected, 10);
    },
  );
  fc.assert(property, { seed: 4, numRuns: 100 });
});

const usual = Array.from({ length: 60 }, (_, at) => 500 + 7 * at);

test('a tail that appeared is found although the median stayed, and its rarity is counted over all exchanges', () => {
  const pairs = Array.from({ length: 8 }, (_, pair) => ({
    base: histogramOf(usual.map((value) => value + pair)),
    candidate: histogramOf(usual.map((value, at) => value + pair + (at % 10 === 9 ? 900 : 0))),
  }));
  const found = shapeTest(pairs, ksDistance);
  expect(quantileUs(mergeHistograms(pairs.map(({ candidate }) => candidate)), 0.5)! / 707).toBeCloseTo(1, 1);
  // The one exchange that swaps every pair lies as far apart: 2 of 256.
  expect(found.p).toBe(2 / 256);
});

test('arms of one shape are as far apart as most exchanges', () => {
  const pairs = Array.from({ length: 8 }, (_, pair) => ({
    base: histogramOf(usual.map((value) => value + ((pair * 37) % 11))),
    candidate: histogramOf(usual.map((value) => value + ((pair * 53) % 11))),
  }));
  expect(shapeTest(pairs, logWasserstein).p).toBeGreaterThan(0.05);
});
