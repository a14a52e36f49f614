/** A histogram as a line over percentiles, denser toward the end, and as HdrHistogram's `.hgrm`. */
import type { BucketCounts } from '../record/index.ts';

export interface PercentilePoint {
  readonly quantile: number;
  /** Values up to here. */
  readonly count: number;
  readonly valueUs: number;
}

/** Steps to half of what is left above the last percentile: HdrHistogram's default. */
const ticksPerHalfDistance = 5;

/**
 * The points of HdrHistogram's percentile iterator (`PercentileIterator`): every time half of the rest has been passed,
 * the steps become half as long. At most 5 points a halving, so about 100 for a million values. Empty for no values.
 */
export function percentilePoints(
  { highUs, counts, total }: BucketCounts,
  ticks: number = ticksPerHalfDistance,
): PercentilePoint[] {
  const points: PercentilePoint[] = [];
  let [below, next] = [0, 0];
  for (const [at, count] of counts.entries()) {
    below += count;
    const valueUs = highUs[at] as number;
    while (next - 1e-12 <= below / total) {
      points.push({ quantile: next, count: below, valueUs });
      // In the last bucket every further point would be the maximum again.
      if (below === total) break;
      next = nextQuantile(next, ticks);
    }
  }
  const last = points.at(-1);
  return last === undefined || last.quantile === 1 ? points : [...points, { ...last, quantile: 1 }];
}

function nextQuantile(quantile: number, ticks: number): number {
  const halvings = Math.floor(Math.log2(1 / (1 - quantile)) + 1e-9) + 1;
  return quantile + 1 / (ticks * 2 ** halvings);
}

/** `.hgrm`: values in milliseconds, as the HdrHistogram plotter reads it. */
export function hgrm(histogram: BucketCounts): string {
  const { lowUs, highUs, counts, total } = histogram;
  const middles = counts.map((_count, at) => ((lowUs[at] as number) + (highUs[at] as number)) / 2);
  const mean = middles.reduce((sum, middle, at) => sum + middle * (counts[at] as number), 0) / (total || 1);
  const squares = middles.reduce((sum, middle, at) => sum + (middle - mean) ** 2 * (counts[at] as number), 0);
  const fixed = (value: number, width = 12): string => value.toFixed(3).padStart(width);
  const rows = percentilePoints(histogram).map(({ quantile, count, valueUs }) => {
    const cells = [fixed(valueUs / 1000), quantile.toFixed(12).padStart(14), String(count).padStart(10)];
    return quantile >= 1
      ? cells.join(' ')
      : [...cells, (1 / (1 - quantile)).toFixed(2).padStart(14)].join(' ');
  });
  return [
    `${'Value'.padStart(12)} ${'Percentile'.padStart(14)} ${'TotalCount'.padStart(10)} ${'1/(1-Percentile)'.padStart(14)}`,
    '',
    ...rows,
    `#[Mean    = ${fixed(mean / 1000)}, StdDeviation   = ${fixed(Math.sqrt(squares / (total || 1)) / 1000)}]`,
    `#[Max     = ${fixed((highUs.at(-1) ?? 0) / 1000)}, Total count    = ${String(total).padStart(12)}]`,
    `#[Buckets = ${String(counts.length).padStart(12)}, SubBuckets     = ${'2048'.padStart(12)}]`,
    '',
  ].join('\n');
}
