/** Trials as pairs: those that are used, those that were thrown out and why, and what speaks against the whole. */
import type { Session, Trial } from '../record/index.ts';
import { hodgesLehmann, logRatio, median } from '../stats/index.ts';
import { guardReasons } from './guards.ts';

export interface Pair {
  readonly pair: number;
  readonly order: 'BC' | 'CB';
  readonly base: Trial;
  readonly candidate: Trial;
}

export interface DroppedPair {
  readonly pair: number;
  readonly reasons: readonly string[];
}

export interface PairedTrials {
  readonly kept: readonly Pair[];
  readonly dropped: readonly DroppedPair[];
  /** Planned pairs of which a trial is missing: not begun, or cut off. They speak neither for nor against. */
  readonly unfinished: number;
}

export function pairTrials(session: Session, trials: readonly Trial[]): PairedTrials {
  const kept: Pair[] = [];
  const dropped: DroppedPair[] = [];
  for (let pair = 1; pair <= session.plan.order.length; pair += 1) {
    const of = (arm: 'B' | 'C'): Trial | undefined =>
      trials.find((trial) => trial.pair === pair && trial.arm === arm);
    const [base, candidate] = [of('B'), of('C')];
    if (base === undefined || candidate === undefined) continue;
    const reasons = [base, candidate].flatMap((trial) =>
      [...new Set([...trial.reasons, ...guardReasons(trial, session)])].map(
        (reason) => `${trial.trialId}: ${reason}`,
      ),
    );
    if (reasons.length > 0) dropped.push({ pair, reasons });
    else kept.push({ pair, order: base.slot === 0 ? 'BC' : 'CB', base, candidate });
  }
  return { kept, dropped, unfinished: session.plan.order.length - kept.length - dropped.length };
}

export const sessionLimits = {
  droppedShareMax: 0.25,
  unsteadyShareMax: 0.25,
  controlChangeMax: 0.05,
} as const;

/** Why a session as a whole is invalid; empty if it isn't. */
export function sessionFaults({ kept, dropped }: PairedTrials): string[] {
  const finished = kept.length + dropped.length;
  if (finished === 0) return ['no pair of trials was finished'];
  const { droppedShareMax } = sessionLimits;
  const tooMany = dropped.length > finished * droppedShareMax;
  return [
    ...(tooMany
      ? [
          `${dropped.length} of ${finished} pairs had to be thrown out, at most ${droppedShareMax * 100} % may be`,
        ]
      : []),
    ...steadyFaults(kept),
    ...controlFaults(kept),
  ];
}

function steadyFaults(kept: readonly Pair[]): string[] {
  const checked = kept
    .flatMap(({ base, candidate }) => [base, candidate])
    .filter(({ steady }) => steady !== null);
  const unsteady = checked.filter(({ steady }) => steady?.ok === false).length;
  if (unsteady <= checked.length * sessionLimits.unsteadyShareMax) return [];
  return [`not steady: ${unsteady} of ${checked.length} trials had not settled; lengthen the warm-up`];
}

/** The same work for both arms came out apart: then so would anything else. A veto; nothing is divided by it. */
function controlFaults(kept: readonly Pair[]): string[] {
  const names = new Set(kept.flatMap(({ base }) => Object.keys(base.control)));
  return [...names].flatMap((name) => {
    const ratios = kept.flatMap(({ base, candidate }) => {
      const ratio = logRatio(base.control[name] ?? 0, candidate.control[name] ?? 0, true);
      return ratio === undefined ? [] : [ratio];
    });
    const apart = ratios.length === 0 ? 0 : hodgesLehmann(ratios, 0.05).estimate;
    if (Math.abs(apart) <= Math.log1p(sessionLimits.controlChangeMax)) return [];
    return [
      `contaminated: the control ${name}, which no build changes, came out ${(Math.expm1(apart) * 100).toFixed(1)} % apart`,
    ];
  });
}

/** Whether the arm that came second was treated otherwise: a cache left warm, a processor grown hot. */
export function orderEffect(
  differences: readonly { readonly order: 'BC' | 'CB'; readonly d: number }[],
  margin: number,
): number | undefined {
  const of = (order: 'BC' | 'CB'): number[] =>
    differences.flatMap((one) => (one.order === order ? [one.d] : []));
  const [first, second] = [of('BC'), of('CB')];
  if (first.length === 0 || second.length === 0) return undefined;
  const gap = median(first) - median(second);
  return Math.abs(gap) > 2 * margin ? gap : undefined;
}
