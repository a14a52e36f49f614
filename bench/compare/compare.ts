/**
 * A session of pairs, and what it says: guards first, then each metric, then the worst of them.
 *
 *   compareSession(first)                      verdict, or metrics that are flagged and wait
 *   compareSession(first, confirmation)        the same, with what a fresh session said of the flagged ones
 *
 * A flagged metric without confirmation is INCONCLUSIVE, and so is one that didn't come out again. The worst
 * comes first: INVALID, REGRESSED, INCONCLUSIVE, IMPROVED, SAME.
 */
import type { Arm, Session, StoredSession, Verdict } from '../record/index.ts';
import { notConfirming } from './comparable.ts';
import { type Comparison, comparisonSchema, type MetricResult } from './comparison.ts';
import { confirm, confirmationPairs } from './decide.ts';
import { whyAdvisory } from './margins.ts';
import { changeOf, measureMetric, type Series, seriesOf } from './measure-metric.ts';
import { orderEffect, type PairedTrials, pairTrials, sessionFaults } from './pairs.ts';

export interface CompareOptions {
  /** Version of this program, for the record. */
  readonly tool: string;
  readonly confirmation?: StoredSession;
  /** False for arms that were measured in sessions of their own: then nothing can be confirmed. */
  readonly together?: boolean;
}

/** All gated metrics together are wrong in at most so many sessions at stage one, margins aside. */
const familyAlpha = 0.05;

export function compareSession(
  { session, trials, notes }: StoredSession,
  options: CompareOptions,
): Comparison {
  const paired = pairTrials(session, trials);
  const measured = measureAll(session, paired);
  const refusal =
    options.confirmation === undefined ? [] : notConfirming(session, options.confirmation.session);
  const confirmation = refusal.length === 0 ? options.confirmation : undefined;
  const metrics = settle(measured, confirmation, options.together ?? true);
  const falseAlarms = falseAlarmsOf(session, measured);
  const faults = [
    ...sessionFaults(paired),
    ...gateFaults(metrics),
    ...falseAlarms.map(liarFault),
    ...confirmationFaults(confirmation),
  ];
  const verdict = refusal.length > 0 ? 'NOT_COMPARABLE' : faults.length > 0 ? 'INVALID' : worstOf(metrics);
  const waiting = verdict === 'INCONCLUSIVE' && confirmation === undefined && (options.together ?? true);
  const toConfirm = waiting ? flaggedOf(metrics).map(({ name }) => name) : [];
  return {
    ...{ schema: comparisonSchema, tool: options.tool, session: session.id, verdict },
    reasons: [...refusal, ...faults, ...metricFaults(metrics)],
    notes: [...notes, ...notesOf(session, paired, metrics), ...(options.confirmation?.notes ?? [])],
    ...{ base: armOf(session.arms.B), candidate: armOf(session.arms.C) },
    identicalBuilds: session.identicalBuilds,
    ...{ envClass: session.env.envClass, workloadHash: session.workload.workloadHash },
    pairs: {
      planned: session.plan.order.length,
      used: paired.kept.length,
      unfinished: paired.unfinished,
      dropped: paired.dropped,
    },
    metrics,
    toConfirm: {
      metrics: toConfirm,
      pairs: toConfirm.length === 0 ? 0 : confirmationPairs(toConfirm.length),
    },
    confirmedBy: confirmation?.session.id ?? null,
    falseAlarms: falseAlarms.map(({ name }) => name),
  };
}

/**
 * Whether a session may end after six pairs: only as SAME, where nothing is claimed but equality. A regression
 * has one look, at the end; looking until it shows would find one in any noise.
 */
export function mayStopEarly(session: Session, trials: StoredSession['trials']): boolean {
  const paired = pairTrials(session, trials);
  if (paired.kept.length < earlyPairs || sessionFaults(paired).length > 0) return false;
  const gated = measureAll(session, paired).filter((metric) => metric.gated);
  return gated.length > 0 && gated.every(({ verdict }) => verdict === 'SAME');
}

const earlyPairs = 6;

function measureAll(session: Session, { kept }: PairedTrials): MetricResult[] {
  const series = seriesOf(kept, session.plan);
  const alpha = Math.min(session.plan.alpha, familyAlpha / Math.max(1, gatedCount(series, session)));
  return series.map((one) => measureMetric(one, session, alpha));
}

function gatedCount(series: readonly Series[], { plan, workload }: Session): number {
  return series.filter(
    ({ reading, fewestSamples }) =>
      whyAdvisory(reading, fewestSamples, plan, workload.mode === 'open') === undefined,
  ).length;
}

/** Gated metrics that wait for a confirmation. Exact counts wait for nothing. */
function flaggedOf(metrics: readonly MetricResult[]): MetricResult[] {
  return metrics.filter(({ gated, flagged, kind }) => gated && flagged !== null && kind !== 'counter');
}

/** Gives flagged metrics the verdict that the confirming session allows. */
function settle(
  metrics: readonly MetricResult[],
  confirmation: StoredSession | undefined,
  together: boolean,
): MetricResult[] {
  const flagged = flaggedOf(metrics);
  const apart = 'the arms were measured in sessions of their own; measure both in one to be sure';
  if (!together)
    return metrics.map((metric) => (flagged.includes(metric) ? { ...metric, reason: apart } : metric));
  if (confirmation === undefined) return [...metrics];
  const { session, trials } = confirmation;
  const fresh = seriesOf(pairTrials(session, trials).kept, session.plan);
  return metrics.map((metric) =>
    flagged.includes(metric)
      ? settleOne(
          metric,
          fresh.find(({ reading }) => reading.name === metric.name),
          flagged.length,
          session.id,
        )
      : metric,
  );
}

function settleOne(
  metric: MetricResult,
  fresh: Series | undefined,
  flagged: number,
  session: string,
): MetricResult {
  const differences = (fresh?.pairs ?? []).flatMap(({ d }) => (d === null ? [] : [d]));
  if (fresh === undefined || fresh.missing.length > 0 || differences.length === 0)
    return { ...metric, verdict: 'INVALID', reason: `the confirming session ${session} didn't measure it` };
  const direction = metric.flagged as 'regressed' | 'improved';
  const { estimate, bound, alpha, confirmed } = confirm(differences, {
    direction,
    margin: metric.margin,
    flagged,
  });
  const change = changeOf(estimate, metric.higherIsWorse);
  const known = Number.isFinite(bound) ? changeOf(bound, metric.higherIsWorse) : null;
  return {
    ...metric,
    confirmation: { session, pairs: differences.length, change, bound: known, alpha, confirmed },
    verdict: !confirmed ? 'INCONCLUSIVE' : direction === 'regressed' ? 'REGRESSED' : 'IMPROVED',
    reason: confirmed ? null : notReproduced,
  };
}

const notReproduced = 'not reproduced in a fresh session';

/** For the index: what was flagged and didn't come out again. What recurs over commits is worth a look. */
export function notReproducedOf({ metrics }: Comparison): string[] {
  return metrics.filter(({ reason }) => reason === notReproduced).map(({ name }) => name);
}

function gateFaults(metrics: readonly MetricResult[]): string[] {
  return metrics.some(({ gated }) => gated) ? [] : ['no metric was measured that could be gated'];
}

/** One build against itself must not differ: if the rule fires, it is the harness that can't be believed. */
function falseAlarmsOf({ identicalBuilds }: Session, metrics: readonly MetricResult[]): MetricResult[] {
  return identicalBuilds ? metrics.filter(({ gated, flagged }) => gated && flagged !== null) : [];
}

function liarFault({ name, flagged }: MetricResult): string {
  return `both arms are the same build, and ${name} came out ${flagged}: the measurement is wrong`;
}

function confirmationFaults(confirmation: StoredSession | undefined): string[] {
  if (confirmation === undefined) return [];
  const paired = pairTrials(confirmation.session, confirmation.trials);
  return sessionFaults(paired).map((fault) => `confirming session ${confirmation.session.id}: ${fault}`);
}

function metricFaults(metrics: readonly MetricResult[]): string[] {
  return metrics
    .filter(({ verdict }) => verdict === 'INVALID')
    .map(({ name, reason }) => `${name}: ${reason}`);
}

const worstFirst = ['INVALID', 'REGRESSED', 'INCONCLUSIVE', 'IMPROVED', 'SAME'] as const;

function worstOf(metrics: readonly MetricResult[]): Verdict {
  return worstFirst.find((verdict) => metrics.some((metric) => metric.verdict === verdict)) ?? 'INVALID';
}

function notesOf(
  session: Session,
  { kept, unfinished }: PairedTrials,
  metrics: readonly MetricResult[],
): string[] {
  const unsaid = kept.some(({ base, candidate }) => base.buildHash === null || candidate.buildHash === null);
  const effects = metrics.flatMap(({ name, gated, pairs, margin }) => {
    const known = pairs.flatMap(({ order, d }) => (d === null ? [] : [{ order, d }]));
    const gap = gated ? orderEffect(known, margin) : undefined;
    if (gap === undefined) return [];
    return [
      `order effect: ${name} differs by ${(Math.expm1(Math.abs(gap)) * 100).toFixed(1)} % with which arm came first`,
    ];
  });
  return [
    ...(unfinished > 0
      ? [`${unfinished} of ${session.plan.order.length} planned pairs were not finished`]
      : []),
    ...(unsaid
      ? ['the servers did not say which build they are; that each arm ran its own is not proven']
      : []),
    ...(session.arms.B.dirty === true || session.arms.C?.dirty === true
      ? ['a tree with uncommitted changes was measured; the commit alone does not reproduce it']
      : []),
    ...effects,
  ];
}

function armOf(arm: Arm | null): Comparison['base'] {
  return { sha: arm?.sha ?? null, dirty: arm?.dirty ?? null, buildHash: arm?.buildHash ?? null };
}
