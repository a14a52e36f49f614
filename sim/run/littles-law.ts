/**
 * Little's law, window by window: visitors present = arrival rate x mean stay (L = lambda W; J. D. C. Little, Operations
 * Research 9(3), 1961). Over a window of time both sides times its length are visitor-seconds: those that the crowd
 * was really present for, by the clock, and those that arrivals and stays were planned to add up to. Where they part, the
 * generator let people come or go at other times than planned, and the load was not the one that the result names.
 */

/** Visitor-milliseconds since the run began: by the clock, and as planned. */
export interface VisitorTime {
  readonly presentMs: number;
  readonly plannedMs: number;
}

export interface LittleSummary {
  readonly windows: number;
  /** The worst window's difference of the two sides, as a share of what was planned. */
  readonly worstShare: number;
}

export const littleWindowMs = 10_000;
/** A window with fewer visitors on average says little: one of them makes much of a difference. */
const visitorsMin = 10;

export class LittlesLaw {
  #windows = 0;
  #worstShare = 0;
  #startMs = 0;
  #start: VisitorTime | undefined;

  /** Takes the sums of all workers at the end of a second, in order. Windows begin with the first one. */
  add(endMs: number, now: VisitorTime): void {
    if (this.#start === undefined) {
      this.#begin(endMs, now);
      return;
    }
    const lengthMs = endMs - this.#startMs;
    if (lengthMs < littleWindowMs) return;
    const planned = now.plannedMs - this.#start.plannedMs;
    const present = now.presentMs - this.#start.presentMs;
    if (planned >= visitorsMin * lengthMs) {
      this.#windows += 1;
      this.#worstShare = Math.max(this.#worstShare, Math.abs(present - planned) / planned);
    }
    this.#begin(endMs, now);
  }

  summary(): LittleSummary {
    return { windows: this.#windows, worstShare: this.#worstShare };
  }

  #begin(atMs: number, now: VisitorTime): void {
    this.#startMs = atMs;
    this.#start = now;
  }
}
