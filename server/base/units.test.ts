import { expect, test } from 'vitest';
import {
  formatCount,
  formatDuration,
  formatLatencyMs,
  parseDurationMs,
  parseRatePerSecond,
} from './units.ts';

test('durations are read in ms, s, m, h and d, with fractions', () => {
  const read = ['250ms', '5s', '1.5m', '2h', '30d'].map(parseDurationMs);
  expect(read).toEqual([250, 5000, 90_000, 7_200_000, 2_592_000_000]);
});

test('a number without a unit, a negative one and other text are no durations', () => {
  for (const text of ['5', '-5s', '5 sec', 's', '', '1e3s', '5s5'])
    expect(parseDurationMs(text), text).toBeUndefined();
});

test('rates are read per ms, second, minute, hour and day', () => {
  expect(['2/ms', '3000/s', '90/m', '7200/h'].map(parseRatePerSecond)).toEqual([2000, 3000, 1.5, 2]);
  for (const text of ['3000', '/s', '-1/s', '3000/sec'])
    expect(parseRatePerSecond(text), text).toBeUndefined();
});

test('figures for people carry their unit', () => {
  expect([850, 12_500, 185_000, 7_800_000].map(formatDuration)).toEqual([
    '850 ms',
    '12.5 s',
    '3m 05s',
    '2h 10m',
  ]);
  expect([0.4119, 12.34, 1250].map(formatLatencyMs)).toEqual(['0.412 ms', '12.3 ms', '1.25 s']);
  expect(formatCount(1234567)).toBe('1,234,567');
});
