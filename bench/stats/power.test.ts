import { expect, test } from 'vitest';
import { bootstrap } from './bootstrap.ts';
import { normalBelow, normalQuantile, studentTwoSided } from './normal.ts';
import { mean } from './order.ts';
import { detectableChange, pairsNeeded } from './power.ts';

test.each([
  [0.02, '7.1', 8],
  [0.04, '9.3', 10],
  [0.075, '13.3', 32],
  [0.1, '16.2', 57],
])('a spread of %d needs what the published table says', (deviation, detectable, pairs) => {
  expect((detectableChange(deviation, 12, 0.05) * 100).toFixed(1)).toBe(detectable);
  expect(pairsNeeded(deviation, 0.1, 0.05)).toBe(pairs);
});

test('no number of pairs finds a change within the margin', () => {
  expect(pairsNeeded(0.02, 0.05, 0.05)).toBe(Number.POSITIVE_INFINITY);
});

test('quantiles of the normal distribution are those of the tables, and lead back', () => {
  expect(normalQuantile(0.5)).toBeCloseTo(0, 12);
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 8);
  expect(normalQuantile(0.995)).toBeCloseTo(2.5758293035489, 8);
  expect(normalQuantile(0.8)).toBeCloseTo(0.8416212335729143, 8);
  for (const p of [1e-6, 0.001, 0.02, 0.3, 0.7, 0.999]) {
    expect(normalBelow(normalQuantile(p)) / p).toBeCloseTo(1, 8);
    expect(normalQuantile(1 - p)).toBeCloseTo(0 - normalQuantile(p), 7);
  }
});

test('probabilities of Student’s t are those of the tables', () => {
  expect(studentTwoSided(12.706, 1)).toBeCloseTo(0.05, 5);
  expect(studentTwoSided(2.228, 10)).toBeCloseTo(0.05, 4);
  expect(studentTwoSided(-3.169, 10)).toBeCloseTo(0.01, 4);
  expect(studentTwoSided(2.0, 58)).toBeCloseTo(0.0502, 4);
  expect(studentTwoSided(0, 5)).toBeCloseTo(1, 12);
  // With one degree of freedom it is Cauchy's distribution, which has a closed form.
  for (const t of [0.3, 1, 7])
    expect(studentTwoSided(t, 1)).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(t), 10);
  // With very many it is the normal one.
  expect(studentTwoSided(1.5, 1e6)).toBeCloseTo(2 * (1 - normalBelow(1.5)), 5);
});

test('a bootstrap interval is the same for a seed, holds the estimate, and is as wide as theory says', () => {
  const items = Array.from({ length: 40 }, (_, at) => at);
  const first = bootstrap(items, mean, { seed: 7 });
  expect(bootstrap(items, mean, { seed: 7 })).toEqual(first);
  expect(bootstrap(items, mean, { seed: 8 })).not.toEqual(first);
  expect(first.estimate).toBe(19.5);
  // Uniform over 0 .. 39: the mean of 40 spreads by 11.54 / sqrt 40 = 1.825, so 3.58 to either side.
  expect(Math.abs(first.upper - first.lower - 7.15)).toBeLessThan(0.6);
});
