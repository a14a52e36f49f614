import { expect, test } from 'vitest';
import { deriveSeed, deriveStream, RandomStream } from './random-stream.ts';

/** Pearson's chi-square of counts against an equal share of the total for each. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Chi-square of k cells has mean k - 1 and variance 2 (k - 1); here it must lie within 5 deviations. */
function expectUniform(counts: readonly number[]): void {
  const freedom = counts.length - 1;
  expect(Math.abs(chiSquare(counts) - freedom)).toBeLessThan(5 * Math.sqrt(2 * freedom));
}

test('the generator gives the numbers of the reference xoroshiro64** from state (1, 2)', () => {
  const stream = new RandomStream(1, 2);
  const first = Array.from({ length: 10 }, () => stream.uint32());
  expect(first).toEqual([
    3802928447, 813792938, 1618621494, 2955957307, 3252880261, 1129983909, 2539651700, 1327610908, 1757650787,
    2763843748,
  ]);
});

test('after a million draws it still agrees with the reference', () => {
  const stream = new RandomStream(1, 2);
  for (let i = 0; i < 1_000_000; i += 1) stream.uint32();
  expect(stream.uint32()).toBe(2030183644);
});

test('a stream started from two zeros does not stand still', () => {
  const stream = new RandomStream(0, 0);
  expect(new Set([stream.uint32(), stream.uint32(), stream.uint32()]).size).toBe(3);
});

test('next stays in [0, 1) and fills 256 cells evenly', () => {
  const stream = deriveStream(1, 0);
  const counts = new Array<number>(256).fill(0);
  let outside = false;
  for (let i = 0; i < 500_000; i += 1) {
    const value = stream.next();
    outside ||= !(value >= 0 && value < 1);
    const cell = Math.floor(value * 256);
    counts[cell] = (counts[cell] as number) + 1;
  }
  expect(outside).toBe(false);
  expectUniform(counts);
});

test('int(n) gives every whole number below n evenly, and no other', () => {
  const stream = deriveStream(2, 0);
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 70_000; i += 1) {
    const value = stream.int(7);
    counts[value] = (counts[value] as number) + 1;
  }
  expect(counts).toHaveLength(7);
  expectUniform(counts);
});

test.each([
  ['slots', (n: number) => deriveStream(42, n, 0, 0)],
  ['generations', (n: number) => deriveStream(42, 7, n, 0)],
  ['seeds', (n: number) => deriveStream(n, 7, 0, 0)],
])('first draws of neighbouring %s are independent: pairs fill a 16 x 16 grid evenly', (_what, streamOf) => {
  const counts = new Array<number>(256).fill(0);
  for (let n = 0; n < 50_000; n += 1) {
    const cell = streamOf(n).int(16) * 16 + streamOf(n + 1).int(16);
    counts[cell] = (counts[cell] as number) + 1;
  }
  expectUniform(counts);
});

test('the same numbers derive the same words, in any order of asking', () => {
  const before = deriveSeed(5, 1, 2, 3);
  deriveSeed(9, 9);
  expect(deriveSeed(5, 1, 2, 3)).toEqual(before);
});

test('every part of a derivation counts: seed, place, order, and bits above the 32nd', () => {
  const derived = [
    deriveSeed(5, 1, 2),
    deriveSeed(6, 1, 2),
    deriveSeed(5, 2, 1),
    deriveSeed(5, 1),
    deriveSeed(5, 1, 2, 0),
    deriveSeed(5 + 2 ** 32, 1, 2),
    deriveSeed(5, 1 + 2 ** 32, 2),
  ];
  expect(new Set(derived.map(String)).size).toBe(derived.length);
});
