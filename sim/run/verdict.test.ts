import { expect, test } from 'vitest';
import { judgeGenerator } from './verdict.ts';

const lateness = { p50: 0.1, p90: 0.2, p99: 1, p999: 2, max: 3, mean: 0.2, count: 1000 };
const health = { utilisation: 0.2, loopDelayP99MsMax: 90, loopDelayMaxMs: 95, loopDelayMs: 1 };
const machine = { stealShare: 0.05, throttledShare: null, clockJumpMsMax: 500 };

test('a generator that kept up and dropped nothing is valid', () => {
  const verdict = judgeGenerator({
    lateness,
    health,
    dropped: 0,
    machine,
    little: { windows: 3, worstShare: 0.05 },
  });
  expect(verdict).toMatchObject({ valid: true, reasons: [] });
  expect(verdict.rules.every(({ ok }) => ok)).toBe(true);
  expect(verdict.rules.find(({ rule }) => rule === 'throttledShareMax')?.value).toBe(null);
});

test('each fault of the generator is a reason of its own', () => {
  const verdict = judgeGenerator({
    lateness: { ...lateness, p99: 10.1 },
    health: { ...health, utilisation: 0.86, loopDelayMs: 51 },
    dropped: 3,
    machine: { stealShare: 0.06, throttledShare: 0.02, clockJumpMsMax: 61_000 },
    little: { windows: 1, worstShare: 0.07 },
    ceilingShare: 0.9,
  });
  expect(verdict.valid).toBe(false);
  expect(verdict.reasons).toEqual([
    'send lateness p99 was 10.1 ms, more than 10 ms',
    "a worker's event loop was busy 86 % of the time, more than 85 %",
    "a worker's event loop was 51 ms late in its worst seconds, more than 50 ms",
    '3 planned events were dropped by the generator',
    'other guests of the host took 6 % of the CPU time, more than 5 %',
    'the control group waited for its CPU quota 2 % of the time, more than 1 %',
    "visitors present were 7 % off arrival rate x mean stay (Little's law), more than 5 %",
    'the wall clock jumped by 1m 01s, more than 500 ms',
    "the load was 90 % of what this machine's client reaches against a null server, more than 80 %",
  ]);
});

test('a run that sent nothing proves nothing', () => {
  expect(judgeGenerator({ lateness: undefined, health, dropped: 0 }).valid).toBe(false);
});
