/** What outputs are made of: a comparison and, where it is at hand, the session that it was made from. */
import type { Comparison } from '../compare/index.ts';
import { type BucketCounts, decodeHistogram, type StoredSession, type Trial } from '../record/index.ts';
import { mergeHistograms } from '../stats/index.ts';

export interface Reported {
  readonly comparison: Comparison;
  /** Null where only `compare.json` was kept: outputs then go without load, machine and histograms. */
  readonly stored: StoredSession | null;
}

export type ArmName = 'B' | 'C';

export const armWords: Readonly<Record<ArmName, 'base' | 'candidate'>> = { B: 'base', C: 'candidate' };

/** Trials of one arm whose pair was used. */
export function usedTrials({ comparison, stored }: Reported, arm: ArmName): Trial[] {
  const dropped = new Set(comparison.pairs.dropped.map(({ pair }) => pair));
  return (stored?.trials ?? []).filter((trial) => trial.arm === arm && !dropped.has(trial.pair));
}

export interface OperationLatency {
  readonly op: string;
  readonly kind: 'response' | 'service';
  readonly arm: ArmName;
  /** Of all used trials of the arm together. */
  readonly histogram: BucketCounts;
}

/** Every operation's latencies by arm, where the trials kept their histograms. Throws CB_RECORD. */
export function operationLatencies(reported: Reported): OperationLatency[] {
  return (['B', 'C'] as const).flatMap((arm) => {
    const trials = usedTrials(reported, arm);
    const ops = [...new Set(trials.flatMap((trial) => Object.keys(trial.ops)))];
    return ops.flatMap((op) =>
      (['response', 'service'] as const).flatMap((kind) => {
        const histograms = trials.flatMap((trial) => {
          const encoded = trial.ops[op]?.[kind].hdr;
          return encoded === undefined || encoded === null
            ? []
            : [decodeHistogram(encoded, `trial ${trial.trialId}: ${op} ${kind}`)];
        });
        return histograms.length === 0 ? [] : [{ op, kind, arm, histogram: mergeHistograms(histograms) }];
      }),
    );
  });
}
