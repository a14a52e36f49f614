import { describe, expect, test } from 'vitest';
import {
  clampedLogNormal,
  clampedLogNormalMean,
  exponential,
  geometric,
  logNormal,
  logNormalMean,
  normal,
  normalCdf,
  weibull,
  weibullMean,
} from './distributions.ts';
import { deriveStream, type RandomStream } from './random-stream.ts';

const draws = 200_000;

function sample(seed: number, draw: (stream: RandomStream) => number): number[] {
  const stream = deriveStream(seed, 0);
  return Array.from({ length: draws }, () => draw(stream));
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The sample's mean must lie within 5 standard errors, computed from the sample, of the closed form. */
function expectMean(values: readonly number[], expected: number): void {
  const mean = meanOf(values);
  const variance = meanOf(values.map((value) => (value - mean) ** 2));
  expect(Math.abs(mean - expected)).toBeLessThan(5 * Math.sqrt(variance / values.length));
}

/** The share of values below `limit` must lie within 5 standard errors of the closed form. */
function expectShareBelow(values: readonly number[], limit: number, expected: number): void {
  const share = values.filter((value) => value < limit).length / values.length;
  expect(Math.abs(share - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / values.length));
}

test('exponential: mean, and 1 - 1/e of all draws below the mean', () => {
  const values = sample(11, (stream) => exponential(stream, 250));
  expectMean(values, 250);
  expectShareBelow(values, 250, 1 - Math.exp(-1));
});

test('normal: mean 0, variance 1, and the shares of its table', () => {
  const values = sample(12, normal);
  expectMean(values, 0);
  expectMean(
    values.map((value) => value * value),
    1,
  );
  expectShareBelow(values, 1, 0.841344746);
  expectShareBelow(values, -1.959964, 0.025);
});

test('logNormal: the median given, and the mean of its closed form', () => {
  const values = sample(13, (stream) => logNormal(stream, 9000, 0.8));
  expectShareBelow(values, 9000, 0.5);
  expectMean(values, logNormalMean(9000, 0.8));
  expect(logNormalMean(9000, 0.8)).toBeCloseTo(12394.15, 1);
});

test('clampedLogNormal: never outside its ends, and the mean of its closed form', () => {
  const values = sample(14, (stream) => clampedLogNormal(stream, 150, 0.6, 60, 400));
  expect(values.every((value) => value >= 60 && value <= 400)).toBe(true);
  expectShareBelow(values, 60.000001, normalCdf(Math.log(60 / 150) / 0.6));
  expectMean(values, clampedLogNormalMean(150, 0.6, 60, 400));
});

test.each([0.7, 1, 2])('weibull of shape %d: mean, and 1 - 1/e of all draws below the scale', (shape) => {
  const values = sample(15, (stream) => weibull(stream, 30, shape));
  expectMean(values, weibullMean(30, shape));
  expectShareBelow(values, 30, 1 - Math.exp(-1));
});

describe('closed forms at values known otherwise', () => {
  test('a Weibull of shape 1 is exponential, and of shape 2 has the mean scale x sqrt(pi) / 2', () => {
    expect(weibullMean(30, 1)).toBeCloseTo(30, 8);
    expect(weibullMean(30, 2)).toBeCloseTo((30 * Math.sqrt(Math.PI)) / 2, 8);
  });

  test.each([
    [0, 0.5],
    [1, 0.841344746],
    [-1.959964, 0.025],
    [3, 0.998650102],
  ])('normalCdf(%d) is %d', (z, share) => {
    expect(normalCdf(z)).toBeCloseTo(share, 6);
  });
});

test('geometric: whole numbers from 1, mean 1/p, and p of all draws equal to 1', () => {
  const values = sample(16, (stream) => geometric(stream, 0.2));
  expect(values.every((value) => Number.isInteger(value) && value >= 1)).toBe(true);
  expectMean(values, 5);
  expectShareBelow(values, 1.5, 0.2);
});

test('geometric with p = 1 is always 1 and takes one uniform like the rest', () => {
  const certain = deriveStream(17, 0);
  expect(geometric(certain, 1)).toBe(1);
  const other = deriveStream(17, 0);
  geometric(other, 0.5);
  expect(certain.uint32()).toBe(other.uint32());
});
