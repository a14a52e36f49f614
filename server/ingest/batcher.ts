/**
 * The queues of all properties: one each, made when the first write for it comes and dropped (with the
 * store's caches for that property) when nobody has written for a while.
 */
import type { Clock } from '../base/clock.ts';
import { formatPropertyName, type PropertyName } from '../protocol/property.ts';
import { type Lineage, noLineage } from '../store/durability.ts';
import type { CommitOutcome, EventRecord } from '../store/event-record.ts';
import { type Commit, PropertyQueue, type QueueOptions, type Writer } from './property-queue.ts';
import { QueueBudget, queuedBytes } from './queue-budget.ts';

export interface BatcherOptions {
  readonly clock: Clock;
  /** Called when a property is written to for the first time, or again after its queue was dropped. */
  readonly openStore: (property: PropertyName) => PropertyCommits;
  /** Caps of one commit, from the store. */
  readonly batchEventsMax: number;
  readonly batchBytesMax: number;
  /** Bounds of all queues together. Default 50,000 events and 64 MiB. */
  readonly queueEventsMax?: number | undefined;
  readonly queueBytesMax?: number | undefined;
  /**
   * How long a write may wait for others when 2,000 events or more come in a second; a slower stream does not wait.
   * Default 8 ms; 0 = never. At 5,700 events a second, those of 20,000 visitors, 4 ms gather 23 events and 11 ms 64;
   * paced so, a heartbeat costs Redis 20 to 24 us in commits of 23 and 11 us in commits of 64, for each commit finds
   * the caches of a shared core cold.
   */
  readonly lingerMs?: number | undefined;
  /** Properties with a queue at a time. Default 10,000. */
  readonly propertiesMax?: number | undefined;
  /** A queue unused this long is dropped. Default 5 min. */
  readonly propertyIdleMs?: number | undefined;
}

/** Where the events of one property go. `close`, if there is one, ends what it holds. */
export interface PropertyCommits {
  readonly commit: Commit;
  /** Which Redis the commits went to. */
  readonly lineage?: Lineage | undefined;
  close?(): void;
}

/** Why a write was not even queued. */
export type WriteRefusal = 'queue_full' | 'too_many_properties';

/** Enough for a commit: an event cost Redis 13.5 us in batches of 10 and 8 us of 100, so waiting gains little more. */
const goodBatchEvents = 64;

/** Fewer events than these are not worth the wait: 2,000 a second in 8 ms. */
const lingerGainMin = 16;

const sweepIntervalMs = 60_000;
/** At the cap of properties every write for a new one would sweep; no more often than this. */
const sweepPauseMs = 1000;

interface OpenQueue {
  readonly queue: PropertyQueue;
  readonly store: PropertyCommits;
}

export class Batcher {
  readonly #options: BatcherOptions;
  readonly #queueOptions: QueueOptions;
  readonly #budget: QueueBudget;
  readonly #queues = new Map<string, OpenQueue>();
  readonly #sweepTimer: NodeJS.Timeout;
  /** The queue that was written to last; nearly always the next one too. */
  #lastProperty: PropertyName | undefined;
  #lastOpen: OpenQueue | undefined;
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(options: BatcherOptions) {
    const { clock, batchEventsMax, batchBytesMax, lingerMs = 8 } = options;
    this.#options = options;
    this.#budget = new QueueBudget(options.queueEventsMax ?? 50_000, options.queueBytesMax ?? 64 * 1_048_576);
    const lingerEventsMax = Math.min(goodBatchEvents, batchEventsMax);
    this.#queueOptions = {
      clock,
      budget: this.#budget,
      batchEventsMax,
      batchBytesMax,
      lingerMs,
      lingerEventsMax,
      lingerGainMin,
    };
    this.#sweepTimer = setInterval(() => this.dropIdleQueues(), sweepIntervalMs).unref();
  }

  /** What is queued or being committed now. */
  get queued(): { readonly events: number; readonly bytes: number } {
    return { events: this.#budget.events, bytes: this.#budget.bytes };
  }

  /** Which Redis a property's commits went to; of one without a queue nothing is known. */
  lineageOf(property: PropertyName): Lineage {
    return this.#queues.get(formatPropertyName(property))?.store.lineage ?? noLineage;
  }

  /** How many properties have a queue. */
  get properties(): number {
    return this.#queues.size;
  }

  /**
   * Queues a write as a whole, or refuses it as a whole. The promise resolves with one outcome per event,
   * in order, when all are applied; it rejects with what the commit threw, and then some of the events may
   * have been applied: sending the write again is safe for events with a number or an id.
   */
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

  /** The same for the hot path: the writer is told, which costs no promise. Undefined when it is queued. */
  submit(property: PropertyName, events: readonly EventRecord[], writer: Writer): WriteRefusal | undefined {
    if (events.length === 0) {
      writer.stored([]);
      return undefined;
    }
    const open =
      property === this.#lastProperty ? this.#lastOpen : this.#queues.get(formatPropertyName(property));
    if (open === undefined && !this.#hasRoomForProperty()) return 'too_many_properties';
    let bytes = 0;
    for (const event of events) bytes += queuedBytes(event);
    if (!this.#budget.take(events.length, bytes)) return 'queue_full';
    this.#lastOpen = open ?? this.#open(property);
    this.#lastProperty = property;
    this.#lastOpen.queue.add(events, bytes, writer);
    return undefined;
  }

  /** Resolves when nothing is queued or being committed. Does not keep new writes out: the caller does. */
  async drain(): Promise<void> {
    await Promise.all(Array.from(this.#queues.values(), ({ queue }) => queue.drain()));
  }

  /** Ends the timers and the stores. After `drain`. */
  close(): void {
    clearInterval(this.#sweepTimer);
    for (const { store } of this.#queues.values()) store.close?.();
    this.#queues.clear();
    this.#lastProperty = undefined;
  }

  /** Drops the queues that were not used for `propertyIdleMs`. A timer calls it every minute. */
  dropIdleQueues(): void {
    this.#lastProperty = undefined;
    this.#sweptMs = this.#options.clock.monotonicMs();
    const sinceMs = this.#sweptMs - (this.#options.propertyIdleMs ?? 5 * 60_000);
    for (const [name, { queue, store }] of this.#queues) {
      if (!queue.isIdleSince(sinceMs)) continue;
      this.#queues.delete(name);
      store.close?.();
    }
  }

  #hasRoomForProperty(): boolean {
    const propertiesMax = this.#options.propertiesMax ?? 10_000;
    if (this.#queues.size < propertiesMax) return true;
    if (this.#options.clock.monotonicMs() - this.#sweptMs >= sweepPauseMs) this.dropIdleQueues();
    return this.#queues.size < propertiesMax;
  }

  #open(property: PropertyName): OpenQueue {
    const store = this.#options.openStore(property);
    const open = { store, queue: new PropertyQueue((events) => store.commit(events), this.#queueOptions) };
    this.#queues.set(formatPropertyName(property), open);
    return open;
  }
}
