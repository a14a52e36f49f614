/**
 * How well this thread keeps up: event-loop utilisation and delay. What makes a measurement invalid is
 * judged elsewhere; this only reads.
 */
import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';

export interface ThreadHealth {
  /** Share of the interval in which the loop was busy, 0..1. */
  readonly utilisation: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
}

const resolutionMs = 10;

export class ThreadHealthMonitor {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  #last: EventLoopUtilization = performance.eventLoopUtilization();

  constructor() {
    this.#delay.enable();
  }

  /** Readings since the last call. The monitor's own timer period is taken off the delays. */
  takeInterval(): ThreadHealth {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#last);
    this.#last = now;
    const toMs = (ns: number): number => (Number.isFinite(ns) ? Math.max(0, ns / 1e6 - resolutionMs) : 0);
    const health = {
      utilisation: Number.isFinite(utilization) ? utilization : 0,
      loopDelayP99Ms: this.#delay.count === 0 ? 0 : toMs(this.#delay.percentile(99)),
      loopDelayMaxMs: this.#delay.count === 0 ? 0 : toMs(this.#delay.max),
    };
    this.#delay.reset();
    return health;
  }

  stop(): void {
    this.#delay.disable();
  }
}
