import { expect, test } from 'vitest';
import type { BucketCounts } from '../record/index.ts';
import { hgrm, percentilePoints } from './percentiles.ts';

/** Values from 1 to `count` microseconds, one each. */
const counting = (count: number): BucketCounts => {
  const us = Array.from({ length: count }, (_, at) => at + 1);
  return { lowUs: us, highUs: us, counts: us.map(() => 1), total: count };
};

test('points grow denser toward the end, rise, and end with the maximum', () => {
  const points = percentilePoints(counting(10_000));
  expect(points.slice(0, 7).map(({ quantile }) => Number(quantile.toFixed(6)))).toEqual([
    0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55,
  ]);
  expect(points.at(-1)).toEqual({ quantile: 1, count: 10_000, valueUs: 10_000 });
  for (const [at, { quantile, valueUs }] of points.entries()) {
    expect(valueUs).toBe(Math.max(1, Math.ceil(quantile * 10_000 - 1e-6)));
    expect(quantile).toBeGreaterThan(points[at - 1]?.quantile ?? -1);
  }
  expect(points.length).toBeLessThan(80);
});

test('one value is one step from nothing to all, and no value is no line', () => {
  expect(percentilePoints(counting(1)).map(({ quantile }) => quantile)).toEqual([0, 1]);
  expect(percentilePoints(counting(0))).toEqual([]);
});

test('a percentile file is in milliseconds, with the head and foot that plotters look for', async () => {
  await expect(hgrm(counting(1000))).toMatchFileSnapshot('fixtures/counting.hgrm.golden');
});
