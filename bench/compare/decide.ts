/**
 * The rule for one metric, from the log ratios of its pairs (above 0 is worse):
 *
 *   the exact 99 % interval lies wholly beyond the margin on the worse side    flagged as regressed
 *   … on the better side                                                       flagged as improved
 *   the 90 % interval lies wholly within the margin on both sides              same
 *   anything else                                                              inconclusive
 *
 * "Same" is a claim with an error of 5 % like any other (two one-sided tests: Schuirmann, J. Pharmacokinetics
 * and Biopharmaceutics 15, 1987), not what is left when nothing was found. What is flagged still has to come out
 * again in a fresh session.
 */
import { hodgesLehmann, type Located } from '../stats/index.ts';

/** One-sided; the interval that "same" needs. */
export const sameAlpha = 0.05;

export interface DecideOptions {
  /** As a fraction. */
  readonly margin: number;
  /** One-sided. */
  readonly alpha: number;
  /** Median over the pairs of candidate less base, in the metric's unit. */
  readonly absoluteDifference: number;
  /** A difference must exceed it to be flagged. */
  readonly absoluteFloor: number;
}

export interface Decision {
  readonly outcome: 'regressed' | 'improved' | 'same' | 'inconclusive';
  /** At `alpha`. */
  readonly wide: Located;
  /** At 5 %. */
  readonly narrow: Located;
  /** Beyond the margin by ratio, and still too little to count. */
  readonly belowFloor: boolean;
}

export function decide(differences: readonly number[], options: DecideOptions): Decision {
  const { margin, alpha, absoluteDifference, absoluteFloor } = options;
  const limit = Math.log1p(margin);
  const wide = hodgesLehmann(differences, alpha);
  const narrow = hodgesLehmann(differences, sameAlpha);
  const counts = Math.abs(absoluteDifference) > absoluteFloor;
  const beyond = wide.lower > limit ? 'regressed' : wide.upper < -limit ? 'improved' : undefined;
  if (beyond !== undefined && counts) return { outcome: beyond, wide, narrow, belowFloor: false };
  const outcome = narrow.lower > -limit && narrow.upper < limit ? 'same' : 'inconclusive';
  return { outcome, wide, narrow, belowFloor: beyond !== undefined };
}

/**
 * The rule for a count of work that is the same whenever the same build does the same acts: each pair is
 * compared on its own, one pair is enough, and there is nothing to confirm.
 *
 * @param tolerance as a fraction; 0 as a rule
 */
export function decideExactly(
  pairs: readonly { readonly base: number; readonly candidate: number }[],
  tolerance: number,
  higherIsWorse: boolean,
): Decision['outcome'] {
  const changes = pairs.map(({ base, candidate }) => {
    const change = candidate - base;
    return Math.abs(change) <= tolerance * base ? 0 : Math.sign(higherIsWorse ? change : -change);
  });
  if (changes.every((change) => change === 0)) return 'same';
  if (changes.every((change) => change > 0)) return 'regressed';
  if (changes.every((change) => change < 0)) return 'improved';
  // The work of one build varies by itself, or with the seed: such a counter isn't exact.
  return 'inconclusive';
}

export interface ConfirmOptions {
  readonly direction: 'regressed' | 'improved';
  readonly margin: number;
  /** Metrics that were flagged together: each has to pass at 5 % divided by their number (Bonferroni). */
  readonly flagged: number;
}

export interface Confirmation {
  readonly estimate: number;
  /** On the side that matters: must be above 0 in the direction of the flag. */
  readonly bound: number;
  readonly alpha: number;
  readonly confirmed: boolean;
}

/** What a fresh session says of a flagged metric. The bound and estimate are log ratios, above 0 is worse. */
export function confirm(differences: readonly number[], options: ConfirmOptions): Confirmation {
  const { direction, margin, flagged } = options;
  const alpha = confirmAlpha(flagged);
  const { estimate, lower, upper } = hodgesLehmann(differences, alpha);
  const limit = Math.log1p(margin);
  const confirmed =
    direction === 'regressed' ? lower > 0 && estimate > limit : upper < 0 && estimate < -limit;
  return { estimate, bound: direction === 'regressed' ? lower : upper, alpha, confirmed };
}

function confirmAlpha(flagged: number): number {
  return sameAlpha / Math.max(1, flagged);
}

/** Pairs that a session needs to be able to confirm that many metrics: 8 for up to 12. */
export function confirmationPairs(flagged: number): number {
  return Math.max(8, Math.ceil(Math.log2(1 / confirmAlpha(flagged))));
}
