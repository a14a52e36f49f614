/**
 * One tab of a visit: what is read in it, its own heartbeats, its own numbers, and what is still to be done on the
 * page that is open. Its next is the earliest of the three; at the same instant a deed goes first, a heartbeat last.
 */
import type { RandomStream } from '../random/random-stream.ts';
import { noPage } from './site-map.ts';
import type { HeartbeatClock } from './visitor.ts';

/** An event that is planned beside the reading. */
export interface PendingDeed {
  readonly kind: number;
  readonly dueMs: number;
  readonly extra: string;
}

export type TabStep = 'view' | 'heartbeat' | 'deed' | 'close';

export class Tab {
  readonly number: number;
  readonly stream: RandomStream;
  /** Number of the tab's next event. */
  seq = 1;
  pageIndex: number;
  /** When `readingPage` is opened, or the tab closed (`noPage`). */
  readingDueMs = 0.5;
  readingPage: number;
  next: TabStep = 'view';
  nextDueMs = 0.5;
  readonly #baseMs: number = 0.5;
  readonly #intervalMs: number;
  #beats: number;
  /** Soonest first; undefined until there is something to do. */
  #pending: PendingDeed[] | undefined;

  constructor(
    number: number,
    stream: RandomStream,
    heartbeat: HeartbeatClock,
    firstPage: number,
    firstDueMs: number,
  ) {
    this.number = number;
    this.stream = stream;
    this.#baseMs = heartbeat.baseMs;
    this.#intervalMs = heartbeat.intervalMs;
    this.#beats = heartbeat.first;
    this.pageIndex = firstPage;
    this.readingPage = firstPage;
    this.readingDueMs = firstDueMs;
    this.choose();
  }

  /** The deed that is next; only if `next` says so. */
  get deed(): PendingDeed {
    return this.#pending?.[0] as PendingDeed;
  }

  /** Plans a deed; of two at the same time the one planned first goes first. */
  plan(deed: PendingDeed): void {
    this.#pending ??= [];
    const at = this.#pending.findIndex((other) => other.dueMs > deed.dueMs);
    this.#pending.splice(at < 0 ? this.#pending.length : at, 0, deed);
  }

  /** The step that was next has been made. */
  made(): void {
    if (this.next === 'heartbeat') this.#beats += 1;
    else if (this.next === 'deed') this.#pending?.shift();
    this.choose();
  }

  choose(): void {
    const heartbeatMs = this.#baseMs + this.#beats * this.#intervalMs;
    const deedMs = this.#pending?.[0]?.dueMs ?? Number.POSITIVE_INFINITY;
    if (deedMs <= this.readingDueMs && deedMs <= heartbeatMs) {
      this.next = 'deed';
      this.nextDueMs = deedMs;
    } else if (heartbeatMs < this.readingDueMs) {
      this.next = 'heartbeat';
      this.nextDueMs = heartbeatMs;
    } else {
      this.next = this.readingPage === noPage ? 'close' : 'view';
      this.nextDueMs = this.readingDueMs;
    }
  }
}
