import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { hodgesLehmann, logRatio, walshAverages } from './hodges-lehmann.ts';
import {
  median,
  medianAbsoluteDeviation,
  quantile,
  robustDeviation,
  theilSenSlope,
  variance,
} from './order.ts';
import { signedRankCounts, signedRankIndex } from './signed-rank.ts';

const value = fc.double({ min: -3, max: 3, noNaN: true });
const values = fc.array(value, { minLength: 1, maxLength: 14 });
const alpha = fc.constantFrom(0.05, 0.025, 0.01, 0.005);

/** Signed-rank sums of all sign vectors, one by one. */
function sumsOfAllSigns(pairs: number): number[] {
  return Array.from({ length: 2 ** pairs }, (_, signs) => {
    let sum = 0;
    for (let rank = 1; rank <= pairs; rank += 1) if ((signs >> (rank - 1)) & 1) sum += rank;
    return sum;
  });
}

test('the counts of signed-rank sums are those of all sign vectors', () => {
  for (let pairs = 0; pairs <= 12; pairs += 1) {
    const sums = sumsOfAllSigns(pairs);
    const counted = signedRankCounts(pairs).map((_count, sum) => sums.filter((one) => one === sum).length);
    expect(signedRankCounts(pairs)).toEqual(counted);
  }
});

test.each([
  [6, [2, 0, -1, -1]],
  [8, [5, 3, 1, 0]],
  [10, [10, 8, 5, 3]],
  [12, [17, 13, 9, 7]],
  [16, [35, 29, 23, 19]],
  [20, [60, 52, 43, 37]],
])('the indices for %i pairs are those of the published table', (pairs, expected) => {
  expect([0.05, 0.025, 0.01, 0.005].map((one) => signedRankIndex(pairs, one))).toEqual(expected);
});

test('a sum that is exactly as likely as alpha is still within it', () => {
  expect([signedRankIndex(6, 1 / 64), signedRankIndex(3, 2 / 8)]).toEqual([0, 1]);
});

test('an index is the largest whose probability by counting stays within alpha', () => {
  const property = fc.property(
    fc.integer({ min: 1, max: 12 }),
    fc.double({ min: 1e-4, max: 0.6, noNaN: true }),
    (pairs, at) => {
      const sums = sumsOfAllSigns(pairs);
      const probability = (index: number): number => sums.filter((sum) => sum <= index).length / sums.length;
      const index = signedRankIndex(pairs, at);
      expect(probability(index)).toBeLessThanOrEqual(at);
      expect(probability(index + 1)).toBeGreaterThan(at);
    },
  );
  fc.assert(property, { seed: 1, numRuns: 60 });
});

test('the estimate is the median of all pairwise means, and its bounds hold in the shares that counting gives', () => {
  const property = fc.property(values, alpha, (differences, at) => {
    const means = differences
      .flatMap((a, i) => differences.slice(i).map((b) => (a + b) / 2))
      .sort((a, b) => a - b);
    const { estimate, lower, upper } = hodgesLehmann(differences, at);
    const half = means.length >> 1;
    expect(estimate).toBeCloseTo(
      means.length % 2 === 1 ? means[half]! : (means[half - 1]! + means[half]!) / 2,
      12,
    );
    expect(lower).toBeLessThanOrEqual(estimate);
    expect(upper).toBeGreaterThanOrEqual(estimate);
    expect(walshAverages(differences)).toEqual(means);
  });
  fc.assert(property, { seed: 2, numRuns: 200 });
});

test('the bounds are where the signed-rank test begins to reject', () => {
  const distinct = fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 8, maxLength: 11 });
  const property = fc.property(distinct, (whole) => {
    // Powers of two apart, so that no two Walsh averages tie.
    const differences = whole.map((one, at) => one + 2 ** -(at + 2));
    const { lower } = hodgesLehmann(differences, 0.05);
    const sums = sumsOfAllSigns(differences.length);
    const rejects = (centre: number): boolean => {
      const ranked = differences.map((d) => d - centre).sort((a, b) => Math.abs(a) - Math.abs(b));
      const negative = ranked.reduce((sum, d, at) => sum + (d < 0 ? at + 1 : 0), 0);
      return sums.filter((sum) => sum <= negative).length / sums.length <= 0.05;
    };
    expect([rejects(lower - 1e-7), rejects(lower + 1e-7)]).toEqual([true, false]);
  });
  fc.assert(property, { seed: 3, numRuns: 60 });
});

test('exchanging the arms mirrors estimate and bounds', () => {
  const property = fc.property(values, alpha, (differences, at) => {
    const [one, other] = [
      hodgesLehmann(differences, at),
      hodgesLehmann(
        differences.map((d) => 0 - d),
        at,
      ),
    ];
    expect(other.estimate).toBeCloseTo(0 - one.estimate, 12);
    expect([other.lower, other.upper]).toEqual([0 - one.upper, 0 - one.lower]);
  });
  fc.assert(property, { seed: 4, numRuns: 100 });
});

test('a log ratio does not depend on the unit, and changes its sign with the arms and with what is worse', () => {
  const positive = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
  const property = fc.property(positive, positive, positive, (base, candidate, unit) => {
    const ratio = logRatio(base, candidate, true)!;
    expect(logRatio(base * unit, candidate * unit, true)).toBeCloseTo(ratio, 9);
    expect(logRatio(candidate, base, true)).toBeCloseTo(0 - ratio, 9);
    expect(logRatio(base, candidate, false)).toBeCloseTo(0 - ratio, 9);
  });
  fc.assert(property, { seed: 5, numRuns: 100 });
});

test.each([
  [0, 1],
  [1, 0],
  [-1, 1],
  [Number.NaN, 1],
])('there is no ratio of %d and %d', (base, candidate) => {
  expect(logRatio(base, candidate, true)).toBeUndefined();
});

test('medians, deviations and quantiles are those counted by hand', () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([7])]).toEqual([2, 2.5, 7]);
  expect(quantile([10, 20, 30, 40, 50], 0.9)).toBeCloseTo(46, 12);
  expect(medianAbsoluteDeviation([1, 1, 2, 2, 4, 6, 9])).toBe(1);
  expect(robustDeviation([1, 1, 2, 2, 4, 6, 9])).toBeCloseTo(1.4826, 9);
  expect(variance([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(32 / 7, 12);
  expect(variance([5])).toBe(0);
});

test('a slope is found through a third of wild points', () => {
  const points = Array.from({ length: 12 }, (_, x): [number, number] => [x, x % 4 === 1 ? 900 : 3 * x + 7]);
  expect(theilSenSlope(points)).toBe(3);
  expect(theilSenSlope([[1, 5]])).toBe(0);
});
