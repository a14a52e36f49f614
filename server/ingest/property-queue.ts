/**
 * The queue of one property, and its group commit: many requests share one commit, because a commit of one
 * event costs Redis 63 us and a commit of a hundred 8 us an event.
 *
 * States and moves (`#move` makes them all):
 *
 *   idle        nothing is queued, nothing is being committed.
 *               A write arrives: -> gathering.
 *   gathering   the first write came in this turn of the event loop. Requests that lie in other sockets
 *               already are read in the same turn and join it.  The turn ends: -> committing.
 *   committing  one batch is at the store, at most one at a time; writes that arrive meanwhile are queued.
 *               The batch is done or failed. Nothing queued: -> idle. Queued, and worth a commit (enough
 *               events for a good batch, or the oldest waits `lingerMs` already, or so few events come that
 *               waiting would gather less than `lingerGainMin` of them, or somebody drains the queue):
 *               -> committing. Otherwise: -> lingering.
 *   lingering   under load: waits until the oldest write is `lingerMs` old, so that the batch grows.
 *               Time is up, or the batch is large enough, or somebody drains: -> committing.
 *
 * A write of many events may span batches; it is settled when its last event is. A batch that fails fails
 * the writes in it, with what they still have queued; the writes behind it go on.
 */
import assert from 'node:assert';
import type { Clock } from '../base/clock.ts';
import type { CommitOutcome, EventRecord } from '../store/event-record.ts';
import { type QueueBudget, queuedBytes } from './queue-budget.ts';

/** Applies a batch: one outcome per event, in order. The queue never calls it twice at a time. */
export type Commit = (events: readonly EventRecord[]) => Promise<CommitOutcome[]>;

export interface QueueOptions {
  readonly clock: Clock;
  readonly budget: QueueBudget;
  /** Caps of one commit. */
  readonly batchEventsMax: number;
  readonly batchBytesMax: number;
  /** A write waits at most this long for others to join it. */
  readonly lingerMs: number;
  /** Enough events for a good batch: lingering ends. */
  readonly lingerEventsMax: number;
  /** Events that must be expected within `lingerMs`, at the rate of late, for lingering to be worth it. Default 0. */
  readonly lingerGainMin?: number | undefined;
}

/** Who gave a write to the queue, and is told once what became of it. Neither function may throw. */
export interface Writer {
  /** All events are applied; one outcome per event, in order. */
  stored(outcomes: readonly CommitOutcome[]): void;
  /** A commit threw; some of the events may have been applied. */
  failed(thrown: unknown): void;
}

type State = 'idle' | 'gathering' | 'committing' | 'lingering';

interface QueuedWrite {
  readonly events: readonly EventRecord[];
  readonly bytes: number;
  /** Of the events of a write that spans batches, so far. */
  outcomes: CommitOutcome[] | undefined;
  /** How many of its events have left the queue. */
  taken: number;
  /** How many of its events are in the batch that is being committed. */
  inBatch: number;
  readonly writer: Writer;
}

interface Batch {
  readonly events: EventRecord[];
  readonly writes: QueuedWrite[];
  bytes: number;
}

export class PropertyQueue {
  readonly #commit: Commit;
  readonly #options: QueueOptions;
  #state: State = 'idle';
  #waiting: QueuedWrite[] = [];
  #waitingEvents = 0;
  #oldestMs = 0;
  #lingerTimer: NodeJS.Timeout | undefined;
  #drained: (() => void)[] = [];
  /** Events that were added since the last batch was taken, and when that was. */
  #arrived = 0;
  #takenMs: number;
  /** Events per millisecond, of late; undefined before there is a figure. */
  #rate: number | undefined;
  /** Monotonic ms of the last write or settled batch; for dropping queues that nobody uses. */
  #usedMs: number;

  constructor(commit: Commit, options: QueueOptions) {
    this.#commit = commit;
    this.#options = options;
    this.#usedMs = options.clock.monotonicMs();
    this.#takenMs = this.#usedMs;
  }

  /** Queues a write whose room in the budget (all its events, `bytes` in all) was taken. At least one event. */
  add(events: readonly EventRecord[], bytes: number, writer: Writer): void {
    assert(events.length > 0, 'a write without events needs no queue');
    if (this.#waitingEvents === 0) this.#oldestMs = this.#options.clock.monotonicMs();
    this.#waiting.push({ events, bytes, outcomes: undefined, taken: 0, inBatch: 0, writer });
    this.#waitingEvents += events.length;
    this.#arrived += events.length;
    if (this.#state === 'idle') this.#move('gathering');
    else if (this.#state === 'lingering' && this.#isWorthCommit()) this.#move('committing');
  }

  /** Resolves when nothing is queued or being committed; until then nothing lingers. */
  drain(): Promise<void> {
    if (this.#state === 'idle') return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      if (this.#state === 'lingering') this.#move('committing');
    });
  }

  isIdleSince(monotonicMs: number): boolean {
    return this.#state === 'idle' && this.#usedMs <= monotonicMs;
  }

  #move(to: State): void {
    clearTimeout(this.#lingerTimer);
    this.#state = to;
    switch (to) {
      case 'idle':
        this.#usedMs = this.#options.clock.monotonicMs();
        for (const resolve of this.#drained.splice(0)) resolve();
        return;
      case 'gathering':
        setImmediate(() => this.#move('committing'));
        return;
      case 'committing':
        void this.#commitBatch(this.#takeBatch());
        return;
      case 'lingering':
        this.#lingerTimer = setTimeout(() => this.#move('committing'), this.#lingerLeftMs());
        return;
      default:
        to satisfies never;
    }
  }

  #lingerLeftMs(): number {
    return this.#oldestMs + this.#options.lingerMs - this.#options.clock.monotonicMs();
  }

  /** Timers tick in whole milliseconds: less than half of one is not worth waiting for. */
  #isWorthCommit(): boolean {
    if (this.#waitingEvents >= this.#options.lingerEventsMax || this.#drained.length > 0) return true;
    return this.#lingerLeftMs() < 0.5 || !this.#isLingerWorth();
  }

  #isLingerWorth(): boolean {
    const { lingerGainMin = 0, lingerMs } = this.#options;
    return this.#rate === undefined || this.#rate * lingerMs >= lingerGainMin;
  }

  /** A batch is being taken: the rate follows the last ten or so. */
  #noteRate(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const elapsedMs = nowMs - this.#takenMs;
    // Without time there is no rate; what came waits for the next look.
    if (elapsedMs <= 0) return;
    const rate = this.#arrived / elapsedMs;
    this.#rate = this.#rate === undefined ? rate : 0.8 * this.#rate + 0.2 * rate;
    this.#arrived = 0;
    this.#takenMs = nowMs;
  }

  #takeBatch(): Batch {
    this.#noteRate();
    const batch: Batch = { events: [], writes: [], bytes: 0 };
    let emptied = 0;
    for (const write of this.#waiting) {
      this.#takeFrom(write, batch);
      if (write.inBatch > 0) batch.writes.push(write);
      if (write.taken < write.events.length) break;
      emptied += 1;
    }
    this.#waiting.splice(0, emptied);
    this.#waitingEvents -= batch.events.length;
    return batch;
  }

  /** Moves as many events of a write into the batch as its caps allow; at least one into an empty batch. */
  #takeFrom(write: QueuedWrite, batch: Batch): void {
    const { batchEventsMax, batchBytesMax } = this.#options;
    write.inBatch = 0;
    while (write.taken < write.events.length && batch.events.length < batchEventsMax) {
      const event = write.events[write.taken] as EventRecord;
      const bytes = write.events.length === 1 ? write.bytes : queuedBytes(event);
      if (batch.events.length > 0 && batch.bytes + bytes > batchBytesMax) return;
      batch.events.push(event);
      batch.bytes += bytes;
      write.taken += 1;
      write.inBatch += 1;
    }
  }

  async #commitBatch(batch: Batch): Promise<void> {
    try {
      const outcomes = await this.#commit(batch.events);
      assert.equal(outcomes.length, batch.events.length, 'the store owes one outcome per event');
      this.#settle(batch, outcomes);
    } catch (thrown) {
      this.#fail(batch, thrown);
    }
    this.#options.budget.give(batch.events.length, batch.bytes);
    if (this.#waitingEvents === 0) this.#move('idle');
    else this.#move(this.#isWorthCommit() ? 'committing' : 'lingering');
  }

  #settle(batch: Batch, outcomes: readonly CommitOutcome[]): void {
    let next = 0;
    for (const write of batch.writes) {
      const own = outcomes.slice(next, next + write.inBatch);
      next += write.inBatch;
      if (write.outcomes === undefined) write.outcomes = own;
      else write.outcomes.push(...own);
      if (write.outcomes.length === write.events.length) write.writer.stored(write.outcomes);
    }
  }

  /** Only the last write of a batch can have events queued still, and then it heads the queue. */
  #fail(batch: Batch, thrown: unknown): void {
    for (const write of batch.writes) write.writer.failed(thrown);
    const cut = batch.writes.at(-1);
    if (cut === undefined || cut.taken === cut.events.length) return;
    assert(this.#waiting.shift() === cut);
    const dropped = cut.events.slice(cut.taken);
    this.#waitingEvents -= dropped.length;
    this.#options.budget.give(
      dropped.length,
      dropped.reduce((bytes, event) => bytes + queuedBytes(event), 0),
    );
  }
}
