import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { AliasTable, zipfWeights } from './alias-table.ts';
import { deriveStream, RandomStream } from './random-stream.ts';

function countsOf(weights: readonly number[], draws: number): number[] {
  const table = new AliasTable(weights);
  const stream = deriveStream(21, weights.length);
  const counts = weights.map(() => 0);
  for (let i = 0; i < draws; i += 1) {
    const index = table.sample(stream);
    counts[index] = (counts[index] as number) + 1;
  }
  return counts;
}

/** Each count is binomial; all must lie within 5 deviations of draws x weight / sum. */
function expectShares(weights: readonly number[], draws: number): void {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  countsOf(weights, draws).forEach((count, index) => {
    const share = (weights[index] as number) / total;
    const deviation = Math.sqrt(draws * share * (1 - share));
    expect(Math.abs(count - draws * share)).toBeLessThanOrEqual(5 * deviation);
  });
}

test('indices come with the shares of their weights', () => {
  expectShares([5, 1, 0.5, 3, 10, 0.25], 200_000);
});

test('a hundred Zipf ranks come with the shares of their weights', () => {
  expectShares(zipfWeights(100, 1), 200_000);
});

test('a weight of zero is never drawn', () => {
  expect(countsOf([0, 1, 0, 2, 0], 50_000).map((count) => count > 0)).toEqual([
    false,
    true,
    false,
    true,
    false,
  ]);
});

test('one weight alone is always drawn', () => {
  expect(countsOf([0.3], 100)).toEqual([100]);
});

test('for any weights the table holds exactly their shares', () => {
  const weightsArbitrary = fc
    .array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 12 })
    .filter((weights) => weights.some((weight) => weight > 0));
  fc.assert(
    fc.property(weightsArbitrary, (weights) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const table = new AliasTable(weights);
      // An even grid of uniforms in place of chance measures each index's exact share of [0, 1).
      const steps = weights.length * 4000;
      const counts = weights.map(() => 0);
      for (let step = 0; step < steps; step += 1) {
        const index = table.sample(new FixedStream((step + 0.5) / steps));
        counts[index] = (counts[index] as number) + 1;
      }
      counts.forEach((count, index) => {
        // Each column cuts its share at one place: at most one step of error per column.
        expect(Math.abs(count - (steps * (weights[index] as number)) / total)).toBeLessThanOrEqual(
          weights.length,
        );
      });
    }),
    { seed: 3, numRuns: 60 },
  );
});

test.each([[[]], [[0, 0]], [[1, -1]], [[Number.NaN]], [[1, Number.POSITIVE_INFINITY]]])(
  'weights %j are refused',
  (weights: number[]) => {
    expect(() => new AliasTable(weights)).toThrow('weights');
  },
);

test('the weight of Zipf rank r is r to the power of minus the exponent', () => {
  expect(zipfWeights(4, 1)).toEqual([1, 1 / 2, 1 / 3, 1 / 4]);
  expect(zipfWeights(4, 2)[3]).toBeCloseTo(1 / 16, 12);
});

/** A stream that always gives one chosen uniform. */
class FixedStream extends RandomStream {
  readonly #value: number;

  constructor(value: number) {
    super(1, 0);
    this.#value = value;
  }

  override next(): number {
    return this.#value;
  }
}
