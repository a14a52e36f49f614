/**
 * The main process's histograms: what all workers measured, merged by bucket, so that a percentile of the
 * whole is exactly what one recorder for all of them would have given.
 *
 * Three windows. `whole`: the run. `steady`: only intervals that began at or after `steadyFromMs`, which is
 * after the ramp. `interval`: since the last `endInterval`, for the panel and the interval log. An interval
 * goes by the time at which its replies were read, not by the time the acts were intended.
 */
import type { IntervalSnapshot, Metric, SeriesInterval } from './interval-snapshot.ts';
import { metrics } from './interval-snapshot.ts';
import type { LatencySummary } from './latency-histogram.ts';
import { LatencyHistogram } from './latency-histogram.ts';

export const latencyWindows = ['whole', 'steady', 'interval'] as const;

export type LatencyWindow = (typeof latencyWindows)[number];

/** Summaries of a metric; a key is absent where nothing was recorded. */
export interface MetricSummary {
  readonly all?: LatencySummary;
  readonly byType: Readonly<Record<string, LatencySummary>>;
}

/** Histograms of one window: a metric's name for all event types, `metric.type` for one. */
type Histograms = Map<string, LatencyHistogram>;

export class HistogramSet {
  readonly #steadyFromMs: number;
  readonly #windows: Readonly<Record<LatencyWindow, Histograms>> = {
    whole: new Map(),
    steady: new Map(),
    interval: new Map(),
  };
  readonly #eventTypes = new Set<string>();

  /** @param options.steadyFromMs milliseconds of the run at which the ramp is over */
  constructor(options: { readonly steadyFromMs: number }) {
    this.#steadyFromMs = options.steadyFromMs;
  }

  /** Every event type of which something was recorded, in the order of first sight. */
  get eventTypes(): readonly string[] {
    return [...this.#eventTypes];
  }

  add(snapshot: IntervalSnapshot): void {
    const steady = snapshot.startMs >= this.#steadyFromMs;
    for (const series of snapshot.series) {
      this.#eventTypes.add(series.eventType);
      addSeries(this.#windows.whole, series);
      if (steady) addSeries(this.#windows.steady, series);
      addSeries(this.#windows.interval, series);
    }
  }

  /** Of all event types, or of one. Undefined if there was never such a value. */
  histogram(window: LatencyWindow, metric: Metric, eventType?: string): LatencyHistogram | undefined {
    return this.#windows[window].get(keyOf(metric, eventType));
  }

  /** In milliseconds; undefined if nothing was recorded in the window. */
  summary(window: LatencyWindow, metric: Metric, eventType?: string): LatencySummary | undefined {
    return this.histogram(window, metric, eventType)?.summary();
  }

  /** Every summary of a window, for the run's result. */
  summaries(window: LatencyWindow): Readonly<Record<Metric, MetricSummary>> {
    const entries = metrics.map((metric): [Metric, MetricSummary] => {
      const all = this.summary(window, metric);
      const byType: Record<string, LatencySummary> = {};
      for (const eventType of this.#eventTypes) {
        const summary = this.summary(window, metric, eventType);
        if (summary !== undefined) byType[eventType] = summary;
      }
      return [metric, all === undefined ? { byType } : { all, byType }];
    });
    return Object.fromEntries(entries) as Record<Metric, MetricSummary>;
  }

  /** Begins a new interval: empties the window `interval`. Its histograms are kept and used again. */
  endInterval(): void {
    for (const histogram of this.#windows.interval.values()) histogram.reset();
  }
}

function keyOf(metric: Metric, eventType: string | undefined): string {
  return eventType === undefined ? metric : `${metric}.${eventType}`;
}

function addSeries(into: Histograms, series: SeriesInterval): void {
  histogramAt(into, keyOf(series.metric, undefined)).add(series);
  histogramAt(into, keyOf(series.metric, series.eventType)).add(series);
}

function histogramAt(histograms: Histograms, key: string): LatencyHistogram {
  const known = histograms.get(key);
  if (known !== undefined) return known;
  const made = new LatencyHistogram();
  histograms.set(key, made);
  return made;
}
