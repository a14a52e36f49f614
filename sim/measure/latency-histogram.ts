/**
 * A histogram of latencies with exact extremes and mean. The only file that uses hdr-histogram-js.
 *
 * Counts are kept in an array of our own and become an HdrHistogram when somebody asks: a run of 20,000
 * events a second adds some 100,000 bucket counts a second, at 2 ns each here and at 110 ns each there.
 */
import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { SeriesInterval } from './interval-snapshot.ts';
import { bucketCount, indexOf, latencyUsMax, lowestOf } from './latency-index.ts';

/** Milliseconds. Percentiles are true to 3 significant digits, never above the maximum; the rest is exact. */
export interface LatencySummary {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
  readonly count: number;
}

/** One for all: filled and read within one call. */
const scratch = build({
  bitBucketSize: 64,
  lowestDiscernibleValue: 1,
  highestTrackableValue: latencyUsMax,
  numberOfSignificantValueDigits: 3,
  autoResize: false,
});

export class LatencyHistogram {
  readonly #counts = new Float64Array(bucketCount);
  #count = 0;
  #sumUs = 0;
  #maxUs = 0;
  #minUs = Number.POSITIVE_INFINITY;
  #clamped = 0;

  get count(): number {
    return this.#count;
  }

  /** Exact, in microseconds; 0 if nothing was recorded. */
  get maxUs(): number {
    return this.#maxUs;
  }

  /** Exact, in microseconds; 0 if nothing was recorded. */
  get minUs(): number {
    return this.#count === 0 ? 0 : this.#minUs;
  }

  /** How many values were over 60 s. */
  get clamped(): number {
    return this.#clamped;
  }

  add(series: SeriesInterval): void {
    const { indices, counts } = series;
    for (let at = 0; at < indices.length; at += 1) this.#counts[indices[at]!]! += counts[at]!;
    this.#count += series.count;
    this.#sumUs += series.sumUs;
    this.#maxUs = Math.max(this.#maxUs, series.maxUs);
    this.#minUs = Math.min(this.#minUs, series.minUs);
    this.#clamped += series.clamped;
  }

  /** The highest latency, in microseconds, that `percentile` % of the values do not exceed; 0 if there are none. */
  percentileUs(percentile: number): number {
    return this.#percentileUs(this.#fillScratch(), percentile);
  }

  /** Undefined if nothing was recorded: no data must never read as a latency of 0. */
  summary(): LatencySummary | undefined {
    const count = this.#count;
    if (count === 0) return undefined;
    const filled = this.#fillScratch();
    const ms = (percentile: number): number => this.#percentileUs(filled, percentile) / 1000;
    const mean = this.#sumUs / count / 1000;
    return { p50: ms(50), p90: ms(90), p99: ms(99), p999: ms(99.9), max: this.#maxUs / 1000, mean, count };
  }

  /** HdrHistogram's V2 compressed form as base64 (`HISTFAAA…`), values in microseconds. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#fillScratch());
  }

  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#sumUs = 0;
    this.#maxUs = 0;
    this.#minUs = Number.POSITIVE_INFINITY;
    this.#clamped = 0;
  }

  #fillScratch(): Histogram {
    scratch.reset();
    const last = indexOf(Math.min(Math.floor(this.#maxUs), latencyUsMax));
    for (let index = 0; index <= last; index += 1) {
      const count = this.#counts[index]!;
      if (count > 0) scratch.recordValueWithCount(lowestOf(index), count);
    }
    return scratch;
  }

  #percentileUs(filled: Histogram, percentile: number): number {
    return Math.min(filled.getValueAtPercentile(percentile), this.#maxUs);
  }
}
