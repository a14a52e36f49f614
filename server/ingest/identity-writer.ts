/**
 * What events say of users, applied after they were stored and before their write is acknowledged. Only writes
 * that have such events come here.
 *
 * In a write, events that name their user are applied together, the others after them and in the order of their
 * times, since whom they mean depends on the ones before.
 */
import type { CommitOutcome, EventRecord } from '../store/event-record.ts';
import type { IdentityChange } from '../store/identity-change.ts';
import type { Writer } from './property-queue.ts';

/** Applies one change; `wasStoredBefore` says that its event is a duplicate. */
export type Identify = (change: IdentityChange, wasStoredBefore: boolean) => Promise<void>;

/** At most so many changes are on their way to Redis for one write. */
const atOnce = 64;

export function tellsOfUsers(events: readonly EventRecord[]): boolean {
  for (const event of events) if (event.identity !== undefined) return true;
  return false;
}

/** Stands before the writer of a write that tells of users. */
export class IdentityWriter implements Writer {
  readonly #events: readonly EventRecord[];
  readonly #identify: Identify;
  readonly #writer: Writer;

  constructor(events: readonly EventRecord[], identify: Identify, writer: Writer) {
    this.#events = events;
    this.#identify = identify;
    this.#writer = writer;
  }

  stored(outcomes: readonly CommitOutcome[]): void {
    this.#apply(outcomes).then(
      () => this.#writer.stored(outcomes),
      (thrown: unknown) => this.#writer.failed(thrown),
    );
  }

  failed(thrown: unknown): void {
    this.#writer.failed(thrown);
  }

  /** A duplicate too: the collector that stored it may have died before it came to this. */
  async #apply(outcomes: readonly CommitOutcome[]): Promise<void> {
    const named: Told[] = [];
    const unnamed: Told[] = [];
    for (const [position, { identity }] of this.#events.entries()) {
      const outcome = outcomes[position];
      if (identity === undefined || (outcome !== 'accepted' && outcome !== 'duplicate')) continue;
      const told = { change: identity, wasStoredBefore: outcome === 'duplicate' };
      (identity.userId === undefined ? unnamed : named).push(told);
    }
    for (let at = 0; at < named.length; at += atOnce)
      await Promise.all(named.slice(at, at + atOnce).map((told) => this.#applyOne(told)));
    unnamed.sort((a, b) => a.change.timeMs - b.change.timeMs);
    for (const told of unnamed) await this.#applyOne(told);
  }

  #applyOne({ change, wasStoredBefore }: Told): Promise<void> {
    return this.#identify(change, wasStoredBefore);
  }
}

interface Told {
  readonly change: IdentityChange;
  readonly wasStoredBefore: boolean;
}
