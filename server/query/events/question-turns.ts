/**
 * How questions share the one thread with everything else the process does.
 *
 * A question runs for about a millisecond, then stands in line: one question goes on per turn of the event loop,
 * so that many of them hold it no longer than one does. Whoever has run for `lightMs` is heavy and needs a place at
 * the gate to go on; so small questions never wait behind large ones.
 *
 *   light --lightMs of work--> waiting --a place is free--> heavy --end()--> done
 *                                 \--time limit or client gone--> ends with an error
 */
import type { Clock } from '../../base/clock.ts';
import { CrowdbeatError } from '../../base/errors.ts';

const sliceMs = 1;
const lightMs = 10;

export interface Places {
  /** Heavy questions at a time in this process, and of one property. */
  readonly atATime: number;
  readonly ofAProperty: number;
}

const defaultPlaces: Places = { atATime: 4, ofAProperty: 2 };

interface Waiting {
  readonly property: string;
  readonly enter: () => void;
}

/** What all questions of a process share. */
export class QuestionLine {
  readonly #places: Places;
  readonly #turns: (() => void)[] = [];
  readonly #inside = new Map<string, number>();
  #insideCount = 0;
  #waiting: Waiting[] = [];

  constructor(places: Places = defaultPlaces) {
    this.#places = places;
  }

  /** Heavy questions that run, for figures and tests. */
  get heavyCount(): number {
    return this.#insideCount;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Resolves in a later turn of the event loop than any turn before it. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#turns.push(resolve);
      if (this.#turns.length === 1) setImmediate(this.#next);
    });
  }

  readonly #next = (): void => {
    this.#turns.shift()?.();
    // Set while immediates run, it waits for the next round of the loop, after its input and output.
    if (this.#turns.length > 0) setImmediate(this.#next);
  };

  /** Resolves with true when a heavy question of the property may go on; with false if `signal` ended the wait. */
  enter(property: string, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        property,
        enter: () => {
          signal.removeEventListener('abort', giveUp);
          resolve(true);
        },
      };
      const giveUp = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        resolve(false);
      };
      if (signal.aborted) {
        resolve(false);
        return;
      }
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(waiting);
      this.#admit();
    });
  }

  leave(property: string): void {
    this.#insideCount -= 1;
    const left = (this.#inside.get(property) ?? 1) - 1;
    if (left === 0) this.#inside.delete(property);
    else this.#inside.set(property, left);
    this.#admit();
  }

  /** In the order of coming; a property that has its share lets others by. */
  #admit(): void {
    const { atATime, ofAProperty } = this.#places;
    while (this.#insideCount < atATime) {
      const index = this.#waiting.findIndex(
        ({ property }) => (this.#inside.get(property) ?? 0) < ofAProperty,
      );
      const [waiting] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (waiting === undefined) return;
      this.#insideCount += 1;
      this.#inside.set(waiting.property, (this.#inside.get(waiting.property) ?? 0) + 1);
      waiting.enter();
    }
  }
}

export interface TurnsOptions {
  readonly line: QuestionLine;
  readonly clock: Clock;
  readonly property: string;
  readonly timeMs: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
}

/** One question's share. Its user calls `breathe` where `isDue`, between slices of far less than a millisecond. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #startedMs: number;
  readonly #ended = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #sinceMs: number;
  #workedMs = 0;
  #isHeavy = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
    this.#sinceMs = this.#startedMs;
    this.#timer = setTimeout(this.#end, options.timeMs);
    options.signal?.addEventListener('abort', this.#end, { once: true });
    if (options.signal?.aborted === true) this.#end();
  }

  readonly #end = (): void => this.#ended.abort();

  get elapsedMs(): number {
    return this.#options.clock.monotonicMs() - this.#startedMs;
  }

  isDue(): boolean {
    return this.#options.clock.monotonicMs() - this.#sinceMs >= sliceMs;
  }

  /** Lets others go on, if it is time for that. Throws CB_QUERY_TIMEOUT, CB_QUERY_CANCELLED. */
  async breathe(): Promise<void> {
    if (this.isDue()) await this.#yield();
  }

  /** Awaits what others do, Redis above all: that time is not this question's work. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const beganMs = clock.monotonicMs();
    const result = await promise;
    // What was there already took no time and gave nobody a turn: the slice goes on as if it had not been asked for.
    this.#sinceMs += clock.monotonicMs() - beganMs;
    this.#check();
    return result;
  }

  async #yield(): Promise<void> {
    const { line, clock, property } = this.#options;
    this.#check();
    this.#workedMs += clock.monotonicMs() - this.#sinceMs;
    if (!this.#isHeavy && this.#workedMs >= lightMs) {
      this.#isHeavy = await line.enter(property, this.#ended.signal);
      this.#check();
    }
    await line.turn();
    this.#sinceMs = clock.monotonicMs();
    this.#check();
  }

  #check(): void {
    const { signal, timeMs } = this.#options;
    if (signal?.aborted === true)
      throw new CrowdbeatError('CB_QUERY_CANCELLED', 'whoever asked went away before the answer');
    if (!this.#ended.signal.aborted && this.elapsedMs < timeMs) return;
    throw new CrowdbeatError(
      'CB_QUERY_TIMEOUT',
      `the question took longer than ${timeMs} ms and was ended; ask for less: a shorter range, fewer facets`,
    );
  }

  /** To be called once, whatever came of the question. */
  end(): void {
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#end);
    if (this.#isHeavy) this.#options.line.leave(this.#options.property);
    this.#isHeavy = false;
  }
}
