import { expect, test } from 'vitest';
import { retryDelayMs } from './retry-delay.ts';

test('the delay doubles from 100 ms and stops growing at 2 s', () => {
  expect([1, 2, 3, 4, 5, 6, 50].map((attempts) => retryDelayMs(attempts, -1, 0))).toEqual([
    100, 200, 400, 800, 1600, 2000, 2000,
  ]);
});

test('a Retry-After of the target is waited for, never less', () => {
  for (let token = 0; token < 100; token++) expect(retryDelayMs(9, 5000, token)).toBeGreaterThanOrEqual(5000);
  expect(retryDelayMs(1, 0, 0)).toBe(100);
});

test('a crowd that failed together comes back spread over half the delay', () => {
  const delays = Array.from({ length: 1000 }, (_, token) => retryDelayMs(6, -1, token)).sort((a, b) => a - b);
  expect(delays[0]).toBeGreaterThanOrEqual(2000);
  expect(delays[999]).toBeLessThan(3000);
  const gaps = delays.slice(1).map((delay, at) => delay - (delays[at] ?? 0));
  expect(Math.max(...gaps)).toBeLessThan(10);
});
