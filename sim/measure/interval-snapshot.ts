/** What one worker measured in one interval: plain data that crosses a thread boundary. */

/**
 * response: intended time until the reply was read; it includes all the others.
 * service: bytes handed to the socket until the reply was read.
 * lateness: intended time until the generator was ready to send; its own fault.
 * blocked: waiting for a connection or for the visitor's own previous act; the target's fault.
 */
export const metrics = ['response', 'service', 'lateness', 'blocked'] as const;

export type Metric = (typeof metrics)[number];

/** One (metric, event type) of one interval. `indices` and `counts` are parallel; see latency-index.ts. */
export interface SeriesInterval {
  readonly metric: Metric;
  readonly eventType: string;
  /** Buckets that were hit, each once, in the order of their first hit. */
  readonly indices: Uint16Array<ArrayBuffer>;
  readonly counts: Uint32Array<ArrayBuffer>;
  readonly count: number;
  /** Exact: neither rounded to a bucket nor clamped. */
  readonly sumUs: number;
  readonly maxUs: number;
  readonly minUs: number;
  /** Values over 60 s, counted in the bucket of 60 s. */
  readonly clamped: number;
}

/** Only series in which something was recorded. Times are milliseconds of the run. */
export interface IntervalSnapshot {
  readonly startMs: number;
  readonly endMs: number;
  readonly series: readonly SeriesInterval[];
}

/** The buffers of a snapshot, for the transfer list of `postMessage`: moved, not copied. */
export function transferablesOf(snapshot: IntervalSnapshot): ArrayBuffer[] {
  return snapshot.series.flatMap((series) => [series.indices.buffer, series.counts.buffer]);
}
