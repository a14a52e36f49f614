/**
 * What every write goes through behind the door: the queue of its property, then, if its events tell of users, the
 * users' records. Other writes pay one look at each event for it.
 */
import type { PropertyName } from '../protocol/property.ts';
import type { CommitOutcome, EventRecord } from '../store/event-record.ts';
import type { IdentityChange } from '../store/identity-change.ts';
import { type AsyncCounts, AsyncQueue } from './async-queue.ts';
import type { Batcher, WriteRefusal } from './batcher.ts';
import { IdentityWriter, tellsOfUsers } from './identity-writer.ts';
import type { Writer } from './property-queue.ts';

export interface IntakeOptions {
  readonly batcher: Batcher;
  /** See applyIdentity in server/store/users.ts. */
  readonly applyIdentity: (
    property: PropertyName,
    change: IdentityChange,
    wasStoredBefore: boolean,
  ) => Promise<void>;
  readonly log: (line: string) => void;
}

export class Intake {
  readonly #batcher: Batcher;
  readonly #applyIdentity: IntakeOptions['applyIdentity'];
  readonly #async: AsyncQueue;

  constructor({ batcher, applyIdentity, log }: IntakeOptions) {
    this.#batcher = batcher;
    this.#applyIdentity = applyIdentity;
    this.#async = new AsyncQueue(log);
  }

  /** Queues a write as a whole, or says why not. The writer is told when all of it is done. */
  submit(property: PropertyName, events: readonly EventRecord[], writer: Writer): WriteRefusal | undefined {
    if (!tellsOfUsers(events)) return this.#batcher.submit(property, events, writer);
    const identify = (change: IdentityChange, wasStoredBefore: boolean): Promise<void> =>
      this.#applyIdentity(property, change, wasStoredBefore);
    return this.#batcher.submit(property, events, new IdentityWriter(events, identify, writer));
  }

  /** The same as a promise: one outcome per event, in order; rejects with what was thrown. */
  write(
    property: PropertyName,
    events: readonly EventRecord[],
  ): Promise<readonly CommitOutcome[]> | WriteRefusal {
    let refusal: WriteRefusal | undefined;
    const settled = new Promise<readonly CommitOutcome[]>((resolve, reject) => {
      refusal = this.submit(property, events, { stored: resolve, failed: reject });
    });
    return refusal ?? settled;
  }

  /** Queues a write that is acknowledged at once. What becomes of it is counted, failures are logged. */
  queue(property: PropertyName, events: readonly EventRecord[]): WriteRefusal | undefined {
    const refusal = this.submit(property, events, this.#async.open(events.length));
    if (refusal !== undefined) this.#async.refused(events.length);
    return refusal;
  }

  get asyncCounts(): AsyncCounts {
    return this.#async.counts;
  }

  /** Resolves when every write that was acknowledged as queued is done. After the batcher's `drain`. */
  drain(): Promise<void> {
    return this.#async.drain();
  }
}
