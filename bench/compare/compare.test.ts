import { expect, test } from 'vitest';
import type { Session, StoredSession, Trial } from '../record/index.ts';
import { armB, armC, samplePlan, sampleSession, sampleTrial } from '../record/session.testing.ts';
import { recordAt } from '../record/shape.ts';
import { compareSession, mayStopEarly, notReproducedOf } from './compare.ts';
import { type Comparison, comparisonShape, type MetricResult } from './comparison.ts';
import { floorsOf, plannedFloors } from './floors.ts';
import { comparisonExitCode } from './gate.ts';
import { indexEntryOf, mayAdvance } from './index-entry.ts';

const options = { tool: '0.1.0' };

/** Per cent by which a pair strays, different for each pair. */
const wobble = (pair: number): number => ((pair * 7) % 11) / 5 - 1;

interface Making {
  readonly pairs?: number;
  /** Of the candidate's latency to the base's. */
  readonly factor?: number;
  readonly session?: Partial<Session>;
  readonly change?: (trial: Trial) => Trial;
}

/** A session whose candidate is slower by a factor in every pair, give or take a per cent. */
function made({
  pairs = 12,
  factor = 1,
  session = {},
  change = (trial) => trial,
}: Making = {}): StoredSession {
  const whole = sampleSession({ plan: samplePlan(pairs), ...session });
  const trials = Array.from({ length: pairs }, (_, at) => at + 1).flatMap((pair) => {
    const level = 2000 * (1 + pair / 50);
    const candidate = level * factor * (1 + wobble(pair) / 100);
    return [sampleTrial(pair, 'B', level), sampleTrial(pair, 'C', candidate)];
  });
  return { session: whole, trials: trials.map(change), notes: [] };
}

const confirming = (making: Making = {}): StoredSession =>
  made({
    pairs: 8,
    ...making,
    session: { id: 'fresh', kind: 'confirm', confirms: sampleSession().id, seed: 7, ...making.session },
  });

const metric = (comparison: Comparison, name: string): MetricResult =>
  comparison.metrics.find((one) => one.name === name)!;

test('equal arms are the same in every gated metric, and the record of it keeps its schema', () => {
  const comparison = compareSession(made(), options);
  expect(comparison).toMatchObject({ verdict: 'SAME', reasons: [], toConfirm: { metrics: [], pairs: 0 } });
  const gated = comparison.metrics.filter(({ gated }) => gated).map(({ name, verdict }) => [name, verdict]);
  expect(gated).toEqual([
    ['view.p50.response', 'SAME'],
    ['view.p90.response', 'SAME'],
    ['server.cpu', 'SAME'],
    ['server.heap', 'SAME'],
    ['counter.commands', 'SAME'],
  ]);
  expect(comparisonShape(comparison, recordAt('compare.json', true))).toEqual(comparison);
});

test('a slower candidate is flagged, waits for a confirmation, and is a regression when that comes', () => {
  const first = made({ factor: 1.2 });
  const waiting = compareSession(first, options);
  expect(waiting.verdict).toBe('INCONCLUSIVE');
  expect(waiting.toConfirm).toEqual({ metrics: ['view.p50.response', 'view.p90.response'], pairs: 8 });
  const settled = compareSession(first, { ...options, confirmation: confirming({ factor: 1.2 }) });
  expect(settled).toMatchObject({ verdict: 'REGRESSED', confirmedBy: 'fresh', toConfirm: { metrics: [] } });
  const p50 = metric(settled, 'view.p50.response');
  expect(p50).toMatchObject({
    verdict: 'REGRESSED',
    confirmation: { confirmed: true, pairs: 8, alpha: 0.025 },
  });
  expect(p50.change).toBeCloseTo(0.2, 1);
  expect(comparisonShape(settled, recordAt('compare.json', true))).toEqual(settled);
});

test('exchanging the arms turns a regression into an improvement', () => {
  const comparison = compareSession(made({ factor: 1 / 1.2 }), {
    ...options,
    confirmation: confirming({ factor: 1 / 1.2 }),
  });
  expect(comparison.verdict).toBe('IMPROVED');
  expect(metric(comparison, 'view.p50.response').change).toBeLessThan(-0.1);
});

test('what does not come out again is inconclusive, and kept in mind', () => {
  const first = made({ factor: 1.2 });
  const comparison = compareSession(first, { ...options, confirmation: confirming() });
  expect(comparison.verdict).toBe('INCONCLUSIVE');
  expect(notReproducedOf(comparison)).toEqual(['view.p50.response', 'view.p90.response']);
  const entry = indexEntryOf(first, comparison);
  expect(entry).toMatchObject({
    verdict: 'INCONCLUSIVE',
    notReproduced: ['view.p50.response', 'view.p90.response'],
  });
  expect(entry.medians['view.p50.response']).toBeCloseTo(2712, -2);
});

test('the unit of the clock does not change a verdict', () => {
  const inNs = (trial: Trial): Trial => {
    const times1000 = (latency: Trial['generator']['sendLag']): Trial['generator']['sendLag'] =>
      Object.assign(
        {},
        latency,
        ...(['min', 'p50', 'p90', 'p99', 'p999', 'max', 'mean'] as const).map((name) => ({
          [name]: latency[name]! * 1000,
        })),
      );
    const { response, service } = trial.ops['view']!;
    return { ...trial, ops: { view: { response: times1000(response), service: times1000(service) } } };
  };
  for (const factor of [1, 1.2, 1.06]) {
    const [one, other] = [
      compareSession(made({ factor }), options),
      compareSession(made({ factor, change: inNs }), options),
    ];
    expect(other.verdict).toBe(one.verdict);
    expect(metric(other, 'view.p50.response').change).toBeCloseTo(
      metric(one, 'view.p50.response').change!,
      9,
    );
  }
});

test('an inconclusive metric says what it could have seen and how many pairs it takes', () => {
  const rough = (trial: Trial): Trial =>
    trial.arm === 'B'
      ? trial
      : sampleTrial(trial.pair, 'C', trial.ops['view']!.response.p50! * (1 + 0.12 * wobble(trial.pair)));
  const comparison = compareSession(made({ change: rough }), options);
  expect(comparison.verdict).toBe('INCONCLUSIVE');
  const p50 = metric(comparison, 'view.p50.response');
  expect(p50.detectable).toBeGreaterThan(0.1);
  expect(p50.pairsFor.effect).toBe(0.1);
  expect(p50.pairsFor.pairs).toBeGreaterThan(12);
  expect(comparison.toConfirm.metrics).toEqual([]);
});

test('one build against itself is never a regression: if the rule fires, the measurement is invalid', () => {
  const session = { identicalBuilds: true, kind: 'aa' as const };
  const comparison = compareSession(made({ factor: 1.2, session }), options);
  expect(comparison.verdict).toBe('INVALID');
  expect(comparison.falseAlarms).toEqual(['view.p50.response', 'view.p90.response']);
  expect(comparison.reasons[0]).toBe(
    'both arms are the same build, and view.p50.response came out regressed: the measurement is wrong',
  );
  expect(compareSession(made({ session }), options)).toMatchObject({ verdict: 'SAME', falseAlarms: [] });
});

test('disturbed pairs are dropped with their reason, and too many of them are an invalid session', () => {
  const disturbed =
    (upTo: number) =>
    (trial: Trial): Trial =>
      trial.pair <= upTo && trial.arm === 'C' ? { ...trial, host: { ...trial.host, stealPct: 9 } } : trial;
  const three = compareSession(made({ change: disturbed(3) }), options);
  expect(three).toMatchObject({ verdict: 'SAME', pairs: { used: 9, unfinished: 0 } });
  expect(three.pairs.dropped[0]).toEqual({
    pair: 1,
    reasons: ['p01-C: host: 9.0 % of CPU time stolen, at most 5 %'],
  });
  const four = compareSession(made({ change: disturbed(4) }), options);
  expect(four).toMatchObject({
    verdict: 'INVALID',
    reasons: ['4 of 12 pairs had to be thrown out, at most 25 % may be'],
  });
});

test('a pair is dropped for its disturbance, whichever arm that helps', () => {
  for (const arm of ['B', 'C'] as const) {
    const change = (trial: Trial): Trial =>
      trial.pair === 5 && trial.arm === arm
        ? { ...trial, valid: false, reasons: ['the generator ended early'] }
        : trial;
    const { pairs, metrics } = compareSession(made({ change }), options);
    expect(pairs.dropped).toEqual([{ pair: 5, reasons: [`p05-${arm}: the generator ended early`] }]);
    expect(metrics[0]!.pairs.map(({ pair }) => pair)).not.toContain(5);
  }
});

test('a control that no build changes vetoes the session when it comes out apart', () => {
  const change = (trial: Trial): Trial =>
    trial.arm === 'C' ? { ...trial, control: { ...trial.control, spinNsPerOp: 3.21 * 1.08 } } : trial;
  expect(compareSession(made({ factor: 1.2, change }), options)).toMatchObject({
    verdict: 'INVALID',
    reasons: ['contaminated: the control spinNsPerOp, which no build changes, came out 8.0 % apart'],
  });
});

test('a session that had not settled is invalid', () => {
  const change = (trial: Trial): Trial =>
    trial.pair <= 4 ? { ...trial, steady: { ok: false, slopePctPerMin: 30, lastHalfVsFirst: 1.1 } } : trial;
  expect(compareSession(made({ change }), options).reasons).toEqual([
    'not steady: 8 of 24 trials had not settled; lengthen the warm-up',
  ]);
});

test('nothing finished, and nothing that can be gated, are invalid and never a pass', () => {
  const empty = compareSession({ ...made(), trials: [] }, options);
  expect(empty.verdict).toBe('INVALID');
  expect(empty.reasons).toContain('no pair of trials was finished');
  expect(comparisonExitCode(empty, 'off')).toBe(30);
});

test('an operation that one arm never served is invalid, not equal', () => {
  const change = (trial: Trial): Trial => (trial.arm === 'C' ? { ...trial, ops: {} } : trial);
  const comparison = compareSession(made({ change }), options);
  expect(comparison.verdict).toBe('INVALID');
  expect(comparison.reasons[0]).toMatch(/^view\.p50\.response: not measured in pair 1 arm C, pair 2 arm C/);
});

test('a killed session is judged by its finished pairs, and says how many are missing', () => {
  const { session, trials, notes } = made({ pairs: 12 });
  const cut = compareSession({ session, trials: trials.slice(0, 19), notes }, options);
  expect(cut).toMatchObject({ verdict: 'SAME', pairs: { planned: 12, used: 9, unfinished: 3 } });
  expect(cut.notes).toContain('3 of 12 planned pairs were not finished');
});

test('an exact count that grew is a regression from one pair on, without confirmation', () => {
  const change = (trial: Trial): Trial =>
    trial.arm === 'C' ? { ...trial, counters: { commands: 40_212 } } : trial;
  const comparison = compareSession(made({ change }), options);
  expect([comparison.verdict, metric(comparison, 'counter.commands').verdict]).toEqual([
    'REGRESSED',
    'REGRESSED',
  ]);
  expect(comparison.toConfirm.metrics).toEqual([]);
  const undeclared = { plan: { ...samplePlan(12), counters: {} } };
  expect(compareSession(made({ change, session: undeclared }), options).verdict).toBe('SAME');
});

test('an exact count takes no part in the confirmation of others', () => {
  const change = (trial: Trial): Trial =>
    trial.arm === 'C' ? { ...trial, counters: { commands: 40_212 } } : trial;
  const confirmation = confirming({ factor: 1.2 });
  const comparison = compareSession(made({ factor: 1.2, change }), { ...options, confirmation });
  expect(metric(comparison, 'counter.commands')).toMatchObject({ verdict: 'REGRESSED', confirmation: null });
  expect(metric(comparison, 'view.p50.response').confirmation).toMatchObject({
    confirmed: true,
    alpha: 0.025,
  });
});

test('in a closed loop less throughput is worse, and its change and bounds are those of the value', () => {
  const workload = { ...sampleSession().workload, mode: 'closed' as const };
  const change = (trial: Trial): Trial => {
    const completed = Math.round((trial.arm === 'C' ? 32_000 : 40_000) * (1 + wobble(trial.pair) / 200));
    return { ...trial, rate: { ...trial.rate, offered: completed, sent: completed, completed, errors: 0 } };
  };
  const plan = { ...samplePlan(12), generatorCeilingPerSec: null };
  const comparison = compareSession(made({ change, session: { workload, plan } }), options);
  const throughput = metric(comparison, 'server.throughput');
  expect(throughput).toMatchObject({ gated: true, higherIsWorse: false, flagged: 'regressed' });
  expect(throughput.change).toBeCloseTo(-0.2, 2);
  expect(throughput.wide.lower).toBeLessThanOrEqual(throughput.change!);
  expect(throughput.wide.upper).toBeGreaterThanOrEqual(throughput.change!);
  expect(throughput.pairs[0]!.d).toBeGreaterThan(0);
});

test('a p99 is gated only with a known floor of the machine that is at most half its margin', () => {
  const gated = (aaFloor: Session['plan']['aaFloor']): MetricResult =>
    metric(
      compareSession(made({ session: { plan: { ...samplePlan(12), aaFloor } } }), options),
      'view.p99.response',
    );
  expect(gated({}).advisoryBecause).toContain('the floor of this machine is not known');
  expect(gated({ 'view.p99.response': { floor: 0.09, sessions: 20 } }).advisoryBecause).toContain(
    'differ by 9.0 % here',
  );
  expect(gated({ 'view.p99.response': { floor: 0.05, sessions: 20 } }).gated).toBe(true);
});

test('percentiles that rest on too few requests are shown and not gated', () => {
  const change = (trial: Trial): Trial => {
    const { response, service } = trial.ops['view']!;
    return { ...trial, ops: { view: { response: { ...response, n: 999, p999: null }, service } } };
  };
  const comparison = compareSession(made({ change }), options);
  expect(metric(comparison, 'view.p50.response').gated).toBe(true);
  expect(metric(comparison, 'view.p90.response').advisoryBecause).toBe(
    'a trial of 999 requests has fewer than 100 beyond it',
  );
});

test('the floor of a machine widens the margin, twice as much while it rests on few sessions', () => {
  const margin = (sessions: number): [number, string] => {
    const aaFloor = { 'view.p50.response': { floor: 0.06, sessions } };
    const found = metric(
      compareSession(made({ session: { plan: { ...samplePlan(12), aaFloor } } }), options),
      'view.p50.response',
    );
    return [found.margin, found.marginFrom];
  };
  expect(margin(19)).toEqual([0.12, 'A/A floor']);
  expect(margin(20)).toEqual([0.06, 'A/A floor']);
});

test('many gated metrics share what five per cent allow', () => {
  const change = (trial: Trial): Trial => {
    const view = trial.ops['view']!;
    return { ...trial, ops: Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`op${at}`, view])) };
  };
  expect(compareSession(made(), options).metrics[0]!.alpha).toBe(0.005);
  expect(compareSession(made({ change }), options).metrics[0]!.alpha).toBeCloseTo(0.05 / 27, 12);
});

test('a difference that goes with which arm came first is said', () => {
  const change = (trial: Trial): Trial =>
    trial.slot === 1
      ? { ...sampleTrial(trial.pair, trial.arm, trial.ops['view']!.response.p50! * 1.1) }
      : trial;
  const { notes } = compareSession(made({ change }), options);
  expect(notes.filter((note) => note.startsWith('order effect'))).toHaveLength(2);
  expect(notes[0]).toMatch(
    /^order effect: view\.p50\.response differs by 2\d\.\d % with which arm came first$/,
  );
});

test.each<[string, Partial<Session>, string]>([
  ['was made to confirm another', { confirms: 'another' }, 'was not made to confirm'],
  ['has the same seed', { seed: 424242 }, 'has the same seed, 424242'],
  [
    'has another workload',
    { workload: { ...sampleSession().workload, scenarioHash: 'x' } },
    'has another workload',
  ],
  ['has another build', { arms: { B: armB, C: { ...armC, sha: 'ffff' } } }, 'has another build as arm C'],
])('a session that %s confirms nothing', (_what, session, reason) => {
  const comparison = compareSession(made({ factor: 1.2 }), {
    ...options,
    confirmation: confirming({ factor: 1.2, session }),
  });
  expect(comparison.verdict).toBe('NOT_COMPARABLE');
  expect(comparison.reasons[0]).toContain(reason);
  expect(comparisonExitCode(comparison, 'off')).toBe(31);
});

test('an invalid confirmation leaves the session unmeasured, and does not acquit', () => {
  const change = (trial: Trial): Trial => ({ ...trial, host: { ...trial.host, throttled: 3 } });
  const comparison = compareSession(made({ factor: 1.2 }), {
    ...options,
    confirmation: confirming({ factor: 1.2, change }),
  });
  expect(comparison.verdict).toBe('INVALID');
  expect(comparison.reasons[0]).toMatch(/^confirming session fresh: 8 of 8 pairs had to be thrown out/);
});

test('a session may end early as the same, and for no other reason', () => {
  const early = (pairs: number, factor: number): boolean => {
    const { session, trials } = made({ factor });
    return mayStopEarly(session, trials.slice(0, pairs * 2));
  };
  expect([early(5, 1), early(6, 1), early(6, 1.2), early(6, 1 / 1.2)]).toEqual([false, true, false, false]);
});

test('floors come from sessions of one build, those with false alarms included, and go into a plan', () => {
  const session = { identicalBuilds: true, kind: 'aa' as const };
  const factors = [1, 1.01, 0.98, 1.2];
  const sessions = factors.map((factor, at) => ({
    startedAt: `2026-11-2${at}T00:00:00Z`,
    comparison: compareSession(made({ factor, session }), options),
  }));
  const floors = floorsOf(sessions);
  expect(floors).toMatchObject({ sessions: 4, from: '2026-11-20T00:00:00Z', to: '2026-11-23T00:00:00Z' });
  // Between the second largest and the largest: most of the way to 20 %.
  expect(floors.floors['view.p50.response']).toBeGreaterThan(0.15);
  expect(floors.floors['view.p50.response']).toBeLessThan(0.2);
  expect(plannedFloors(floors, 'sha256:a91f', 'sha256:3070')['server.cpu']).toEqual({
    floor: 0,
    sessions: 4,
  });
  expect(plannedFloors(floors, 'sha256:other', 'sha256:3070')).toEqual({});
});

test('a session becomes the baseline only if nothing speaks against it', () => {
  const advance = (stored: StoredSession): string[] =>
    mayAdvance(stored.session, stored.trials, compareSession(stored, options));
  expect(advance(made())).toEqual([]);
  expect(advance(made({ factor: 0.8 }))).toEqual([
    'view.p50.response came out faster, and that is not confirmed',
    'view.p90.response came out faster, and that is not confirmed',
  ]);
  const failing = (trial: Trial): Trial => ({ ...trial, rate: { ...trial.rate, errors: 400 } });
  expect(advance(made({ change: failing }))).toContain('24 of its 24 trials are invalid');
  expect(advance(made({ session: { endedAt: null } }))).toEqual(['it never ended']);
});
