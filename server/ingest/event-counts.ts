/**
 * What became of the events of this process, as plain numbers that somebody reads now and then: an accepted
 * event costs one comparison and one addition.
 */
import { type RejectReason, rejectReasons } from '../protocol/event.ts';
import type { CommitOutcome } from '../store/event-record.ts';
import type { AcceptedItem } from './accept.ts';
import type { AsyncCounts } from './async-queue.ts';

export class EventCounts {
  accepted = 0;
  duplicates = 0;
  /** Of writes that were acknowledged as queued; undefined while there is no queue for them. */
  async: AsyncCounts | undefined = undefined;
  readonly #rejected = new Map<RejectReason, number>(
    (Object.keys(rejectReasons) as RejectReason[]).map((reason) => [reason, 0]),
  );

  /** How many events were rejected so far, for each reason; reasons that never occurred are 0. */
  get rejected(): ReadonlyMap<RejectReason, number> {
    return this.#rejected;
  }

  /** Counts what the store said of a batch. */
  settled(outcomes: readonly CommitOutcome[]): void {
    for (const outcome of outcomes) {
      if (outcome === 'accepted') this.accepted += 1;
      else if (outcome === 'duplicate') this.duplicates += 1;
      else this.#reject(outcome);
    }
  }

  /** Counts the items of a write that were no events: they never reach the store. */
  refused(items: readonly AcceptedItem[]): void {
    for (const item of items) if (typeof item === 'string') this.#reject(item);
  }

  #reject(reason: RejectReason): void {
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + 1);
  }
}
