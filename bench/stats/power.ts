/**
 * What a comparison of R pairs can see at all, and how many pairs it takes to see a given change: printed with
 * every "inconclusive", which otherwise says nothing.
 *
 * The normal approximation of the signed-rank test: its estimate spreads by sigma / sqrt R times 1/sqrt(3/pi),
 * 1.023, the price of not assuming normal data (asymptotic relative efficiency 3/pi = 0.955; Hodges and Lehmann
 * 1956). A change is found if the estimate lies z_alpha above the margin, in `power` of all sessions.
 */

import { normalQuantile } from './normal.ts';
import { robustDeviation } from './order.ts';

const efficiencyCost = Math.sqrt(Math.PI / 3);

/** Fewer pairs can't reject at 0.5 % at all. */
export const pairsMin = 8;

export interface PowerOptions {
  /** One-sided, 0.005 as a rule. */
  readonly alpha?: number;
  /** 0.8 as a rule. */
  readonly power?: number;
}

/** How the differences of pairs spread, from their median absolute deviation. */
export function pairDeviation(differences: readonly number[]): number {
  return robustDeviation(differences);
}

/**
 * The smallest change that R pairs find in 80 % of sessions, as a fraction: 0.093 is 9.3 %.
 *
 * @param deviation of the log ratios @param margin as a fraction, such as 0.05
 */
export function detectableChange(
  deviation: number,
  pairs: number,
  margin: number,
  options: PowerOptions = {},
): number {
  return Math.expm1(Math.log1p(margin) + (reach(options) * deviation) / Math.sqrt(pairs));
}

/** Pairs needed to find a change of `effect`; infinite if it doesn't exceed the margin. At least 8. */
export function pairsNeeded(
  deviation: number,
  effect: number,
  margin: number,
  options: PowerOptions = {},
): number {
  const beyond = Math.log1p(effect) - Math.log1p(margin);
  if (beyond <= 0) return Number.POSITIVE_INFINITY;
  return Math.max(pairsMin, Math.ceil(((reach(options) * deviation) / beyond) ** 2));
}

function reach({ alpha = 0.005, power = 0.8 }: PowerOptions): number {
  return (normalQuantile(1 - alpha) + normalQuantile(power)) * efficiencyCost;
}
