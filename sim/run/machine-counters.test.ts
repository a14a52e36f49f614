import { expect, test } from 'vitest';
import { ManualClock } from '../../server/base/clock.ts';
import { type MachineCounters, MachineWatch, readMachine } from './machine-counters.ts';

const files = (all: Record<string, string>) => (path: string) => all[path];

test('steal and throttling are read in both versions of control groups, and are null where there are none', () => {
  const stat = 'cpu  100 0 50 800 0 0 0 50 7 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n';
  expect(
    readMachine(files({ '/proc/stat': stat, '/sys/fs/cgroup/cpu.stat': 'throttled_usec 1500\n' })),
  ).toEqual({
    ticks: { all: 1000, steal: 50 },
    throttledUs: 1500,
  });
  const v1 = 'nr_periods 3\nthrottled_time 2000000\n';
  expect(readMachine(files({ '/sys/fs/cgroup/cpu/cpu.stat': v1 })).throttledUs).toBe(2000);
  expect(readMachine(files({}))).toEqual({ ticks: null, throttledUs: null });
});

test('shares count from the ramp on, the greatest clock jump from the start, back or ahead', () => {
  const clock = new ManualClock(1_000_000);
  let now: MachineCounters = { ticks: { all: 0, steal: 0 }, throttledUs: 0 };
  const watch = new MachineWatch(clock, () => now);
  clock.advanceMs(1000);
  clock.setWallMs(clock.wallMs() - 700);
  now = { ticks: { all: 200, steal: 100 }, throttledUs: 900_000 };
  expect(watch.sample()).toEqual({ stealShare: 0.5, throttledShare: 0.9, clockJumpMsMax: 700 });
  watch.begin();
  clock.advanceMs(2000);
  now = { ticks: { all: 600, steal: 110 }, throttledUs: 920_000 };
  watch.sample();
  expect(watch.summary()).toEqual({ stealShare: 0.025, throttledShare: 0.01, clockJumpMsMax: 700 });
});
