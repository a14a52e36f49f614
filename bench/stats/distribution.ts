/**
 * Latencies as HdrHistogram buckets: merged, read at quantiles, compared as whole shapes. Two merged
 * histograms always differ "significantly", because the requests of a trial aren't independent; so distances are
 * judged by exchanging arms within pairs, and are a hint, never a gate.
 */
import assert from 'node:assert';
import type { BucketCounts } from '../record/histogram-codec.ts';
import { forEachFlip } from './sign-flips.ts';

/** Counts by bucket, all added up: exactly the histogram of all values together. Percentiles are never averaged. */
export function mergeHistograms(histograms: readonly BucketCounts[]): BucketCounts {
  const buckets = new Map<number, { high: number; count: number }>();
  for (const { lowUs, highUs, counts } of histograms)
    for (const [at, low] of lowUs.entries()) {
      const high = highUs[at] as number;
      const known = buckets.get(low);
      assert(known === undefined || known.high === high, 'histograms of different precision');
      buckets.set(low, { high, count: (known?.count ?? 0) + (counts[at] as number) });
    }
  const inOrder = [...buckets].sort(([a], [b]) => a - b);
  return {
    lowUs: inOrder.map(([low]) => low),
    highUs: inOrder.map(([, { high }]) => high),
    counts: inOrder.map(([, { count }]) => count),
    total: histograms.reduce((sum, { total }) => sum + total, 0),
  };
}

/**
 * The highest latency of the bucket that holds the quantile, as HdrHistogram answers; undefined without values.
 * @param q from 0 to 1
 */
export function quantileUs(histogram: BucketCounts, q: number): number | undefined {
  const rank = Math.max(1, Math.ceil(q * histogram.total - 1e-9));
  let below = 0;
  for (const [at, count] of histogram.counts.entries()) {
    below += count;
    if (below >= rank) return histogram.highUs[at];
  }
  return undefined;
}

/** The greatest gap between the two shares of values below a latency (Kolmogorov 1933, Smirnov 1948); 0 to 1. */
export function ksDistance(a: BucketCounts, b: BucketCounts): number {
  let greatest = 0;
  walkTogether(a, b, (shareA, shareB) => {
    greatest = Math.max(greatest, Math.abs(shareA - shareB));
  });
  return greatest;
}

/**
 * Mean over all quantiles of |ln (b's latency / a's)|: Wasserstein's distance of logarithms. 0.1 is a tenth
 * apart, everywhere or ten times as much in a tenth of all requests.
 */
export function logWasserstein(a: BucketCounts, b: BucketCounts): number {
  let sum = 0;
  let before: { latency: number; gap: number } | undefined;
  // The area between the two curves is the same, whether cut into columns or into rows.
  walkTogether(a, b, (shareA, shareB, lowUs) => {
    const latency = Math.log(Math.max(1, lowUs));
    if (before !== undefined) sum += before.gap * (latency - before.latency);
    before = { latency, gap: Math.abs(shareA - shareB) };
  });
  return sum;
}

function walkTogether(
  a: BucketCounts,
  b: BucketCounts,
  visit: (shareA: number, shareB: number, lowUs: number) => void,
): void {
  let [atA, atB, belowA, belowB] = [0, 0, 0, 0];
  while (atA < a.lowUs.length || atB < b.lowUs.length) {
    const low = Math.min(a.lowUs[atA] ?? Number.POSITIVE_INFINITY, b.lowUs[atB] ?? Number.POSITIVE_INFINITY);
    if (a.lowUs[atA] === low) belowA += a.counts[atA++] as number;
    if (b.lowUs[atB] === low) belowB += b.counts[atB++] as number;
    visit(belowA / a.total, belowB / b.total, low);
  }
}

export interface ShapeTest {
  readonly distance: number;
  /** Share of all exchanges of arms within pairs that lie at least as far apart. */
  readonly p: number;
}

/** Whether the shape changed, whatever the median says. */
export function shapeTest(
  pairs: readonly { readonly base: BucketCounts; readonly candidate: BucketCounts }[],
  distance: (a: BucketCounts, b: BucketCounts) => number,
  seed = 0,
): ShapeTest {
  let [observed, atLeast, all] = [0, 0, 0];
  forEachFlip(pairs.length, seed, (signs) => {
    const side = (sign: number): BucketCounts =>
      mergeHistograms(pairs.map(({ base, candidate }, at) => (signs[at] === sign ? base : candidate)));
    const found = distance(side(1), side(-1));
    if (all === 0) observed = found;
    all += 1;
    if (found >= observed - 1e-12) atLeast += 1;
  });
  return { distance: observed, p: atLeast / all };
}
