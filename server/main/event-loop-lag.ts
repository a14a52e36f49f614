/**
 * How late the event loop of this process is: the answer of one that lags can't be quick, whatever Redis does.
 * Of two windows the older, complete one is told, so that a figure is never of the last few milliseconds only.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

const resolutionMs = 20;
const windowMs = 5000;

export interface LoopLag {
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class EventLoopLag {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #timer: NodeJS.Timeout;
  #complete: LoopLag | undefined;

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => {
      this.#complete = this.#look();
      this.#histogram.reset();
    }, windowMs).unref();
  }

  /** Of the last five seconds, or of the time since the start while that is shorter. */
  read(): LoopLag {
    return this.#complete ?? this.#look();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  /** The histogram measures the distance between two ticks of a timer: what is beyond its interval is lag. */
  #look(): LoopLag {
    if (this.#histogram.count === 0) return { p99Ms: 0, maxMs: 0 };
    const late = (nanoseconds: number): number =>
      Math.max(0, Math.round((nanoseconds / 1e6 - resolutionMs) * 100) / 100);
    return { p99Ms: late(this.#histogram.percentile(99)), maxMs: late(this.#histogram.max) };
  }
}
