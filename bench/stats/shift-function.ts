/**
 * The shift function: how far the two arms lie apart at each quantile, with a band that holds for all quantiles
 * at once. It tells a slower median from a longer tail, and is the picture that explains a regression (Doksum,
 * Ann. Statist. 2, 1974; the band by the greatest |t| over sign flips: Westfall and Young, "Resampling-based
 * multiple testing", 1993).
 */
import assert from 'node:assert';
import { mean, quantile, variance } from './order.ts';
import { forEachFlip } from './sign-flips.ts';

/** 0.01, 0.05, 0.10 … 0.95, 0.99. */
export const shiftQuantiles: readonly number[] = [
  0.01,
  ...Array.from({ length: 19 }, (_, index) => (index + 1) / 20),
  0.99,
];

export interface ShiftBand {
  /** The |t| that the greatest of all quantiles exceeds by chance in 5 % of sessions. */
  readonly critical: number;
  /** One entry a quantile: mean log ratio over the pairs, and the band. */
  readonly points: readonly { readonly mean: number; readonly lower: number; readonly upper: number }[];
}

/**
 * @param rows one a pair, at least two: log ratios at each quantile, all of one length
 * @param seed used above 14 pairs only, where flips are sampled
 */
export function shiftBand(rows: readonly (readonly number[])[], seed = 0, confidence = 0.95): ShiftBand {
  assert(rows.length >= 2, 'pairs');
  const columns = (rows[0] as readonly number[]).map((_value, at) => rows.map((row) => row[at] as number));
  const means = columns.map(mean);
  // A quantile at which all pairs agree to the digit has no spread; a hair of one avoids 0/0.
  const errors = columns.map((column) => Math.sqrt(variance(column) / rows.length) || 1e-12);
  const centred = columns.map((column, at) => column.map((value) => value - (means[at] as number)));
  const squares = centred.map((column) => column.reduce((sum, value) => sum + value * value, 0));
  const greatest: number[] = [];
  forEachFlip(rows.length, seed, (signs) => {
    let most = 0;
    for (const [at, column] of centred.entries())
      most = Math.max(most, Math.abs(studentized(dot(signs, column), squares[at] as number, rows.length)));
    greatest.push(most);
  });
  const critical = upperQuantile(greatest, confidence);
  const points = means.map((centre, at) => {
    const reach = critical * (errors[at] as number);
    return { mean: centre, lower: centre - reach, upper: centre + reach };
  });
  return { critical, points };
}

/**
 * The t of a flipped column from its sum and its sum of squares, which no flip changes. The spread is that of the
 * flipped values: with the spread of the measured ones, as a shortcut has it, the band of 8 to 12 pairs misses
 * zero in 15 to 45 % of sessions without a difference instead of 5 % (docs/decisions/0020).
 */
function studentized(sum: number, squares: number, pairs: number): number {
  // Below that, what differs is the rounding of the mean.
  if (squares < pairs * 1e-24) return 0;
  const spread = Math.max(0, squares - (sum * sum) / pairs) / (pairs - 1);
  return sum / Math.sqrt(pairs * spread);
}

function dot(signs: readonly number[], values: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) sum += (signs[at] as number) * (values[at] as number);
  return sum;
}

/** The smallest value that at least `share` of all don't exceed: no interpolation, a permutation test counts. */
function upperQuantile(values: readonly number[], share: number): number {
  const rank = Math.max(0, Math.ceil(share * values.length) - 1);
  return quantile(values, values.length === 1 ? 0 : rank / (values.length - 1));
}
