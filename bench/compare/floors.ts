/**
 * The floor of a machine: how far two arms of one build come out apart on it, by metric. Made from sessions of a
 * build against itself; a smaller difference between two builds says nothing.
 */
import assert from 'node:assert';
import { type Floors, floorsSchema, type Plan } from '../record/index.ts';
import { quantile } from '../stats/index.ts';
import type { Comparison } from './comparison.ts';

export interface FloorSession {
  readonly startedAt: string;
  readonly comparison: Comparison;
}

/**
 * The 95th percentile over the sessions of |estimated change|, as a log ratio brought back to a fraction. At
 * least one session, all of one class of machine, one workload and identical builds. A session in which the
 * rule fired counts: leaving it out would make the floor of a bad machine look good. One whose guards failed
 * doesn't.
 */
export function floorsOf(sessions: readonly FloorSession[]): Floors {
  const usable = sessions.filter(
    ({ comparison: { verdict, reasons, falseAlarms } }) =>
      verdict !== 'INVALID' || reasons.length === falseAlarms.length,
  );
  const first = usable[0];
  assert(first !== undefined, 'sessions');
  const { envClass, workloadHash } = first.comparison;
  for (const { comparison } of usable)
    assert(
      comparison.identicalBuilds &&
        comparison.envClass === envClass &&
        comparison.workloadHash === workloadHash,
      'sessions of one build against itself, on one class of machine, with one workload',
    );
  const times = usable.map(({ startedAt }) => startedAt).sort();
  return {
    ...{ schema: floorsSchema, envClass, workloadHash, sessions: usable.length },
    ...{ from: times[0] as string, to: times.at(-1) as string },
    floors: floorsByMetric(usable.map(({ comparison }) => comparison)),
  };
}

function floorsByMetric(comparisons: readonly Comparison[]): Readonly<Record<string, number>> {
  const sizes = new Map<string, number[]>();
  for (const { metrics } of comparisons)
    for (const { name, kind, change } of metrics)
      if (change !== null && kind !== 'counter')
        sizes.set(name, [...(sizes.get(name) ?? []), Math.abs(Math.log1p(change))]);
  return Object.fromEntries([...sizes].map(([name, of]) => [name, Math.expm1(quantile(of, 0.95))]));
}

/** As a plan takes them. Undefined or of another machine or workload: no floors. */
export function plannedFloors(
  floors: Floors | undefined,
  envClass: string,
  workloadHash: string,
): Plan['aaFloor'] {
  if (floors === undefined || floors.envClass !== envClass || floors.workloadHash !== workloadHash) return {};
  return Object.fromEntries(
    Object.entries(floors.floors).map(([name, floor]) => [name, { floor, sessions: floors.sessions }]),
  );
}
