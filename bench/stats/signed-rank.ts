/**
 * The exact distribution of Wilcoxon's signed-rank sum when there is no difference: every one of the 2^R ways
 * to give R ranks a sign is equally likely (Wilcoxon, Biometrics 1, 1945; Hollander, Wolfe and Chicken,
 * "Nonparametric Statistical Methods", 3.1).
 *
 *   R = 3: sums 0 1 2 3 4 5 6 come in 1 1 1 2 1 1 1 of 8 ways; P(T <= 1) = 2/8
 */
import assert from 'node:assert';

/** 2^1023 is the last power of two that is a number. */
export const pairsMax = 1000;

/** `counts[w]`: of the 2^R sign vectors, those whose positive ranks sum to w. Exact up to 53 pairs. */
export function signedRankCounts(pairs: number): number[] {
  assert(Number.isInteger(pairs) && pairs >= 0 && pairs <= pairsMax, 'pairs');
  const sumMax = (pairs * (pairs + 1)) / 2;
  const counts = new Array<number>(sumMax + 1).fill(0);
  counts[0] = 1;
  // Each rank is in the sum or not; from above, so that a rank is taken once.
  for (let rank = 1; rank <= pairs; rank += 1)
    for (let sum = sumMax; sum >= rank; sum -= 1)
      counts[sum] = (counts[sum] as number) + (counts[sum - rank] as number);
  return counts;
}

/**
 * The largest k with P(T <= k) <= alpha, one-sided; -1 if even k = 0 is too likely. With 6 pairs the rarest
 * sum has 1/64, so that no claim at 0.5 % is possible.
 */
export function signedRankIndex(pairs: number, alpha: number): number {
  const counts = signedRankCounts(pairs);
  const ways = 2 ** pairs;
  let below = 0;
  let index = -1;
  for (const [sum, count] of counts.entries()) {
    below += count;
    if (below / ways > alpha) break;
    index = sum;
  }
  return index;
}
