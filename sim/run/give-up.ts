/**
 * When to stop waiting for a target: no event was acknowledged for `giveUpMs` though some were open all
 * that time. A crowd that has nothing to send (no heartbeats, everybody reading) waits for nobody.
 */

/** What is known at the end of one second of a run. */
export interface Progress {
  /** Run time in ms. */
  readonly elapsedMs: number;
  /** Events acknowledged since the run began. */
  readonly acknowledged: number;
  /** Planned events without a fate. */
  readonly open: number;
}

export class GiveUpWatch {
  readonly #giveUpMs: number;
  #hopefulMs = 0;
  #acknowledged = 0;

  /** @param giveUpMs Infinity: waits for ever */
  constructor(giveUpMs: number) {
    this.#giveUpMs = giveUpMs;
  }

  /** True once it is time to give up. Readings come in the order of their times. */
  isOver({ elapsedMs, acknowledged, open }: Progress): boolean {
    if (acknowledged > this.#acknowledged || open === 0) this.#hopefulMs = elapsedMs;
    this.#acknowledged = acknowledged;
    return elapsedMs - this.#hopefulMs >= this.#giveUpMs;
  }
}
