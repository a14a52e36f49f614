import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { littlesLaw, steadiness } from './window-checks.ts';

test('requests in flight are rate times service time in every window that begins and ends empty', () => {
  const request = fc.record({
    start: fc.integer({ min: 0, max: 900 }),
    us: fc.integer({ min: 1, max: 100 }),
  });
  const property = fc.property(fc.array(request, { minLength: 1, maxLength: 50 }), (requests) => {
    const seconds = 1000 / 1e6;
    let inFlight = 0;
    // Integrated microsecond by microsecond, as nobody would in earnest.
    for (let at = 0; at < 1000; at += 1)
      inFlight += requests.filter(({ start, us }) => at >= start && at < start + us).length;
    const serviceMeanUs = requests.reduce((sum, { us }) => sum + us, 0) / requests.length;
    const check = littlesLaw({
      inFlightMean: inFlight / 1000,
      completed: requests.length,
      seconds,
      serviceMeanUs,
    });
    expect(check.relErr).toBeLessThan(1e-9);
  });
  fc.assert(property, { seed: 1, numRuns: 50 });
});

test('a tenth of the records lost is a tenth of an error, and an empty window none', () => {
  const books = { inFlightMean: 2, completed: 900, seconds: 1, serviceMeanUs: 2000 };
  expect(littlesLaw(books).relErr).toBeCloseTo(0.1, 12);
  expect(littlesLaw({ ...books, completed: 0, inFlightMean: 0 }).relErr).toBe(0);
  expect(littlesLaw({ ...books, inFlightMean: 0 }).relErr).toBe(Number.POSITIVE_INFINITY);
});

const seconds = (of: (second: number) => number): number[] =>
  Array.from({ length: 20 }, (_, second) => of(second));

test('a level with noise is steady; a trend, a step and a window too short are not', () => {
  const noisy = steadiness(seconds((second) => 800 + ((second * 37) % 11) - 5));
  expect(noisy.ok).toBe(true);
  const trend = steadiness(seconds((second) => 800 + 4 * second));
  expect(trend.ok).toBe(false);
  expect(trend.slopePctPerMin).toBeCloseTo((4 / 838) * 6000, 6);
  const step = steadiness(seconds((second) => (second < 10 ? 800 : 850)));
  expect([step.ok, step.lastHalfVsFirst]).toEqual([false, 850 / 800]);
  expect(steadiness([800, 800, 800]).ok).toBe(false);
});

test('one wild second does not make a window unsteady', () => {
  expect(steadiness(seconds((second) => (second === 7 ? 40_000 : 800))).ok).toBe(true);
});
