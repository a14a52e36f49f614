/**
 * A worker's recorder: counts latencies per (metric, event type) in typed arrays.
 *
 * Cost of one `record`: one bucket index, five array writes, nothing allocated. An interval costs what was
 * recorded in it, not the 17,408 buckets, because each series remembers the buckets it touched.
 * Memory: 104 KB per series that was ever asked for.
 */
import assert from 'node:assert/strict';
import type { IntervalSnapshot, Metric, SeriesInterval } from './interval-snapshot.ts';
import { bucketCount, indexOf, latencyUsMax } from './latency-index.ts';

export type { IntervalSnapshot } from './interval-snapshot.ts';

/** Slots of a series' statistics. A Float64Array, so that a changed sum is not a new heap number. */
const countSlot = 0;
const sumSlot = 1;
const maxSlot = 2;
const minSlot = 3;
const clampedSlot = 4;
const touchedSlot = 5;

class Series {
  readonly metric: Metric;
  readonly eventType: string;
  readonly counts = new Uint32Array(bucketCount);
  readonly touched = new Uint16Array(bucketCount);
  readonly statistics = Float64Array.of(0, 0, 0, Number.POSITIVE_INFINITY, 0, 0);

  constructor(metric: Metric, eventType: string) {
    this.metric = metric;
    this.eventType = eventType;
  }
}

export class Recorder {
  readonly #series: Series[] = [];
  readonly #numbers = new Map<string, number>();
  #intervalStartMs = 0;

  /** The number of a series, made on first use. Ask once and keep it; `record` takes the number. */
  seriesOf(metric: Metric, eventType: string): number {
    const key = `${metric} ${eventType}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#series.length);
    return this.#series.push(new Series(metric, eventType)) - 1;
  }

  /**
   * Counts one latency in microseconds; a fraction is cut for the bucket and kept in sum and maximum.
   * Below zero counts as zero: a timer may fire a little early. Above 60 s counts as 60 s and as clamped.
   */
  record(series: number, latencyUs: number): void {
    const into = this.#series[series];
    assert(
      into !== undefined && Number.isFinite(latencyUs),
      'record needs a series of this recorder and a number',
    );
    const us = Math.max(latencyUs, 0);
    const { counts, statistics } = into;
    let bounded = us;
    if (us > latencyUsMax) {
      bounded = latencyUsMax;
      statistics[clampedSlot]! += 1;
    }
    const index = indexOf(bounded | 0);
    const before = counts[index]!;
    if (before === 0) {
      into.touched[statistics[touchedSlot]!] = index;
      statistics[touchedSlot]! += 1;
    }
    counts[index] = before + 1;
    statistics[countSlot]! += 1;
    statistics[sumSlot]! += us;
    if (us > statistics[maxSlot]!) statistics[maxSlot] = us;
    if (us < statistics[minSlot]!) statistics[minSlot] = us;
  }

  /**
   * Everything recorded since the last call, and forgets it. The first interval starts at 0, each later
   * one where the one before ended.
   *
   * @param endMs milliseconds of the run at which the interval ends
   */
  takeInterval(endMs: number): IntervalSnapshot {
    const startMs = this.#intervalStartMs;
    this.#intervalStartMs = endMs;
    const series = this.#series.filter((one) => one.statistics[countSlot]! > 0).map(takeSeries);
    return { startMs, endMs, series };
  }
}

function takeSeries(from: Series): SeriesInterval {
  const { metric, eventType, statistics } = from;
  const indices = from.touched.slice(0, statistics[touchedSlot]);
  const counts = new Uint32Array(indices.length);
  for (let at = 0; at < indices.length; at += 1) {
    const index = indices[at]!;
    counts[at] = from.counts[index]!;
    from.counts[index] = 0;
  }
  const taken = {
    metric,
    eventType,
    indices,
    counts,
    count: statistics[countSlot]!,
    sumUs: statistics[sumSlot]!,
    maxUs: statistics[maxSlot]!,
    minUs: statistics[minSlot]!,
    clamped: statistics[clampedSlot]!,
  };
  statistics.fill(0);
  statistics[minSlot] = Number.POSITIVE_INFINITY;
  return taken;
}
