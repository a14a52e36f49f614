import { expect, test } from 'vitest';
import { arrivalMs } from './ramp.ts';

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
