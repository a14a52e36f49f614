/**
 * Sends the crowd's acts as requests and settles the fate of each in the ledger.
 *
 * A slot has one act in flight. Acts that come due meanwhile wait in the slot, oldest first: so a person's
 * events are acknowledged in order, and a slow target shows as `blocked` and in the response time, never
 * as fewer acts, until a slot has no more room (`waitingPerSlotMax`). Retries keep the event and its number
 * (`event.seq`), so the collector counts it once.
 *
 * Cost: about 3 us an event beside the socket's own (request text 1, ledger and recorder 1).
 */
import type { Clock } from '../../server/base/clock.ts';
import type { Visitor } from '../crowd/visitor.ts';
import { DueQueue } from '../schedule/due-queue.ts';
import { type EventRequests, eventTypes } from '../targets/event-request.ts';
import { readWriteOutcome } from '../targets/write-outcome.ts';
import type { ExchangeHandler, Failure, HttpPool, Reply } from '../transport/http-pool.ts';
import { type Act, ActTable, type Slot } from './act.ts';
import { actLine } from './client-log-lines.ts';
import type { ClientLogs } from './client-logs.ts';
import { CrowdCounters } from './crowd-counters.ts';
import type { CrowdLatency } from './crowd-latency.ts';
import { Ledger } from './ledger.ts';
import { retryDelayMs } from './retry-delay.ts';

export interface EventSenderOptions {
  readonly requests: EventRequests;
  readonly makePool: (handler: ExchangeHandler) => HttpPool;
  readonly latency: CrowdLatency;
  readonly logs: ClientLogs;
  readonly clock: Clock;
  readonly startMonotonicMs: number;
}

/** What the sender asks of whoever drives it. Times are run-relative milliseconds. */
export interface SenderOwner {
  /** Call `sendDue` at this time, or before. */
  wakeAt(atMs: number): void;
  /** A slot has nothing open any more. */
  onIdle(nowMs: number): void;
}

/**
 * Acts that may wait in one slot: 83 minutes of heartbeats every 5 s. A waiting act takes 170 bytes (the
 * object and its two times, measured on Node 20), so a slot takes at most 170 KB while the target is away,
 * and beyond that acts are dropped and counted.
 */
const waitingPerSlotMax = 1000;

export class EventSender implements ExchangeHandler {
  readonly ledger = new Ledger();
  readonly counters = new CrowdCounters();
  readonly #options: EventSenderOptions;
  readonly #owner: SenderOwner;
  readonly #pool: HttpPool;
  readonly #latency: CrowdLatency;
  readonly #retries = new DueQueue();
  readonly #acts = new ActTable();
  #stopped = false;
  #closed = false;

  constructor(options: EventSenderOptions, owner: SenderOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#latency = options.latency;
    this.#pool = options.makePool(this);
  }

  /** Events that are planned and not settled yet. */
  get open(): number {
    return this.#acts.live;
  }

  /** When the next event must be sent again; `Infinity` if none must. */
  get nextRetryMs(): number {
    return this.#retries.size > 0 && !this.#stopped ? this.#retries.peekDueMs() : Number.POSITIVE_INFINITY;
  }

  /** Takes a visitor's next act, which is due, and sends it as soon as the slot's earlier ones are settled. */
  plan(slot: Slot, visitor: Visitor, nowMs: number): void {
    if (this.#stopped || slot.waiting >= waitingPerSlotMax) {
      this.#turnAway(visitor, this.#stopped ? 'failed' : 'dropped');
      return;
    }
    const act = this.#acts.take(slot, slot.visit);
    act.kind = visitor.kind;
    act.dueMs = visitor.dueMs;
    act.pageIndex = visitor.pageIndex;
    act.seq = visitor.seq;
    act.readyMs = nowMs;
    this.ledger.fates(act.kind).planned += 1;
    if (slot.current === undefined) {
      slot.current = act;
      this.#dispatch(act);
      return;
    }
    if (slot.lastWaiting === undefined) slot.firstWaiting = act;
    else slot.lastWaiting.next = act;
    slot.lastWaiting = act;
    slot.waiting += 1;
  }

  /**
   * dropped: the generator has no room for the act, which invalidates the run. failed: it came due when the
   * time for sending was over.
   */
  #turnAway(visitor: Visitor, fate: 'dropped' | 'failed'): void {
    const fates = this.ledger.fates(visitor.kind);
    fates.planned += 1;
    fates[fate] += 1;
  }

  /** Sends again what is due to be. */
  sendDue(nowMs: number): void {
    while (!this.#stopped && this.#retries.size > 0 && this.#retries.peekDueMs() <= nowMs) {
      const act = this.#acts.get(this.#retries.popSlot());
      if (act !== undefined) this.#dispatch(act);
    }
  }

  /**
   * Sends nothing more, but waits for the answers to what is on its way: those events are stored or not, and
   * a moment later that is known. What waits to be sent is counted as failed, or as unknown after an attempt.
   */
  stop(nowMs: number): void {
    this.#stopped = true;
    for (const act of this.#acts.all()) if (!this.#isInFlight(act)) this.#giveUp(act, nowMs);
  }

  #isInFlight(act: Act): boolean {
    return act.slot?.current === act && !this.#retries.has(act.token) && !this.#pool.withdraw(act.token);
  }

  /** Counts what is open as unknown if it may have been delivered, else as failed; sends nothing more. */
  close(nowMs: number): void {
    this.#closed = true;
    for (const act of this.#acts.all()) this.#giveUp(act, nowMs);
    this.#pool.close();
  }

  onSent(token: number, atMs: number): void {
    const act = this.#acts.get(token);
    if (act === undefined) return;
    act.sentMs = atMs - this.#options.startMonotonicMs;
    act.maybeDelivered = true;
    if (act.firstSentMs >= 0) return;
    act.firstSentMs = act.sentMs;
    this.ledger.fates(act.kind).sent += 1;
    this.#latency.record('lateness', act.kind, act.readyMs - act.dueMs);
    this.#latency.record('blocked', act.kind, act.firstSentMs - act.readyMs);
  }

  onReply(token: number, reply: Reply, atMs: number): void {
    const act = this.#acts.get(token);
    if (act === undefined) return;
    const nowMs = atMs - this.#options.startMonotonicMs;
    const outcome = readWriteOutcome(reply.status, reply.body);
    this.#log(act, String(reply.status), nowMs);
    if (outcome.fate === 'retry') {
      // Even a 503 does not prove that nothing was stored (its commit may have outlived a time limit), so
      // the act stays in doubt until an attempt is answered.
      this.#retry(act, outcome.reason, reply.retryAfterMs, nowMs);
      return;
    }
    this.#latency.record('service', act.kind, nowMs - act.sentMs);
    const fates = this.ledger.fates(act.kind);
    if (outcome.fate === 'rejected') this.ledger.reject(act.kind, outcome.reason);
    else this.#acknowledge(act, outcome.fate === 'accepted' ? 'accepted' : 'duplicates', fates);
    this.#settle(act, nowMs);
  }

  onFailure(token: number, failure: Failure, atMs: number): void {
    const act = this.#acts.get(token);
    if (act === undefined || this.#closed) return;
    const nowMs = atMs - this.#options.startMonotonicMs;
    if (failure.maybeDelivered) act.maybeDelivered = true;
    this.#log(act, failure.kind, nowMs);
    this.#retry(act, failure.kind, -1, nowMs);
  }

  #dispatch(act: Act): void {
    const { visit } = act;
    if (visit === undefined) return;
    act.attempts += 1;
    const { requests } = this.#options;
    const request = requests.render(visit.visitor, visit.text, act.kind, act.dueMs, act.pageIndex, act.seq);
    this.#pool.send(act.token, request);
  }

  #retry(act: Act, reason: string, retryAfterMs: number, nowMs: number): void {
    this.counters.error(reason);
    if (this.#stopped) {
      this.#giveUp(act, nowMs);
      this.#owner.onIdle(nowMs);
      return;
    }
    const atMs = nowMs + retryDelayMs(act.attempts, retryAfterMs, act.token);
    this.#retries.push(act.token, atMs);
    this.#owner.wakeAt(atMs);
  }

  #acknowledge(act: Act, fate: 'accepted' | 'duplicates', fates: ReturnType<Ledger['fates']>): void {
    fates[fate] += 1;
    const { visit } = act;
    if (visit === undefined) return;
    if (!visit.acknowledged) {
      visit.acknowledged = true;
      this.ledger.record.sessions += 1;
    }
    this.ledger.countUnique(act.kind, this.#options.requests.timeMs(act.dueMs), visit.marks);
    this.counters.acknowledge(act.kind);
  }

  #settle(act: Act, nowMs: number): void {
    this.#latency.record('response', act.kind, nowMs - act.dueMs);
    const { slot } = act;
    this.#acts.release(act);
    if (slot === undefined) return;
    const next = this.#stopped ? undefined : slot.firstWaiting;
    slot.current = next;
    if (next !== undefined) {
      slot.waiting -= 1;
      slot.firstWaiting = next.next;
      if (slot.firstWaiting === undefined) slot.lastWaiting = undefined;
      next.next = undefined;
      this.#dispatch(next);
    } else {
      this.#owner.onIdle(nowMs);
    }
  }

  /** The run is over and the act is still open. Its age so far is its response time: no tail is forgotten. */
  #giveUp(act: Act, nowMs: number): void {
    const fates = this.ledger.fates(act.kind);
    if (act.maybeDelivered) fates.unknown += 1;
    else fates.failed += 1;
    this.#latency.record('response', act.kind, nowMs - act.dueMs);
    this.#log(act, 'given-up', nowMs);
    this.#acts.release(act);
  }

  #log(act: Act, status: string, nowMs: number): void {
    const { slot, visit } = act;
    if (slot === undefined || visit === undefined || !this.#options.logs.wants(slot.number)) return;
    const path = this.#options.requests.pagePath(act.pageIndex);
    const line = actLine(eventTypes[act.kind] ?? 'view', path, status, nowMs - act.dueMs, act.attempts);
    this.#options.logs.line(slot.number, this.#options.requests.timeMs(act.dueMs), line);
  }
}
