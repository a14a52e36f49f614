/**
 * `trials.jsonl`: one line a trial, a fresh server and a fresh generator each. A trial, not a request, is what
 * statistics count: requests of one trial share its process, its heap and its neighbours on the machine.
 *
 * Latencies are microseconds. A percentile is null if fewer than 10 samples lie beyond it: p99.9 of 2,000
 * requests rests on two of them and says nothing.
 */
import { versioned } from './schema.ts';
import * as shape from './shape.ts';

export const trialSchema = 'crowdbeat.bench-trial/1';

const { text, flag, count, number, atLeastZero, share, nullable, list, byName, object, oneOf } = shape;

/** Samples beyond a percentile that it takes to be shown. */
export const tailSamplesMin = 10;

/** Whether `n` samples carry a percentile, given as a quantile such as 0.99. */
export function isShown(n: number, quantile: number): boolean {
  // 1 - 0.9 is a hair below 0.1: without rounding, 100 samples would not carry their p90.
  return Math.round(n * (1 - quantile) * 1e6) / 1e6 >= tailSamplesMin;
}

const quantileOf = { p50: 0.5, p90: 0.9, p99: 0.99, p999: 0.999 } as const;

export type QuantileName = keyof typeof quantileOf;

export const quantileNames = Object.keys(quantileOf) as readonly QuantileName[];

export const latencyShape = shape.withRules(
  object({
    n: count,
    min: atLeastZero,
    p50: nullable(atLeastZero),
    p90: nullable(atLeastZero),
    p99: nullable(atLeastZero),
    p999: nullable(atLeastZero),
    max: atLeastZero,
    mean: atLeastZero,
    /** HdrHistogram V2, compressed, base64: the whole measured window. */
    hdr: nullable(text),
  }),
  (latency, at) => {
    let below = latency.min;
    for (const name of quantileNames) {
      const value = latency[name];
      if (value === null) continue;
      const there = shape.inside(at, name);
      if (!isShown(latency.n, quantileOf[name]))
        shape.refuse(
          there,
          `null: of ${latency.n} samples fewer than ${tailSamplesMin} lie beyond it`,
          value,
        );
      if (value < below || value > latency.max)
        shape.refuse(there, `a value from ${below} to the maximum ${latency.max}`, value);
      below = value;
    }
  },
);

export type Latency = shape.Of<typeof latencyShape>;

export const trialShape = versioned(
  trialSchema,
  shape.withRules(
    object({
      schema: oneOf(trialSchema),
      trialId: shape.fileName,
      /** From 1. */
      pair: count,
      /** 0 for the first trial of its pair, 1 for the second. */
      slot: count,
      arm: oneOf('B', 'C'),
      t0: shape.instant,
      warmupS: atLeastZero,
      measureS: atLeastZero,
      /** What the running server said of itself; null if it said nothing. */
      buildHash: nullable(text),
      rate: object({
        offered: count,
        sent: count,
        completed: count,
        errors: count,
        unsent: count,
        timeouts: count,
      }),
      ops: byName(object({ response: latencyShape, service: latencyShape })),
      generator: object({
        sendLag: latencyShape,
        /** Share of the time that the event loop was busy. */
        elu: share,
        loopDelayP99Us: atLeastZero,
        cpuS: atLeastZero,
        /** Share of all requests' time that was spent waiting for a connection. */
        blockedShare: share,
      }),
      server: object({
        cpuUserS: atLeastZero,
        cpuSysS: atLeastZero,
        rssPeakMiB: nullable(atLeastZero),
        heapPostGcMiB: nullable(atLeastZero),
        gcPauseMsTotal: nullable(atLeastZero),
      }),
      /** Exact counts of work: bytes written, commands sent. */
      counters: byName(count),
      host: object({
        stealPct: nullable(atLeastZero),
        ctxtPerS: nullable(atLeastZero),
        throttled: nullable(count),
        swapIn: nullable(count),
      }),
      little: nullable(object({ L: atLeastZero, lambdaW: atLeastZero, relErr: atLeastZero })),
      steady: nullable(object({ ok: flag, slopePctPerMin: number, lastHalfVsFirst: atLeastZero })),
      /** The same work whatever the build: a machine that changed shows here. */
      control: byName(atLeastZero),
      valid: flag,
      reasons: list(text),
    }),
    (trial, at) => {
      if (trial.slot > 1) shape.refuse(shape.inside(at, 'slot'), '0 or 1', trial.slot);
      if (trial.valid !== (trial.reasons.length === 0))
        shape.refuse(shape.inside(at, 'valid'), `true if and only if there are no reasons`, trial.valid);
    },
  ),
);

export type Trial = shape.Of<typeof trialShape>;

/** What a histogram has to offer to become a record; those of `sim/measure` do. */
export interface RecordedHistogram {
  readonly count: number;
  readonly minUs: number;
  readonly maxUs: number;
  percentileUs(percentile: number): number;
  encode(): string;
  summary(): { readonly mean: number } | undefined;
}

/** A histogram as a record, with the percentiles that its number of samples carries. */
export function latencyRecord(histogram: RecordedHistogram): Latency {
  const { count: n } = histogram;
  const at = (name: QuantileName): number | null =>
    isShown(n, quantileOf[name]) ? histogram.percentileUs(quantileOf[name] * 100) : null;
  const max = histogram.maxUs;
  return {
    n,
    min: histogram.minUs,
    p50: at('p50'),
    p90: at('p90'),
    p99: at('p99'),
    p999: at('p999'),
    max,
    mean: (histogram.summary()?.mean ?? 0) * 1000,
    hdr: n === 0 ? null : histogram.encode(),
  };
}
