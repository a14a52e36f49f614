/**
 * The only file that reads the machine's clocks; everything else is handed a Clock.
 *
 * Two clocks, because they answer two questions. `wallMs` says when something happened (epoch
 * milliseconds, may jump when the machine's time is set); `monotonicMs` says how long it took
 * (milliseconds with a fraction since an arbitrary start, never goes back).
 */
export interface Clock {
  /** Epoch milliseconds, whole. May jump backwards. */
  wallMs(): number;
  /**
   * Milliseconds since an arbitrary start, with microsecond resolution. Never goes back, and agrees
   * between the threads and processes of one machine.
   */
  monotonicMs(): number;
}

// performance.now() counts from the start of its own thread; hrtime from a point that all threads share,
// but each reading allocates. So the shared origin is taken once and the cheap clock is added to it.
const sharedOriginMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => sharedOriginMs + performance.now(),
};

/** A clock that a test moves by hand; both readings move together. */
export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;

  constructor(startWallMs: number) {
    this.#wallMs = startWallMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  advanceMs(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  /** Sets the wall clock alone, as an administrator or a time service does; may go back. */
  setWallMs(ms: number): void {
    this.#wallMs = ms;
  }
}
