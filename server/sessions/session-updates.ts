/** The queues of all session stores that are being written to, and how much they may hold together. */
import type { Clock } from '../base/clock.ts';
import { formatPropertyName, type PropertyName } from '../protocol/property.ts';
import type { SessionOperation, SessionOutcome } from '../store/session-store.ts';
import { type ApplyOperations, SessionQueue, type Updater } from './session-queue.ts';

export interface SessionUpdatesOptions {
  readonly clock: Clock;
  /** Called when a store is written to for the first time, or again after its queue was dropped. */
  readonly openStore: (property: PropertyName, store: string) => ApplyOperations;
  /** Bounds of all queues together. Default 50,000 operations and 64 MiB. */
  readonly operationsMax?: number | undefined;
  readonly bytesMax?: number | undefined;
  /** Default 4 ms, as for events. */
  readonly lingerMs?: number | undefined;
}

/** Names come from outside and may be of no store at all, so only so many idle queues are kept. */
const queuesKept = 1000;

export class SessionUpdates {
  readonly #options: SessionUpdatesOptions;
  readonly #queues = new Map<string, SessionQueue>();
  #operations = 0;
  #bytes = 0;
  /** The queue that was written to last; nearly always the next one too. */
  #last:
    | { readonly property: PropertyName; readonly store: string; readonly queue: SessionQueue }
    | undefined;

  constructor(options: SessionUpdatesOptions) {
    this.#options = options;
  }

  /** What is queued or being applied now. */
  get queued(): { readonly operations: number; readonly bytes: number } {
    return { operations: this.#operations, bytes: this.#bytes };
  }

  /**
   * Queues an update as a whole, or refuses it as a whole: false, if there is no room. When nothing is queued any
   * one fits: its size is bounded by the request limits.
   * @param bytes what it weighs: the bytes of the request's body
   */
  submit(
    property: PropertyName,
    store: string,
    operations: readonly SessionOperation[],
    bytes: number,
    updater: Updater,
  ): boolean {
    if (operations.length === 0) {
      updater.applied([]);
      return true;
    }
    const { operationsMax = 50_000, bytesMax = 64 * 1_048_576 } = this.#options;
    const fits = this.#operations + operations.length <= operationsMax && this.#bytes + bytes <= bytesMax;
    if (!fits && this.#operations > 0) return false;
    this.#operations += operations.length;
    this.#bytes += bytes;
    this.#queueOf(property, store).add(operations, bytes, updater);
    return true;
  }

  /** The same with a promise. Undefined: no room. It resolves with undefined if there is no such store. */
  update(
    property: PropertyName,
    store: string,
    operations: readonly SessionOperation[],
    bytes: number,
  ): Promise<readonly SessionOutcome[] | undefined> | undefined {
    let isQueued = false;
    const settled = new Promise<readonly SessionOutcome[] | undefined>((resolve, reject) => {
      isQueued = this.submit(property, store, operations, bytes, { applied: resolve, failed: reject });
    });
    return isQueued ? settled : undefined;
  }

  /** Resolves when nothing is queued or being applied. Does not keep new updates out: the caller does. */
  async drain(): Promise<void> {
    await Promise.all(Array.from(this.#queues.values(), (queue) => queue.drain()));
  }

  #queueOf(property: PropertyName, store: string): SessionQueue {
    if (this.#last?.property === property && this.#last.store === store) return this.#last.queue;
    // The length says where the name ends, so that no two pairs are one key.
    const key = `${store.length}:${store}${formatPropertyName(property)}`;
    const queue = this.#queues.get(key) ?? this.#open(key, property, store);
    this.#last = { property, store, queue };
    return queue;
  }

  #open(key: string, property: PropertyName, store: string): SessionQueue {
    const queue = new SessionQueue(this.#options.openStore(property, store), {
      clock: this.#options.clock,
      lingerMs: this.#options.lingerMs ?? 4,
      onBatch: (operations, bytes) => {
        this.#operations -= operations;
        this.#bytes -= bytes;
      },
      onIdle: () => {
        if (this.#queues.size <= queuesKept) return;
        this.#queues.delete(key);
        if (this.#last?.queue === queue) this.#last = undefined;
      },
    });
    this.#queues.set(key, queue);
    return queue;
  }
}
