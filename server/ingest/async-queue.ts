/**
 * Writes that were acknowledged as `queued`: nobody waits for them any more, so what becomes of them is counted
 * here, and what failed is logged. They lie in the queues of their properties like all others, within the same
 * bounds, and are drained with them.
 */
import { messageOf } from '../base/errors.ts';
import type { CommitOutcome } from '../store/event-record.ts';
import type { Writer } from './property-queue.ts';

/** Events since the start. queued = stored + duplicates + rejected + failed + those still in the queue. */
export interface AsyncCounts {
  readonly queued: number;
  readonly stored: number;
  readonly duplicates: number;
  /** By the store, for their numbers: too_old, seq_jump, too_many_tabs. */
  readonly rejected: number;
  /** Their commit threw; some of them may have been stored. */
  readonly failed: number;
}

export class AsyncQueue {
  readonly #log: (line: string) => void;
  readonly #counts = { queued: 0, stored: 0, duplicates: 0, rejected: 0, failed: 0 };
  #pendingWrites = 0;
  #drained: (() => void)[] = [];

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  get counts(): AsyncCounts {
    return this.#counts;
  }

  /** Counts a write that is being queued, and gives the one to be told what became of it. */
  open(events: number): Writer {
    this.#counts.queued += events;
    this.#pendingWrites += 1;
    return {
      stored: (outcomes) => this.#stored(outcomes),
      failed: (thrown) => this.#failed(events, thrown),
    };
  }

  /** Takes back what `open` counted: the queue was full. */
  refused(events: number): void {
    this.#counts.queued -= events;
    this.#settle();
  }

  /** Resolves when every write is settled. */
  drain(): Promise<void> {
    if (this.#pendingWrites === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  #stored(outcomes: readonly CommitOutcome[]): void {
    for (const outcome of outcomes) {
      if (outcome === 'accepted') this.#counts.stored += 1;
      else if (outcome === 'duplicate') this.#counts.duplicates += 1;
      else this.#counts.rejected += 1;
    }
    this.#settle();
  }

  #failed(events: number, thrown: unknown): void {
    this.#counts.failed += events;
    const why = messageOf(thrown).replaceAll(/[\r\n]+/g, ' ');
    this.#log(`async write: ${events} events that were acknowledged as queued may not be stored: ${why}`);
    this.#settle();
  }

  #settle(): void {
    this.#pendingWrites -= 1;
    if (this.#pendingWrites > 0) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}
