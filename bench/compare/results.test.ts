import { expect, test } from 'vitest';
import { CrowdbeatError } from '../../server/base/errors.ts';
import type { IndexEntry, Session, StoredSession } from '../record/index.ts';
import { indexSchema } from '../record/index.ts';
import { armC, machine, samplePlan, sampleSession, sampleTrial } from '../record/session.testing.ts';
import { versionReason } from './comparable.ts';
import { comparisonExitCode, gates } from './gate.ts';
import { historyOf } from './history.ts';
import { balancedOrder, pairSeed, planSession } from './plan.ts';
import { compareResults } from './results.ts';

const options = { tool: '0.1.0' };

function single(id: string, p50: number, changes: Partial<Session> = {}): StoredSession {
  const plan = { ...samplePlan(12), order: new Array<'B'>(12).fill('B') };
  const session = sampleSession({
    id,
    kind: 'single',
    arms: { B: { ...armC, buildHash: null }, C: null },
    plan,
    ...changes,
  });
  const trials = Array.from({ length: 12 }, (_, at) =>
    sampleTrial(at + 1, 'B', p50 * (1 + at / 100), { slot: 0 }),
  );
  return { session, trials, notes: [] };
}

test('two results of one machine and one workload stand side by side, and equal ones are the same', () => {
  const comparison = compareResults(single('one', 2000), single('two', 2000), options);
  expect(comparison).toMatchObject({ verdict: 'SAME', pairs: { used: 12 } });
  expect(comparison.notes).toContain('base one and candidate two were measured at different times');
});

test('two results never make a regression, however far apart they are', () => {
  const comparison = compareResults(single('one', 2000), single('two', 4000), options);
  expect(comparison).toMatchObject({ verdict: 'INCONCLUSIVE', toConfirm: { metrics: [] } });
  expect(comparison.metrics[0]).toMatchObject({
    flagged: 'regressed',
    reason: 'the arms were measured in sessions of their own; measure both in one to be sure',
  });
});

test('an exact count is a regression wherever and whenever it was counted', () => {
  const two = single('two', 2000);
  const trials = two.trials.map((trial) => ({ ...trial, counters: { commands: 50_000 } }));
  expect(compareResults(single('one', 2000), { ...two, trials }, options).verdict).toBe('REGRESSED');
});

test('another machine and another workload are not comparable, and no figure is given', () => {
  const other = single('two', 2000, {
    env: { ...machine, envClass: 'sha256:other', cpuModel: 'Another CPU' },
  });
  const comparison = compareResults(single('one', 2000), other, options);
  expect(comparison).toMatchObject({ verdict: 'NOT_COMPARABLE', metrics: [] });
  expect(comparison.reasons).toEqual([
    'the machine is another: cpuModel "Some CPU at 2.45 GHz" and "Another CPU"',
  ]);
  const workload = { ...sampleSession().workload, workloadHash: 'sha256:other', ratePerSec: 3000 };
  expect(
    compareResults(single('one', 2000), single('two', 2000, { workload, seed: 1 }), options).reasons,
  ).toEqual(['the workload is another: ratePerSec 2000 and 3000, seed 424242 and 1']);
});

test('only a record of another version is a reason not to compare; a broken one stays an error', () => {
  expect(versionReason(new CrowdbeatError('CB_RECORD_VERSION', 'too new'))).toBe('too new');
  expect(versionReason(new CrowdbeatError('CB_RECORD', 'broken'))).toBeUndefined();
  expect(versionReason('thrown')).toBeUndefined();
});

test.each([
  ['SAME', [0, 0, 0]],
  ['IMPROVED', [0, 0, 0]],
  ['INCONCLUSIVE', [0, 0, 22]],
  ['REGRESSED', [0, 20, 20]],
  ['INVALID', [30, 30, 30]],
  ['NOT_COMPARABLE', [31, 31, 31]],
] as const)('%s ends with %j under the gates off, regressed and strict', (verdict, codes) => {
  expect(gates.map((gate) => comparisonExitCode({ verdict }, gate))).toEqual(codes);
});

test('the order of a plan is half each way, the same for a seed and not for another', () => {
  for (const pairs of [6, 8, 12, 32])
    expect(balancedOrder(pairs, 424_242).filter((order) => order === 'BC')).toHaveLength(pairs / 2);
  const orders = Array.from({ length: 20 }, (_, seed) => balancedOrder(12, seed).join());
  expect(balancedOrder(12, 3).join()).toBe(orders[3]);
  expect(new Set(orders).size).toBeGreaterThan(15);
  const odd = Array.from(
    { length: 40 },
    (_, seed) => balancedOrder(7, seed).filter((order) => order === 'BC').length,
  );
  expect(new Set(odd)).toEqual(new Set([3, 4]));
});

test('a plan says all it asks, and pairs have seeds of their own', () => {
  expect(planSession(1)).toMatchObject({ pairs: 12, alpha: 0.005, delta: {}, generatorCeilingPerSec: null });
  expect(planSession(1, { pairs: 8, delta: { p50: 0.1 } })).toMatchObject({ pairs: 8, delta: { p50: 0.1 } });
  const seeds = Array.from({ length: 100 }, (_, at) => pairSeed(424_242, at + 1));
  expect(new Set(seeds).size).toBe(100);
  expect(pairSeed(424_242, 1)).toBe(seeds[0]);
});

function entries(values: readonly number[], changes: Partial<IndexEntry> = {}): IndexEntry[] {
  return values.map((value, at) => ({
    ...{
      schema: indexSchema,
      id: `s${at}`,
      startedAt: new Date(Date.UTC(2026, 0, 1 + at)).toISOString(),
      kind: 'single',
    },
    ...{ shas: [`sha${at}`], envClass: 'a', workloadHash: 'w', verdict: null, notReproduced: [] },
    medians: { 'view.p50.response': value },
    ...changes,
  }));
}

test('the history of a metric has its change points, and each machine and workload a line of its own', () => {
  const values = [...new Array<number>(15).fill(800), ...new Array<number>(10).fill(900)].map(
    (value, at) => value + (at % 3),
  );
  const all = [
    ...entries(values),
    ...entries([1, 2], { envClass: 'b' }),
    ...entries([5000], { verdict: 'INVALID' }),
  ];
  const series = historyOf(all);
  expect(series.map(({ envClass, points }) => [envClass, points.length])).toEqual([
    ['a', 25],
    ['b', 2],
  ]);
  expect(series[0]!.changes.map(({ at }) => series[0]!.points[at]!.sha)).toEqual(['sha15']);
  expect(series[0]!.changes[0]!.change).toBeCloseTo(0.125, 2);
});
