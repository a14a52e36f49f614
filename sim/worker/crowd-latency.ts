/** The worker's recorder with the crowd's own series: four metrics for each of the event types it sends. */
import { type IntervalSnapshot, type Metric, metrics, Recorder } from '../measure/index.ts';
import { eventTypes } from '../targets/event-request.ts';

export class CrowdLatency {
  readonly #recorder = new Recorder();
  /** Series numbers, by metric, then by act kind. */
  readonly #series: Record<Metric, number[]>;

  constructor(types: readonly string[] = eventTypes) {
    this.#series = Object.fromEntries(
      metrics.map((metric) => [metric, types.map((type) => this.#recorder.seriesOf(metric, type))]),
    ) as Record<Metric, number[]>;
  }

  /** Counts one latency in milliseconds; below zero (a timer that fired early) counts as zero. */
  record(metric: Metric, kind: number, latencyMs: number): void {
    this.#recorder.record(this.#series[metric][kind] ?? 0, latencyMs * 1000);
  }

  takeInterval(endMs: number): IntervalSnapshot {
    return this.#recorder.takeInterval(endMs);
  }
}
