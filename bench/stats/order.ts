/** Statistics that rest on order alone, so that one wild trial moves them little. */
import assert from 'node:assert';

/** A sorted copy. */
export function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** Middle value, or the mean of the middle two. Needs at least one value. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear between order statistics: R's type 7 (Hyndman and Fan, The American Statistician 50, 1996). */
export function quantile(values: readonly number[], q: number): number {
  assert(values.length > 0 && q >= 0 && q <= 1, 'quantile');
  const inOrder = sorted(values);
  const at = (inOrder.length - 1) * q;
  const below = inOrder[Math.floor(at)] as number;
  const above = inOrder[Math.ceil(at)] as number;
  // Equal neighbours first: infinite bounds would otherwise give NaN.
  return below === above ? below : below + (above - below) * (at - Math.floor(at));
}

export function mean(values: readonly number[]): number {
  assert(values.length > 0, 'mean');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** With n - 1 below the line; 0 for a single value. */
export function variance(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}

/** Median of the distances from the median. */
export function medianAbsoluteDeviation(values: readonly number[]): number {
  const centre = median(values);
  return median(values.map((value) => Math.abs(value - centre)));
}

/**
 * A standard deviation that up to half the values can't spoil: 1.4826 MAD, which is the standard deviation
 * of normal data (Rousseeuw and Croux, J. Amer. Statist. Assoc. 88, 1993).
 */
export function robustDeviation(values: readonly number[]): number {
  return 1.4826 * medianAbsoluteDeviation(values);
}

/** Median of the slopes through all pairs of points with different x (Theil 1950, Sen 1968); 0 without such a pair. */
export function theilSenSlope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes: number[] = [];
  for (const [i, [x1, y1]] of points.entries())
    for (const [x2, y2] of points.slice(i + 1)) if (x1 !== x2) slopes.push((y2 - y1) / (x2 - x1));
  return slopes.length === 0 ? 0 : median(slopes);
}
