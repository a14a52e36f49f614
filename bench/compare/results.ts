/**
 * Two stored results side by side. They were measured at different hours, and what a machine does in between is
 * in the difference (one binary was 26 % apart between two jobs, regression in nothing). So the same rule may
 * say "same", and it may flag; it can't call a regression, but for exact counts, which no machine disturbs.
 */
import type { Session, StoredSession, Trial } from '../record/index.ts';
import { areIdentical } from '../record/index.ts';
import { notComparable } from './comparable.ts';
import { type CompareOptions, compareSession } from './compare.ts';
import type { Comparison } from './comparison.ts';

/** The newest arm of each result, paired by number. NOT_COMPARABLE for another machine or another workload. */
export function compareResults(
  base: StoredSession,
  candidate: StoredSession,
  options: Pick<CompareOptions, 'tool'>,
): Comparison {
  const reasons = notComparable(base.session, candidate.session);
  const joined = join(base, candidate);
  const comparison = compareSession(joined, { ...options, together: false });
  if (reasons.length === 0) return comparison;
  return { ...comparison, verdict: 'NOT_COMPARABLE', reasons, metrics: [] };
}

function join(base: StoredSession, candidate: StoredSession): StoredSession {
  const [B, C] = [newestArm(base.session), newestArm(candidate.session)];
  const arms = { B: armOf(base.session, B), C: armOf(candidate.session, C) };
  const pairs = Math.max(base.session.plan.order.length, candidate.session.plan.order.length);
  const session: Session = {
    ...candidate.session,
    arms,
    kind: 'compare',
    identicalBuilds: areIdentical(arms.B, arms.C),
    plan: { ...candidate.session.plan, pairs, order: new Array<'BC'>(pairs).fill('BC') },
  };
  return {
    session,
    trials: [...trialsOf(base.trials, B, 'B'), ...trialsOf(candidate.trials, C, 'C')],
    notes: [
      ...base.notes,
      ...candidate.notes,
      `base ${base.session.id} and candidate ${candidate.session.id} were measured at different times`,
    ],
  };
}

function newestArm({ arms }: Session): 'B' | 'C' {
  return arms.C === null ? 'B' : 'C';
}

function armOf({ arms }: Session, arm: 'B' | 'C'): Session['arms']['B'] {
  return arm === 'C' && arms.C !== null ? arms.C : arms.B;
}

function trialsOf(trials: readonly Trial[], from: 'B' | 'C', to: 'B' | 'C'): Trial[] {
  return trials
    .filter(({ arm }) => arm === from)
    .map((trial) => ({ ...trial, arm: to, slot: to === 'B' ? 0 : 1 }));
}
