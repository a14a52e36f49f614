/** The trend of each metric over stored sessions of one class of machine and one workload. Never blocks anything. */
import type { IndexEntry } from '../record/index.ts';
import { type ChangePoint, type ChangePointOptions, changePoints } from '../stats/index.ts';

export interface HistorySeries {
  readonly envClass: string;
  readonly workloadHash: string;
  readonly metric: string;
  readonly points: readonly {
    readonly session: string;
    readonly startedAt: string;
    readonly sha: string | null;
    readonly value: number;
  }[];
  /** `at` is an index into `points`. */
  readonly changes: readonly ChangePoint[];
}

/** @param entries oldest first, as `readIndex` gives them; sessions whose measurement was invalid are left out */
export function historyOf(entries: readonly IndexEntry[], options: ChangePointOptions = {}): HistorySeries[] {
  const series = new Map<
    string,
    Omit<HistorySeries, 'points' | 'changes'> & { points: HistorySeries['points'][number][] }
  >();
  for (const entry of entries) {
    if (entry.verdict === 'INVALID' || entry.verdict === 'NOT_COMPARABLE') continue;
    const { envClass, workloadHash, id: session, startedAt } = entry;
    for (const [metric, value] of Object.entries(entry.medians)) {
      const key = JSON.stringify([envClass, workloadHash, metric]);
      const known = series.get(key) ?? { envClass, workloadHash, metric, points: [] };
      known.points.push({ session, startedAt, sha: entry.shas.at(-1) ?? null, value });
      series.set(key, known);
    }
  }
  return [...series.values()].map((one) => ({
    ...one,
    changes: changePoints(
      one.points.map(({ value }) => value),
      options,
    ),
  }));
}
