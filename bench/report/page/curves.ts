/** Histograms and interval logs as figures of charts. */
import type { BucketCounts, Interval } from '../../record/index.ts';
import { mergeHistograms, quantileUs } from '../../stats/index.ts';
import { type Chart, rounded } from './model.ts';

export interface NamedHistogram {
  readonly label: string;
  readonly histogram: BucketCounts;
  readonly faint?: boolean;
}

/** 24 steps a decade of 1/(1-p). */
const stepsPerDecade = 24;

/** Latency by percentile, on the logarithmic scale on which a tail has room. Each curve ends where its values end. */
export function percentileChart(id: string, title: string, curves: readonly NamedHistogram[]): Chart {
  const most = Math.max(10, ...curves.map(({ histogram }) => histogram.total));
  const steps = Math.ceil(Math.log10(most) * stepsPerDecade);
  const xs = Array.from({ length: steps + 1 }, (_, step) => 10 ** (step / stepsPerDecade));
  return {
    ...{ kind: 'chart', id, title },
    x: { label: 'percentile', kind: 'percentile' },
    y: { label: 'latency', unit: 'ms', log: true },
    xs: xs.map((x) => Number(x.toPrecision(6))),
    series: curves.map(({ label, histogram, faint = false }) => ({
      label,
      faint,
      values: xs.map((x) => (x > histogram.total * 1.2 ? null : milliseconds(histogram, 1 - 1 / x))),
    })),
  };
}

export function milliseconds(histogram: BucketCounts | undefined, quantile: number): number | null {
  const us = histogram === undefined ? undefined : quantileUs(histogram, quantile);
  return us === undefined ? null : rounded(us / 1000);
}

/** Intervals of one tag, by their place in time, gathered so that no more than `binsMax` are left. */
export interface Timeline {
  /** Seconds of the run at which each bin begins. */
  readonly startS: readonly number[];
  readonly lengthS: readonly number[];
  /** Undefined where nothing of the tag was recorded. */
  bins(tag: string): readonly (BucketCounts | undefined)[];
  readonly tags: readonly string[];
}

/** An hour by the second would be 3,600 points on a screen of 1,000; counts of a bin are added, its maximum kept. */
const binsMax = 900;

export function timelineOf(intervals: readonly Interval[], most: number = binsMax): Timeline {
  const starts = [...new Set(intervals.map(({ startMs }) => startMs))].sort((a, b) => a - b);
  const perBin = Math.max(1, Math.ceil(starts.length / most));
  const binOf = new Map(starts.map((start, at) => [start, Math.floor(at / perBin)]));
  const count = Math.ceil(starts.length / perBin);
  const lengths = new Array<number>(count).fill(0);
  const gathered = new Map<string, BucketCounts[][]>();
  for (const { tag, startMs, lengthMs, histogram } of intervals) {
    const bin = binOf.get(startMs) as number;
    if (tag === '') lengths[bin] = (lengths[bin] as number) + lengthMs / 1000;
    const bins = gathered.get(tag) ?? Array.from({ length: count }, (): BucketCounts[] => []);
    if (histogram.total > 0) bins[bin]?.push(histogram);
    gathered.set(tag, bins);
  }
  const merged = new Map(
    [...gathered].map(([tag, bins]) => [
      tag,
      bins.map((of) => (of.length === 0 ? undefined : mergeHistograms(of))),
    ]),
  );
  return {
    startS: Array.from({ length: count }, (_, bin) => Math.round(starts[bin * perBin] as number) / 1000),
    lengthS: lengths,
    bins: (tag) => merged.get(tag) ?? new Array<undefined>(count).fill(undefined),
    tags: [...merged.keys()],
  };
}

/** All bins of a tag together; undefined if there is nothing. */
export function wholeOf(timeline: Timeline, tag: string): BucketCounts | undefined {
  const bins = timeline.bins(tag).filter((bin) => bin !== undefined);
  return bins.length === 0 ? undefined : mergeHistograms(bins);
}
