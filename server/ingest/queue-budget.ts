/**
 * How much all queues of the process may hold together. What is queued, and what is being committed,
 * lies in memory; beyond the bound a write is refused instead (503), so that a slow Redis can't exhaust it.
 */
import type { EventRecord } from '../store/event-record.ts';

export class QueueBudget {
  readonly #eventsMax: number;
  readonly #bytesMax: number;
  #events = 0;
  #bytes = 0;

  constructor(eventsMax: number, bytesMax: number) {
    this.#eventsMax = eventsMax;
    this.#bytesMax = bytesMax;
  }

  get events(): number {
    return this.#events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes room for a whole write, or answers false and takes nothing. When nothing is queued any one write
   * fits: its size is bounded by the request limits, and otherwise it could never be accepted.
   */
  take(events: number, bytes: number): boolean {
    const fits = this.#events + events <= this.#eventsMax && this.#bytes + bytes <= this.#bytesMax;
    if (!fits && this.#events > 0) return false;
    this.#events += events;
    this.#bytes += bytes;
    return true;
  }

  give(events: number, bytes: number): void {
    this.#events -= events;
    this.#bytes -= bytes;
  }
}

/** What an event weighs in the queue: the UTF-8 bytes of its document, by far its largest part. */
export function queuedBytes(event: EventRecord): number {
  return Buffer.byteLength(event.json);
}
