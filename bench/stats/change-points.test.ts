import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { deriveStream } from '../../sim/random/random-stream.ts';
import { bestSplit, changePoints, energyDistance, equalMeansP } from './change-points.ts';
import { studentTwoSided } from './normal.ts';

/** A level with noise of `spread` to either side, from a seed. */
function level(seed: number, length: number, centre: number, spread: number): number[] {
  const stream = deriveStream(seed, length);
  return Array.from({ length }, () => centre + spread * (stream.next() + stream.next() - 1));
}

test('the distance is the one written out in the paper', () => {
  const list = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 8 });
  const property = fc.property(list, list, (x, y) => {
    const [n, m] = [x.length, y.length];
    const between = x.flatMap((a) => y.map((b) => Math.abs(a - b))).reduce((sum, d) => sum + d, 0) / (n * m);
    const within = (of: readonly number[]): number => {
      const distances = of.flatMap((a, i) => of.slice(i + 1).map((b) => Math.abs(a - b)));
      return distances.reduce((sum, d) => sum + d, 0) / distances.length;
    };
    const expected = ((n * m) / (n + m)) * (2 * between - within(x) - within(y));
    expect(energyDistance(x, y)).toBeCloseTo(expected, 8);
  });
  fc.assert(property, { seed: 1, numRuns: 100 });
});

test('a step is found at its first night, with its size', () => {
  const series = [...level(1, 30, 800, 20), ...level(2, 20, 920, 20)];
  const points = changePoints(series);
  expect(points.map(({ at }) => at)).toEqual([30]);
  expect(points[0]!.change).toBeCloseTo(0.15, 1);
  expect(points[0]!.p).toBeLessThan(0.001);
});

test('a step up and back down are two, also far beyond one window', () => {
  const series = [...level(1, 70, 800, 20), ...level(2, 15, 1000, 20), ...level(3, 75, 800, 20)];
  expect(changePoints(series).map(({ at }) => at)).toEqual([70, 85]);
});

test('a short bump is found although its first edge alone is not clear enough', () => {
  const series = [...level(0, 8, 800, 20), ...level(100, 4, 860, 20), ...level(200, 8, 800, 20)];
  const first = bestSplit(series, 0, series.length)!;
  expect(equalMeansP(series.slice(0, first), series.slice(first))).toBeGreaterThan(0.001);
  expect(changePoints(series).map(({ at }) => at)).toEqual([8, 12]);
});

test('three small steps that no comparison would flag are seen in the history', () => {
  const series = [800, 824, 849, 874].flatMap((centre, at) => level(at, 25, centre, 8));
  const points = changePoints(series, { magnitudeMin: 0.02 });
  expect(points.map(({ at }) => at)).toEqual([25, 50, 75]);
});

test('noise, a single outlier, a change too small and a series too short have no change', () => {
  for (let seed = 0; seed < 20; seed += 1) expect(changePoints(level(seed, 60, 800, 60))).toEqual([]);
  const outlier = level(1, 40, 800, 20);
  outlier[20] = 2000;
  expect(changePoints(outlier)).toEqual([]);
  expect(changePoints([...level(1, 30, 800, 5), ...level(2, 30, 816, 5)])).toEqual([]);
  expect(changePoints([])).toEqual([]);
  expect(changePoints([1, 1, 5])).toEqual([]);
});

test('the size of the unit moves no change point', () => {
  const series = [...level(1, 30, 800, 20), ...level(2, 20, 920, 20)];
  const inMs = changePoints(series.map((us) => us / 1000));
  expect(inMs.map(({ at }) => at)).toEqual(changePoints(series).map(({ at }) => at));
});

test('the best split is the one found by trying all', () => {
  const series = level(5, 30, 100, 40);
  const tried = Array.from({ length: 27 }, (_, index) => index + 2).sort(
    (a, b) =>
      energyDistance(series.slice(0, b), series.slice(b)) -
      energyDistance(series.slice(0, a), series.slice(a)),
  );
  expect(bestSplit(series, 0, 30)).toBe(tried[0]);
});

test('the t-test uses the variance of samples', () => {
  // Means 2.5 apart; squares 5 and 10 on 3 + 4 degrees: a pooled variance of 15/7, t = 2.5 / sqrt(27/28).
  expect(equalMeansP([1, 2, 3, 4], [3, 4, 5, 6, 7])).toBeCloseTo(
    studentTwoSided(2.5 / Math.sqrt(27 / 28), 7),
    12,
  );
  expect(equalMeansP([1, 1], [1, 1])).toBe(1);
  expect(equalMeansP([1, 1], [2, 2])).toBe(0);
});
