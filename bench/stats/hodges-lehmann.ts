/**
 * The typical difference of pairs and how sure it is, without assuming a distribution: only that differences
 * lie evenly about their centre, which the balanced random order of the two arms provides when there is none.
 *
 * Estimate: median of all Walsh averages (d_i + d_j)/2, i <= j (Hodges and Lehmann, Ann. Math. Statist. 34,
 * 1963). Interval: the Walsh averages in order, k from either end (Tukey's inversion of the signed-rank test;
 * Hollander, Wolfe and Chicken, 3.3).
 */
import { median, sorted } from './order.ts';
import { signedRankIndex } from './signed-rank.ts';

export interface Located {
  readonly estimate: number;
  /** One-sided bounds at `alpha` each; together an interval at 1 - 2 alpha. Infinite with too few pairs. */
  readonly lower: number;
  readonly upper: number;
}

/** @param differences at least one @param alpha one-sided, such as 0.005 */
export function hodgesLehmann(differences: readonly number[], alpha: number): Located {
  const averages = walshAverages(differences);
  const index = signedRankIndex(differences.length, alpha);
  return {
    estimate: median(averages),
    lower: averages[index] ?? Number.NEGATIVE_INFINITY,
    upper: averages[averages.length - 1 - index] ?? Number.POSITIVE_INFINITY,
  };
}

/** All n(n + 1)/2 of them, in rising order. */
export function walshAverages(values: readonly number[]): number[] {
  const averages: number[] = [];
  for (const [i, a] of values.entries()) for (const b of values.slice(i)) averages.push((a + b) / 2);
  return sorted(averages);
}

/**
 * How much worse the candidate is, as a natural logarithm: 0 is equal, ln 1.1 is 10 % worse, whichever way
 * worse lies. Undefined if either value isn't above 0: there is no ratio then.
 */
export function logRatio(base: number, candidate: number, higherIsWorse: boolean): number | undefined {
  if (!(base > 0 && candidate > 0)) return undefined;
  const ratio = Math.log(candidate / base);
  // The other way round is written as a difference, because -0 would be printed as such.
  return higherIsWorse ? ratio : 0 - ratio;
}
