/**
 * What was read is believed for a stated time, counted from before the question was sent, and not a moment longer.
 * From half of that time on a new reading is under way while the old one is still used, so that whoever asks often
 * never waits. One question at a time for each key, and a bounded number in all.
 */
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError } from '../base/errors.ts';
import { RecentMap } from '../store/recent-map.ts';

export interface Reading<V> {
  readonly value: V;
  /** It is known to hold no longer than this. */
  readonly leftMs?: number;
}

export interface FreshCacheOptions<V> {
  readonly clock: Clock;
  readonly lifetimeMs: number;
  /** At least so many of the most recently used are kept, at most twice as many. */
  readonly entries: number;
  readonly read: (key: string) => Promise<Reading<V>>;
}

interface Entry<V> {
  readonly value: V;
  readonly refreshMs: number;
  readonly endMs: number;
}

const readingMax = 1000;

export class FreshCache<V> {
  readonly #options: FreshCacheOptions<V>;
  readonly #entries: RecentMap<string, Entry<V>>;
  readonly #reading = new Map<string, Promise<V>>();

  constructor(options: FreshCacheOptions<V>) {
    this.#options = options;
    this.#entries = new RecentMap(options.entries);
  }

  /** What is known now; undefined if nothing is. Costs a look at a map. */
  get(key: string, nowMs: number): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || nowMs >= entry.endMs) return undefined;
    if (nowMs >= entry.refreshMs && !this.#reading.has(key) && this.#reading.size < readingMax)
      // Nobody waits for it; whoever comes when the old one has ended asks again, and is told what is wrong.
      this.#read(key).catch(() => {});
    return entry.value;
  }

  /** Rejects with what `read` rejects with, or CB_BUSY when too much is being read. */
  fetch(key: string): Promise<V> {
    const known = this.get(key, this.#options.clock.monotonicMs());
    if (known !== undefined) return Promise.resolve(known);
    const reading = this.#reading.get(key);
    if (reading !== undefined) return reading;
    if (this.#reading.size >= readingMax)
      return Promise.reject(
        new CrowdbeatError('CB_BUSY', 'too many credentials are being looked up; try again'),
      );
    return this.#read(key);
  }

  /** After a change that this process made itself: the next one asks. */
  forget(key: string): void {
    this.#entries.delete(key);
    // What is on its way may be from before the change.
    this.#reading.delete(key);
  }

  #read(key: string): Promise<V> {
    const { clock, lifetimeMs, read } = this.#options;
    const askedMs = clock.monotonicMs();
    const reading = read(key).then(
      ({ value, leftMs = lifetimeMs }) => {
        if (this.#reading.get(key) !== reading) return value;
        this.#reading.delete(key);
        const endMs = askedMs + Math.min(lifetimeMs, leftMs);
        this.#entries.set(key, { value, refreshMs: askedMs + lifetimeMs / 2, endMs });
        return value;
      },
      (thrown: unknown) => {
        if (this.#reading.get(key) === reading) this.#reading.delete(key);
        throw thrown;
      },
    );
    this.#reading.set(key, reading);
    return reading;
  }
}
