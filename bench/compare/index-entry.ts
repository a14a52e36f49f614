/** What is kept of a session in the index, and whether it may become the baseline. */
import { type IndexEntry, indexSchema, type Session, type StoredSession } from '../record/index.ts';
import { median } from '../stats/index.ts';
import { notReproducedOf } from './compare.ts';
import type { Comparison } from './comparison.ts';
import { guardReasons } from './guards.ts';
import { readingsOf } from './metrics.ts';

/** @param comparison null for a session of one arm */
export function indexEntryOf({ session, trials }: StoredSession, comparison: Comparison | null): IndexEntry {
  const newest = session.arms.C === null ? 'B' : 'C';
  const used = trials.filter(
    (trial) => trial.arm === newest && trial.valid && guardReasons(trial, session).length === 0,
  );
  return {
    ...{ schema: indexSchema, id: session.id, startedAt: session.startedAt, kind: session.kind },
    shas: session.arms.C === null ? [session.arms.B.sha] : [session.arms.B.sha, session.arms.C.sha],
    ...{ envClass: session.env.envClass, workloadHash: session.workload.workloadHash },
    verdict: comparison?.verdict ?? session.verdict,
    medians: mediansOf(used.map(readingsOf)),
    notReproduced: comparison === null ? [] : notReproducedOf(comparison),
  };
}

function mediansOf(trials: readonly ReturnType<typeof readingsOf>[]): Readonly<Record<string, number>> {
  const values = new Map<string, number[]>();
  for (const readings of trials)
    for (const { name, value } of readings)
      if (value !== null) values.set(name, [...(values.get(name) ?? []), value]);
  return Object.fromEntries([...values].map(([name, of]) => [name, median(of)]));
}

/**
 * Why a session may not become the baseline; empty if it may. A route that answers errors is fast, and a false
 * improvement makes everything after it look slow: both have frozen gates elsewhere.
 */
export function mayAdvance(
  session: Session,
  trials: StoredSession['trials'],
  comparison: Comparison | null,
): string[] {
  const invalid = trials.filter((trial) => !trial.valid || guardReasons(trial, session).length > 0);
  const doubtful = comparison?.metrics.filter(
    ({ gated, flagged, verdict }) => gated && flagged === 'improved' && verdict !== 'IMPROVED',
  );
  return [
    ...(trials.length === 0 ? ['it has no trials'] : []),
    ...(session.endedAt === null ? ['it never ended'] : []),
    ...(invalid.length > 0 ? [`${invalid.length} of its ${trials.length} trials are invalid`] : []),
    ...(comparison?.verdict === 'REGRESSED' ||
    comparison?.verdict === 'INVALID' ||
    comparison?.verdict === 'NOT_COMPARABLE'
      ? [`its verdict is ${comparison.verdict}`]
      : []),
    ...(doubtful ?? []).map(({ name }) => `${name} came out faster, and that is not confirmed`),
  ];
}
