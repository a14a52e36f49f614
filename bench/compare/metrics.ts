/**
 * What is compared: the figures of a trial, each with the margin that a difference must exceed to matter.
 *
 * The margin is relative, with an absolute floor beside it: 12 us more of 150 us are 8 % and nobody's concern.
 * Few metrics are gated, because each one more is one more chance of a false alarm; the rest is shown.
 */
import type { Latency, Trial } from '../record/index.ts';

export type MetricKind =
  | 'p50'
  | 'p90'
  | 'p99'
  | 'p999'
  | 'max'
  | 'mean'
  | 'service'
  | 'cpu'
  | 'memory'
  | 'throughput'
  | 'counter';

export interface MetricRule {
  /** As a fraction. */
  readonly margin: number;
  /** In the metric's unit. */
  readonly absoluteFloor: number;
  /** `if measured well` asks for enough samples in the tail and for a known floor of the machine. */
  readonly gate: 'yes' | 'if measured well' | 'never';
  /** The quantile that the metric is, if it is one; its tail must hold samples to be gated. */
  readonly quantile?: number;
}

export const metricRules: Readonly<Record<MetricKind, MetricRule>> = {
  p50: { margin: 0.05, absoluteFloor: 50, gate: 'yes', quantile: 0.5 },
  p90: { margin: 0.07, absoluteFloor: 100, gate: 'yes', quantile: 0.9 },
  p99: { margin: 0.15, absoluteFloor: 300, gate: 'if measured well', quantile: 0.99 },
  p999: { margin: 0.25, absoluteFloor: 1000, gate: 'never', quantile: 0.999 },
  max: { margin: 0.5, absoluteFloor: 1000, gate: 'never' },
  mean: { margin: 0.05, absoluteFloor: 50, gate: 'never' },
  service: { margin: 0.05, absoluteFloor: 50, gate: 'never' },
  cpu: { margin: 0.04, absoluteFloor: 0, gate: 'yes' },
  memory: { margin: 0.05, absoluteFloor: 2, gate: 'yes' },
  throughput: { margin: 0.05, absoluteFloor: 0, gate: 'yes' },
  counter: { margin: 0, absoluteFloor: 0, gate: 'yes' },
};

/** Samples that must lie beyond a percentile in every trial for it to be gated. */
export const gatedTailSamples = 100;

/** One figure of one trial. */
export interface Reading {
  /** `query.and.p50.response`, `server.cpu`, `counter.bytesWritten`. */
  readonly name: string;
  /** The operation, `server` or `counter`: what tables and reports group by. */
  readonly group: string;
  readonly kind: MetricKind;
  readonly unit: 'us' | 'us/op' | 'MiB' | '1/s' | 'count';
  /** Null where it was not measured. */
  readonly value: number | null;
  /** Requests that it rests on; null where that means nothing. */
  readonly samples: number | null;
}

/** The greater of the table's floor and two histogram buckets: below that, a difference is rounding. */
export function absoluteFloorOf(reading: Pick<Reading, 'kind' | 'unit'>, value: number): number {
  const { absoluteFloor, quantile } = metricRules[reading.kind];
  if (quantile === undefined || !(value > 0)) return absoluteFloor;
  // With 3 significant digits a doubling has 1,024 buckets (sim/measure/latency-index.ts).
  const bucketUs = 2 ** Math.max(0, Math.floor(Math.log2(value)) - 10);
  return Math.max(absoluteFloor, 2 * bucketUs);
}

/** Every figure of a trial that can be compared. */
export function readingsOf(trial: Trial): Reading[] {
  const latencies = Object.entries(trial.ops).flatMap(([op, { response, service }]) => [
    ...responseReadings(op, response),
    latencyReading(op, 'service', 'p50.service', service.p50, service.n),
    latencyReading(op, 'service', 'p99.service', service.p99, service.n),
  ]);
  const counters = Object.entries(trial.counters).map(([name, value]): Reading => {
    return {
      name: `counter.${name}`,
      group: 'counter',
      kind: 'counter',
      unit: 'count',
      value,
      samples: null,
    };
  });
  return [...latencies, ...serverReadings(trial), ...counters];
}

function responseReadings(op: string, response: Latency): Reading[] {
  return (['p50', 'p90', 'p99', 'p999', 'max', 'mean'] as const).map((kind) =>
    latencyReading(op, kind, `${kind}.response`, response.n === 0 ? null : response[kind], response.n),
  );
}

function latencyReading(
  op: string,
  kind: MetricKind,
  name: string,
  value: number | null,
  samples: number,
): Reading {
  return { name: `${op}.${name}`, group: op, kind, unit: 'us', value, samples };
}

function serverReadings({ server, rate, measureS }: Trial): Reading[] {
  const of = (name: string, kind: MetricKind, unit: Reading['unit'], value: number | null): Reading => {
    return { name: `server.${name}`, group: 'server', kind, unit, value, samples: null };
  };
  const cpuUs = (server.cpuUserS + server.cpuSysS) * 1e6;
  return [
    of('cpu', 'cpu', 'us/op', rate.completed === 0 ? null : cpuUs / rate.completed),
    // What is reachable after a collection says more than what happened to be allocated.
    ...(server.heapPostGcMiB !== null
      ? [of('heap', 'memory', 'MiB', server.heapPostGcMiB)]
      : server.rssPeakMiB !== null
        ? [of('rss', 'memory', 'MiB', server.rssPeakMiB)]
        : []),
    of('throughput', 'throughput', '1/s', measureS === 0 ? null : rate.completed / measureS),
  ];
}

export function isHigherWorse(kind: MetricKind): boolean {
  return kind !== 'throughput';
}
