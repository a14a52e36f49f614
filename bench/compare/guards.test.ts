import { expect, test } from 'vitest';
import type { Trial } from '../record/index.ts';
import { sampleSession, sampleTrial } from '../record/session.testing.ts';
import { guardReasons } from './guards.ts';

const session = sampleSession();
const trial = sampleTrial(1, 'B', 800);
const rate = (change: Partial<Trial['rate']>): Partial<Trial> => ({ rate: { ...trial.rate, ...change } });
const generator = (change: Partial<Trial['generator']>): Partial<Trial> => ({
  generator: { ...trial.generator, ...change },
});
const host = (change: Partial<Trial['host']>): Partial<Trial> => ({ host: { ...trial.host, ...change } });
const lag = (p99: number): Partial<Trial> => generator({ sendLag: { ...trial.generator.sendLag, p99 } });

test('an undisturbed trial passes every guard', () => {
  expect(guardReasons(trial, session)).toEqual([]);
});

// Each guard at a value that it must take, and at the next that it must not.
test.each<[Partial<Trial>, Partial<Trial>, string]>([
  [
    rate({ sent: 39_600, completed: 39_600, errors: 0 }),
    rate({ sent: 39_599, completed: 39_599, errors: 0 }),
    'load: 39599 of 40000 sent, at least 99 % must be',
  ],
  [rate({}), rate({ unsent: 1 }), 'load: 1 never sent, none may be'],
  [
    rate({ completed: 39_600 }),
    rate({ completed: 39_599 }),
    'load: 39599 of 40000 completed, at least 99 % must be',
  ],
  [
    rate({ completed: 40_000 }),
    rate({ completed: 40_001 }),
    'load: 40001 of 40000 completed, at least 99 % must be',
  ],
  [
    rate({ errors: 20, timeouts: 20 }),
    rate({ errors: 20, timeouts: 21 }),
    'load: 20 errors and 21 timeouts of 40000, at most 0.1 % may be',
  ],
  [lag(1000), lag(1001), 'generator: send lag p99 1001 us, at most 1000'],
  [generator({ elu: 0.7 }), generator({ elu: 0.71 }), 'generator: event loop busy 71 %, at most 70 %'],
  [
    generator({ loopDelayP99Us: 2000 }),
    generator({ loopDelayP99Us: 2001 }),
    'generator: loop delay p99 2001 us, at most 2000',
  ],
  [
    generator({ blockedShare: 0.01 }),
    generator({ blockedShare: 0.011 }),
    'generator: 1.1 % of the time waiting for a connection, at most 1 %',
  ],
  [host({ stealPct: 5 }), host({ stealPct: 5.1 }), 'host: 5.1 % of CPU time stolen, at most 5 %'],
  [host({ throttled: null }), host({ throttled: 2 }), 'host: throttled 2 times, never is allowed'],
  [host({ swapIn: null }), host({ swapIn: 9 }), 'host: 9 pages came back from swap, none may'],
  [
    { little: { L: 2, lambdaW: 1.9, relErr: 0.05 } },
    { little: { L: 2, lambdaW: 1.88, relErr: 0.06 } },
    'books: 2.00 in flight but rate times service time is 1.88, 6 % apart, at most 5 %',
  ],
  [
    { buildHash: null },
    { buildHash: 'sha256:cccc' },
    'build: the server of arm B runs sha256:cccc, planned was sha256:bbbb',
  ],
])('%j passes and %j does not', (passes, fails, reason) => {
  expect(guardReasons({ ...trial, ...passes }, session)).toEqual([]);
  expect(guardReasons({ ...trial, ...fails }, session)).toEqual([reason]);
});

test('a load near what the generator can do at all is refused', () => {
  const atCeiling = (generatorCeilingPerSec: number | null) =>
    guardReasons(trial, { ...session, plan: { ...session.plan, generatorCeilingPerSec } });
  expect(atCeiling(4000)).toEqual([]);
  expect(atCeiling(3999)).toEqual(['generator: 2000/s is more than 50 % of what it can do (3999/s)']);
  expect(atCeiling(null)).toEqual([]);
});

test('a slow operation grants the generator a little more lag', () => {
  const slow = sampleTrial(1, 'B', 60_000);
  expect(guardReasons({ ...slow, ...lag(2700) }, session)).toEqual([]);
  expect(guardReasons({ ...slow, ...lag(2701) }, session)).toEqual([
    'generator: send lag p99 2701 us, at most 2700',
  ]);
});

test('a trial that sent nothing is not a fast one', () => {
  const nothing = rate({ offered: 0, sent: 0, completed: 0, errors: 0 });
  expect(guardReasons({ ...trial, ...nothing }, session)).toEqual(['load: nothing was sent']);
});
