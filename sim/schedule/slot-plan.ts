/**
 * When a worker's slots open and close, so that as many are open as the plan's level says: slot i is open while the
 * level is above i. Slots of other workers are passed over, so any number of workers makes the same crowd.
 */
import { type Knot, type LoadPlan, levelLine } from './load-plan.ts';

export interface Share {
  readonly workerIndex: number;
  readonly workerCount: number;
}

/** What happens to a slot, or a lane, next. */
export interface Opening {
  /** `none`: the plan has gone on, and nothing has happened. */
  readonly kind: 'open' | 'close' | 'arrive' | 'none';
  readonly slot: number;
  readonly atMs: number;
}

/** A queue of what happens, in the order of time. */
export interface Openings {
  /** `Infinity`: nothing any more. */
  readonly nextMs: number;
  /** Of arrivals; undefined for slots. */
  readonly lanes?: number;
  take(): Opening;
}

export class SlotPlan implements Openings {
  readonly #share: Share;
  readonly #changes: Generator<Opening, undefined>;
  #next: Opening | undefined;

  constructor(plan: LoadPlan, share: Share) {
    this.#share = share;
    this.#changes = this.#play(plan);
    this.#next = this.#changes.next().value;
  }

  get nextMs(): number {
    return this.#next?.atMs ?? Number.POSITIVE_INFINITY;
  }

  take(): Opening {
    const taken = this.#next;
    if (taken === undefined) throw new Error('nothing more happens in this plan');
    this.#next = this.#changes.next().value;
    return taken;
  }

  *#play(plan: LoadPlan): Generator<Opening, undefined> {
    const line = levelLine(plan);
    let from = line.next().value;
    for (const slot of this.#own(0, Math.ceil(from.level))) yield { kind: 'open', slot, atMs: 0 };
    for (;;) {
      const to = line.next().value;
      if (to.atMs === Number.POSITIVE_INFINITY) return undefined;
      yield* this.#segment(from, to);
      // A worker without slots must not look for one through all days of a curve.
      yield { kind: 'none', slot: -1, atMs: to.atMs };
      from = to;
    }
  }

  /** Slot i opens when the level rises from i on, and closes when it falls to i. */
  *#segment(from: Knot, to: Knot): Generator<Opening> {
    const crossing = (level: number): number =>
      from.atMs + ((level - from.level) * (to.atMs - from.atMs)) / (to.level - from.level);
    if (to.level > from.level) {
      for (const slot of this.#own(Math.ceil(from.level), Math.ceil(to.level)))
        yield { kind: 'open', slot, atMs: crossing(slot) };
    } else if (to.level < from.level) {
      const falling = [...this.#own(Math.ceil(to.level), Math.ceil(from.level))].reverse();
      for (const slot of falling) yield { kind: 'close', slot, atMs: crossing(slot) };
    }
  }

  /** This worker's slots from `first` on, below `end`. */
  *#own(first: number, end: number): Generator<number> {
    const { workerIndex, workerCount } = this.#share;
    const offset = (((workerIndex - first) % workerCount) + workerCount) % workerCount;
    for (let slot = first + offset; slot < end; slot += workerCount) yield slot;
  }
}
