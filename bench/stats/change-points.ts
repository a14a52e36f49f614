/**
 * Where a series of nightly figures changed its level: E-divisive (Matteson and James, J. Amer. Statist. Assoc.
 * 109, 2014) with a t-test in place of permutations, in two passes, as Hunter and Apache Otava do (Fleming et
 * al., ICPE 2023, arXiv 2301.03034). First every split that is at all likely is made, within windows, so that a
 * far past doesn't weigh; then the weakest are taken back one by one until all that are left hold.
 *
 * Needs several points after a change, so it is for the history and never for a gate. Variances are of samples
 * (n - 1 below the line).
 */

import { studentTwoSided } from './normal.ts';
import { mean, variance } from './order.ts';

export interface ChangePointOptions {
  readonly window?: number;
  readonly pMax?: number;
  /** The least change worth a word, as a fraction. */
  readonly magnitudeMin?: number;
}

export interface ChangePoint {
  /** Index of the first value of the new level. */
  readonly at: number;
  readonly before: number;
  readonly after: number;
  /** after / before - 1. */
  readonly change: number;
  readonly p: number;
}

/** A level must be seen at least this often to have a spread. */
const segmentMin = 2;
/** The first pass asks ten times less, because a split may become clear only when its neighbours are made. */
const weakFactor = 10;

export function changePoints(values: readonly number[], options: ChangePointOptions = {}): ChangePoint[] {
  const { window = 50, pMax = 0.001, magnitudeMin = 0.05 } = options;
  let splits = candidateSplits(values, window, pMax * weakFactor);
  for (;;) {
    const points = splits.map((at, index) =>
      pointAt(values, at, splits[index - 1] ?? 0, splits[index + 1] ?? values.length),
    );
    const weakest = weakestOf(points, pMax, magnitudeMin);
    if (weakest === undefined) return points;
    splits = splits.filter((at) => at !== weakest.at);
  }
}

function weakestOf(
  points: readonly ChangePoint[],
  pMax: number,
  magnitudeMin: number,
): ChangePoint | undefined {
  const size = ({ change }: ChangePoint): number => Math.abs(Math.log1p(change));
  const unlikely = points.filter(({ p }) => p > pMax).sort((a, b) => b.p - a.p);
  const small = points.filter((point) => size(point) < Math.log1p(magnitudeMin));
  return unlikely[0] ?? small.sort((a, b) => size(a) - size(b))[0];
}

/** Windows overlap by half, so that a change at the edge of one lies inside the next. */
function candidateSplits(values: readonly number[], window: number, pMax: number): number[] {
  const found = new Set<number>();
  const stride = Math.max(1, window >> 1);
  for (let start = 0; start === 0 || start + stride < values.length; start += stride)
    splitInto(found, values, start, Math.min(values.length, start + window), pMax);
  return [...found].sort((a, b) => a - b);
}

function splitInto(
  found: Set<number>,
  values: readonly number[],
  from: number,
  to: number,
  pMax: number,
): void {
  const at = bestSplit(values, from, to);
  if (at === undefined || pointAt(values, at, from, to).p > pMax) return;
  found.add(at);
  splitInto(found, values, from, at, pMax);
  splitInto(found, values, at, to, pMax);
}

/** The split with the greatest energy distance between its sides; undefined if the segment is too short. */
export function bestSplit(values: readonly number[], from: number, to: number): number | undefined {
  let best: { at: number; q: number } | undefined;
  for (let at = from + segmentMin; at <= to - segmentMin; at += 1) {
    const q = energyDistance(values.slice(from, at), values.slice(at, to));
    if (best === undefined || q > best.q) best = { at, q };
  }
  return best?.at;
}

/**
 * Q of Matteson and James with exponent 1: mn/(m + n) times twice the mean distance between the sides less the
 * mean distances within them.
 */
export function energyDistance(left: readonly number[], right: readonly number[]): number {
  const [n, m] = [left.length, right.length];
  let between = 0;
  for (const x of left) for (const y of right) between += Math.abs(x - y);
  return (
    (2 / (m + n)) * between -
    ((2 * m) / ((m + n) * (n - 1))) * sumOfDistances(left) -
    ((2 * n) / ((m + n) * (m - 1))) * sumOfDistances(right)
  );
}

/** Over all unordered pairs. */
function sumOfDistances(values: readonly number[]): number {
  let sum = 0;
  for (const [i, a] of values.entries()) for (const b of values.slice(i + 1)) sum += Math.abs(a - b);
  return sum;
}

function pointAt(values: readonly number[], at: number, from: number, to: number): ChangePoint {
  const [left, right] = [values.slice(from, at), values.slice(at, to)];
  const [before, after] = [mean(left), mean(right)];
  return { at, before, after, change: after / before - 1, p: equalMeansP(left, right) };
}

/** Student's t-test for two samples of one variance. */
export function equalMeansP(left: readonly number[], right: readonly number[]): number {
  const freedom = left.length + right.length - 2;
  const gap = mean(right) - mean(left);
  if (freedom < 1) return 1;
  const pooled = ((left.length - 1) * variance(left) + (right.length - 1) * variance(right)) / freedom;
  if (pooled === 0) return gap === 0 ? 1 : 0;
  return studentTwoSided(gap / Math.sqrt(pooled * (1 / left.length + 1 / right.length)), freedom);
}
