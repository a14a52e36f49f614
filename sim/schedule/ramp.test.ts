import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { arrivalMs, rampMs, rampSlots } from './ramp.ts';

test.each<[string, number, number, number]>([
  ['the first slot is filled at once', 0, 3000, 0],
  ['the second slot of 4 a second is filled after a quarter of a second', 1, 4, 250],
  [
    'the last of 5,000 slots at 3,000 a second is filled after a slot less than 1.667 s',
    4999,
    3000,
    1666.333,
  ],
  ['one visitor every two seconds', 7, 0.5, 14_000],
])('%s', (_sentence, slotIndex, ratePerSecond, expectedMs) => {
  expect(arrivalMs(slotIndex, ratePerSecond)).toBeCloseTo(expectedMs, 3);
});

test('a rate of 0 is refused, because nobody would ever come', () => {
  expect(() => arrivalMs(1, 0)).toThrow('rate 0');
});

test.each<[string, number, number, number, number, number]>([
  ['before the ramp begins nothing has moved', -1, 0, 100, 10, 0],
  ['at its beginning the first slot is filled', 0, 0, 100, 10, 1],
  ['just before the next is due there is still one', 99.9, 0, 100, 10, 1],
  ['when the next is due there are two', 100, 0, 100, 10, 2],
  ['when all are there it stays so', 60_000, 0, 100, 10, 100],
  ['a crowd that is there already grows from where it is', 250, 1000, 2000, 8, 1003],
  ['a crowd shrinks at the same pace', 250, 1000, 400, 8, 997],
  ['a crowd shrinks no further than told', 3_600_000, 1000, 400, 8, 400],
  ['a crowd that is as large as told stays so', 500, 400, 400, 8, 400],
])('%s', (_sentence, elapsedMs, fromSlots, toSlots, ratePerSecond, expected) => {
  expect(rampSlots(elapsedMs, { fromSlots, toSlots, ratePerSecond })).toBe(expected);
});

test.each<[string, number, number, number, number]>([
  ['filling 5 slots at 2 a second takes until the fifth, 2 seconds', 0, 5, 2, 2000],
  ['emptying them takes as long', 5, 0, 2, 2000],
  ['nothing to do takes no time', 5, 5, 2, 0],
])('%s', (_sentence, fromSlots, toSlots, ratePerSecond, expectedMs) => {
  expect(rampMs({ fromSlots, toSlots, ratePerSecond })).toBe(expectedMs);
});

test('for any rate, slot i is counted at its arrival and not a moment before', () => {
  const rate = fc.double({ min: 0.01, max: 100_000, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), rate, (index, ratePerSecond) => {
      const dueMs = arrivalMs(index, ratePerSecond);
      const ramp = { fromSlots: 0, toSlots: 2_000_000, ratePerSecond };
      expect(rampSlots(dueMs, ramp)).toBe(index + 1);
      expect(rampSlots(dueMs - 1e-4 / ratePerSecond, ramp)).toBe(index);
    }),
    { seed: 9, numRuns: 2000 },
  );
});
