/**
 * The queue of one session store, and its group commit: updates that come together share one script call. An
 * update is one piece: it is in one batch with all its operations, and that batch is applied wholly or not at all.
 *
 * States and moves (`#move` makes them all):
 *
 *   idle        nothing is queued, nothing is being applied.
 *               An update arrives: -> gathering.
 *   gathering   the first update came in this turn of the event loop; those that lie in other sockets join it.
 *               The turn ends: -> applying.
 *   applying    one batch is at the store, at most one at a time; what arrives meanwhile is queued.
 *               Done or failed. Nothing queued: -> idle. Worth a call (enough operations, or the oldest waits
 *               `lingerMs` already, or somebody drains): -> applying. Otherwise: -> lingering.
 *   lingering   under load: waits until the oldest update is `lingerMs` old, so that the batch grows.
 *               Time is up, or enough is there, or somebody drains: -> applying.
 */
import type { Clock } from '../base/clock.ts';
import type { SessionOperation, SessionOutcome } from '../store/session-store.ts';

/** Applies a batch: one outcome each, or undefined if there is no such store. Never called twice at a time. */
export type ApplyOperations = (
  operations: readonly SessionOperation[],
  receivedMs: number,
) => Promise<readonly SessionOutcome[] | undefined>;

/** Who gave an update to the queue, and is told once what became of it. Neither function may throw. */
export interface Updater {
  /** One outcome per operation, in order; undefined: there is no such store. */
  applied(outcomes: readonly SessionOutcome[] | undefined): void;
  /** The call threw; the batch may have been applied. */
  failed(thrown: unknown): void;
}

export interface SessionQueueOptions {
  readonly clock: Clock;
  /** An update waits at most this long for others to join it. */
  readonly lingerMs: number;
  /** Called when a batch is done, with what it held. */
  readonly onBatch: (operations: number, bytes: number) => void;
  readonly onIdle: () => void;
}

/** Caps of one script call, unless one update alone is more: 0.7 ms of Redis for heartbeats of 500 bytes. */
const batchOperationsMax = 128;
const batchBytesMax = 262_144;
/** Enough for a good batch: waiting for more gains little. */
const goodBatchOperations = 64;

type State = 'idle' | 'gathering' | 'applying' | 'lingering';

interface QueuedUpdate {
  readonly operations: readonly SessionOperation[];
  readonly bytes: number;
  readonly updater: Updater;
}

export class SessionQueue {
  readonly #apply: ApplyOperations;
  readonly #options: SessionQueueOptions;
  #state: State = 'idle';
  #waiting: QueuedUpdate[] = [];
  #waitingOperations = 0;
  #oldestMs = 0;
  #lingerTimer: NodeJS.Timeout | undefined;
  #drained: (() => void)[] = [];

  constructor(apply: ApplyOperations, options: SessionQueueOptions) {
    this.#apply = apply;
    this.#options = options;
  }

  add(operations: readonly SessionOperation[], bytes: number, updater: Updater): void {
    if (this.#waiting.length === 0) this.#oldestMs = this.#options.clock.monotonicMs();
    this.#waiting.push({ operations, bytes, updater });
    this.#waitingOperations += operations.length;
    if (this.#state === 'idle') this.#move('gathering');
    else if (this.#state === 'lingering' && this.#isWorthCall()) this.#move('applying');
  }

  /** Resolves when nothing is queued or being applied; until then nothing lingers. */
  drain(): Promise<void> {
    if (this.#state === 'idle') return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      if (this.#state === 'lingering') this.#move('applying');
    });
  }

  #move(to: State): void {
    clearTimeout(this.#lingerTimer);
    this.#state = to;
    switch (to) {
      case 'idle':
        for (const resolve of this.#drained.splice(0)) resolve();
        this.#options.onIdle();
        return;
      case 'gathering':
        setImmediate(() => this.#move('applying'));
        return;
      case 'applying':
        void this.#applyBatch(this.#takeBatch());
        return;
      case 'lingering':
        this.#lingerTimer = setTimeout(() => this.#move('applying'), this.#lingerLeftMs());
        return;
      default:
        to satisfies never;
    }
  }

  #lingerLeftMs(): number {
    return this.#oldestMs + this.#options.lingerMs - this.#options.clock.monotonicMs();
  }

  /** Timers tick in whole milliseconds: less than half of one is not worth waiting for. */
  #isWorthCall(): boolean {
    if (this.#waitingOperations >= goodBatchOperations || this.#drained.length > 0) return true;
    return this.#lingerLeftMs() < 0.5;
  }

  #takeBatch(): QueuedUpdate[] {
    let [taken, operations, bytes] = [0, 0, 0];
    for (const update of this.#waiting) {
      operations += update.operations.length;
      bytes += update.bytes;
      if (taken > 0 && (operations > batchOperationsMax || bytes > batchBytesMax)) break;
      taken += 1;
    }
    const batch = this.#waiting.splice(0, taken);
    for (const update of batch) this.#waitingOperations -= update.operations.length;
    return batch;
  }

  async #applyBatch(batch: readonly QueuedUpdate[]): Promise<void> {
    const operations = batch.length === 1 ? (batch[0]?.operations ?? []) : batch.flatMap((u) => u.operations);
    try {
      settle(batch, await this.#apply(operations, this.#options.clock.wallMs()));
    } catch (thrown) {
      for (const { updater } of batch) updater.failed(thrown);
    }
    this.#options.onBatch(
      operations.length,
      batch.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    if (this.#waiting.length === 0) this.#move('idle');
    else this.#move(this.#isWorthCall() ? 'applying' : 'lingering');
  }
}

function settle(batch: readonly QueuedUpdate[], outcomes: readonly SessionOutcome[] | undefined): void {
  let next = 0;
  for (const { operations, updater } of batch) {
    updater.applied(outcomes?.slice(next, next + operations.length));
    next += operations.length;
  }
}
