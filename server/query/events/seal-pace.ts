/**
 * When sealing gives way to what the process is there for. Before each segment the pace is looked at anew:
 *
 *   free      the event loop has rested enough: one turn of work after the other
 *   waiting   it has not, or batches queue up: full segments stay as they are
 *   pressed   it has not, but more than so many segments wait, or one of them for so long: the work is done all the
 *             same, with a rest after each turn
 *
 *   free <--idle / busy--> waiting --too many, too long--> pressed --few and young again--> waiting, --idle--> free
 *
 * How busy the loop is, is measured while nothing is sealed: since the last look, or since the last segment was done,
 * for 100 ms at least.
 * What a turn is bounded by: turns.ts.
 */
import type { Clock } from '../../base/clock.ts';
import { nextTurn } from './turns.ts';

/** Of the event loop, since it was started. */
export interface LoopTimes {
  readonly activeMs: number;
  readonly idleMs: number;
}

/** What else the process does. */
export interface ProcessLoad {
  loop(): LoopTimes;
  /** Events that are queued or being committed. */
  queuedEvents(): number;
}

export type Pace = 'free' | 'waiting' | 'pressed';

export interface SealPaceOptions {
  readonly clock: Clock;
  /** Undefined: nothing else. */
  readonly load?: ProcessLoad | undefined;
  /** Segments of a property that may wait. Default 16. */
  readonly backlogMax?: number | undefined;
  /** How long one may wait. Default 10 min. */
  readonly waitMsMax?: number | undefined;
}

const backlogMaxDefault = 16;
const waitMsMaxDefault = 600_000;
const utilizationMax = 0.4;
/** Four batches: one that is being committed is no queue. */
const queuedEventsMax = 512;
const measuredMsMin = 100;
/** The least that a timer can. With turns of 0.2 ms a segment takes 1.5 s then. */
const restMs = 1;

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class SealPace {
  readonly #clock: Clock;
  readonly #load: ProcessLoad | undefined;
  readonly #backlogMax: number;
  readonly #waitMsMax: number;
  #since: LoopTimes | undefined;
  #sinceMs = 0;
  #pace: Pace = 'free';

  constructor({ clock, load, backlogMax, waitMsMax }: SealPaceOptions) {
    this.#clock = clock;
    this.#load = load;
    this.#backlogMax = backlogMax ?? backlogMaxDefault;
    this.#waitMsMax = waitMsMax ?? waitMsMaxDefault;
    this.mark();
  }

  /** Measuring begins here: nothing is being sealed. */
  mark(): void {
    this.#since = this.#load?.loop();
    this.#sinceMs = this.#clock.monotonicMs();
  }

  /**
   * The pace of the next segment.
   * @param waiting full segments of the property
   * @param longestMs how long the first of them has been known to be full
   */
  async look(waiting: number, longestMs: number): Promise<Pace> {
    const measuredMs = this.#clock.monotonicMs() - this.#sinceMs;
    if (this.#load !== undefined && measuredMs < measuredMsMin) await rest(measuredMsMin - measuredMs);
    const isBusy = this.#isBusy();
    this.mark();
    const isPressing = waiting > this.#backlogMax || longestMs >= this.#waitMsMax;
    this.#pace = !isBusy ? 'free' : isPressing ? 'pressed' : 'waiting';
    return this.#pace;
  }

  #isBusy(): boolean {
    if (this.#load === undefined || this.#since === undefined) return false;
    if (this.#load.queuedEvents() > queuedEventsMax) return true;
    const { activeMs, idleMs } = this.#load.loop();
    const active = activeMs - this.#since.activeMs;
    return active > utilizationMax * (active + idleMs - this.#since.idleMs);
  }

  /** Ends a turn of work. */
  readonly endTurn = (): Promise<void> => (this.#pace === 'pressed' ? rest(restMs) : nextTurn());
}
