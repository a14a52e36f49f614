import { expect, test } from 'vitest';
import { judgeGenerator } from './verdict.ts';

const lateness = { p50: 0.1, p90: 0.2, p99: 1, p999: 2, max: 3, mean: 0.2, count: 1000 };
const health = { utilisation: 0.2, loopDelayP99MsMax: 1, loopDelayMaxMs: 5 };

test('a generator that kept up and dropped nothing is valid', () => {
  expect(judgeGenerator({ lateness, health, dropped: 0 })).toEqual({ valid: true, reasons: [] });
});

test('each fault of the generator is a reason of its own', () => {
  const verdict = judgeGenerator({
    lateness: { ...lateness, p99: 10.1 },
    health: { ...health, utilisation: 0.86 },
    dropped: 3,
  });
  expect(verdict.valid).toBe(false);
  expect(verdict.reasons).toEqual([
    'send lateness p99 was 10.1 ms, more than 10 ms',
    "a worker's event loop was busy 86 % of the time, more than 85 %",
    '3 planned events were dropped by the generator',
  ]);
});

test('a run that sent nothing proves nothing', () => {
  expect(judgeGenerator({ lateness: undefined, health, dropped: 0 }).valid).toBe(false);
});
