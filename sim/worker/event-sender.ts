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
import { drawPassage, type NetworkLife } from '../crowd/network-life.ts';
import type { Visitor } from '../crowd/visitor.ts';
import { DueQueue } from '../schedule/due-queue.ts';
import type { EventRequests } from '../targets/event-request.ts';
import { readHeartbeatOutcome } from '../targets/heartbeat-outcome.ts';
import { readWriteOutcome, type WriteOutcome } from '../targets/write-outcome.ts';
import type { ExchangeHandler, Failure, HttpPool, Reply } from '../transport/http-pool.ts';
import { type Act, ActTable, type Slot } from './act.ts';
import { actLine } from './client-log-lines.ts';
import type { ClientLogs } from './client-logs.ts';
import type { CrowdLatency } from './crowd-latency.ts';
import { EventCounts } from './event-counts.ts';
import { retryDelayMs } from './retry-delay.ts';
import { FreshnessSample } from './unknown-acts.ts';

export interface EventSenderOptions {
  /** The crowd's event types, by act kind. */
  readonly types: readonly string[];
  /** What happens to events on their way; undefined: nothing. */
  readonly network?: NetworkLife | undefined;
  /** Default true: a person's events are acknowledged in the order of their times. */
  readonly inOrder?: boolean;
  readonly requests: EventRequests;
  readonly makePool: (handler: ExchangeHandler) => HttpPool;
  readonly latency: CrowdLatency;
  readonly logs: ClientLogs;
  readonly clock: Clock;
  readonly startMonotonicMs: number;
  /** Told that the target refused the token that requests carry now. They are sent again. */
  readonly onUnauthorized?: ((token: string) => void) | undefined;
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

/** What the ledger notes of a copy, which is accepted only where it overtakes its event. */
const copyNotes = {
  accepted: 'copiesAccepted',
  duplicate: 'copiesDuplicate',
  rejected: 'copiesRejected',
} as const;

export class EventSender implements ExchangeHandler {
  readonly counts: EventCounts;
  /** Now and then an event that was just acknowledged, for the audit to look for. */
  readonly sample = new FreshnessSample();
  readonly #options: EventSenderOptions;
  readonly #owner: SenderOwner;
  readonly #pool: HttpPool;
  readonly #latency: CrowdLatency;
  readonly #retries = new DueQueue();
  /** What the network holds back, by token. */
  readonly #held = new DueQueue();
  readonly #acts = new ActTable();
  #stopped = false;
  #closed = false;

  constructor(options: EventSenderOptions, owner: SenderOwner) {
    this.#options = options;
    const inOrder = options.inOrder ?? options.network === undefined;
    this.counts = new EventCounts(options.types, options.requests, inOrder);
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
    return this.#stopped
      ? Number.POSITIVE_INFINITY
      : Math.min(this.#retries.peekDueMs(), this.#held.peekDueMs());
  }

  /** Takes a visitor's next act, which is due. Undefined if there is no room for it, or no time. */
  plan(slot: Slot, visitor: Visitor, nowMs: number): Act | undefined {
    if (this.#stopped || slot.waiting >= waitingPerSlotMax) {
      this.#turnAway(visitor, this.#stopped ? 'failed' : 'dropped');
      return undefined;
    }
    const act = this.#acts.take(slot, slot.visit);
    act.kind = visitor.kind;
    act.dueMs = visitor.dueMs;
    act.meantMs = visitor.dueMs;
    act.pageIndex = visitor.pageIndex;
    act.seq = visitor.seq;
    act.tab = visitor.tab;
    act.extra = visitor.extra;
    act.readyMs = nowMs;
    this.counts.ledger.fates(act.kind).planned += 1;
    return act;
  }

  /**
   * Sends a planned act as soon as the slot's earlier ones are settled, or lets the network have its way with it.
   * @param isLast no other event of the visit follows
   */
  submit(act: Act, isLast: boolean, nowMs: number): void {
    const { network } = this.#options;
    if (network !== undefined && !this.#passes(act, network, isLast, nowMs)) return;
    this.#enqueue(act);
  }

  #enqueue(act: Act): void {
    const { slot } = act;
    if (slot === undefined) return;
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

  /** False if the act is not sent now: it is held back, or lost. */
  #passes(act: Act, network: NetworkLife, isLast: boolean, nowMs: number): boolean {
    const stream = act.visit?.network;
    if (stream === undefined) return true;
    const { delayMs, againAfterMs, isDropped, isLostIfLast } = drawPassage(network, stream);
    if (isLast && isLostIfLast) {
      this.counts.ledger.note('lostAtUnload');
      this.counts.ledger.fates(act.kind).dropped += 1;
      this.#acts.release(act);
      this.#owner.onIdle(nowMs);
      return false;
    }
    act.isUnheard = isDropped;
    act.againAfterMs = againAfterMs;
    if (delayMs === 0) return true;
    this.counts.ledger.note('delayed');
    this.#hold(act, act.dueMs + delayMs);
    return false;
  }

  #hold(act: Act, untilMs: number): void {
    act.meantMs = untilMs;
    this.#held.push(act.token, untilMs);
    this.#owner.wakeAt(untilMs);
  }

  /** The same event once more, whether the first sending is answered or not. */
  #copy(act: Act): void {
    const { slot, visit } = act;
    if (slot === undefined || visit === undefined) return;
    const copy = this.#acts.take(slot, visit);
    copy.kind = act.kind;
    copy.dueMs = act.dueMs;
    copy.pageIndex = act.pageIndex;
    copy.seq = act.seq;
    copy.tab = act.tab;
    copy.extra = act.extra;
    copy.isCopy = true;
    this.counts.ledger.note('copies');
    this.#hold(copy, act.firstSentMs + act.againAfterMs);
  }

  /**
   * dropped: the generator has no room for the act, which invalidates the run. failed: it came due when the
   * time for sending was over.
   */
  #turnAway(visitor: Visitor, fate: 'dropped' | 'failed'): void {
    const fates = this.counts.ledger.fates(visitor.kind);
    fates.planned += 1;
    fates[fate] += 1;
  }

  /** Sends again what is due to be. */
  sendDue(nowMs: number): void {
    while (!this.#stopped && this.#held.peekDueMs() <= nowMs) {
      const act = this.#acts.get(this.#held.popSlot());
      if (act === undefined) continue;
      act.readyMs = nowMs;
      if (act.isCopy) this.#dispatch(act);
      else this.#enqueue(act);
    }
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
    const waits = this.#retries.has(act.token) || this.#held.has(act.token);
    return (act.isCopy || act.slot?.current === act) && !waits && !this.#pool.withdraw(act.token);
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
    if (act.isCopy) return;
    if (act.againAfterMs >= 0) this.#copy(act);
    this.counts.ledger.fates(act.kind).sent += 1;
    this.#latency.record('lateness', act.kind, act.readyMs - act.meantMs);
    this.#latency.record('blocked', act.kind, act.firstSentMs - act.readyMs);
  }

  onReply(token: number, reply: Reply, atMs: number): void {
    const act = this.#acts.get(token);
    if (act === undefined) return;
    const nowMs = atMs - this.#options.startMonotonicMs;
    if (act.isUnheard) {
      act.isUnheard = false;
      this.counts.ledger.note('answersLost');
      this.#log(act, 'lost', nowMs);
      this.#retry(act, 'answer lost', -1, nowMs);
      return;
    }
    const outcome = this.#outcomeOf(act, reply);
    this.#log(act, String(reply.status), nowMs);
    if (outcome.fate === 'retry') {
      // Even a 503 does not prove that nothing was stored (its commit may have outlived a time limit), so
      // the act stays in doubt until an attempt is answered.
      this.#retry(act, outcome.reason, reply.retryAfterMs, nowMs);
      return;
    }
    if (act.isCopy) {
      this.counts.ledger.note(copyNotes[outcome.fate]);
      this.#acts.release(act);
      this.#owner.onIdle(nowMs);
      return;
    }
    this.#latency.record('service', act.kind, nowMs - act.sentMs);
    if (outcome.fate === 'rejected') this.counts.ledger.reject(act.kind, outcome.reason);
    else {
      this.counts.acknowledge(act, outcome.fate === 'accepted' ? 'accepted' : 'duplicates');
      if (this.sample.isWanted && !this.#options.requests.isForStore(act.kind)) this.sample.take(act, atMs);
    }
    this.#settle(act, nowMs);
  }

  #outcomeOf(act: Act, { status, body }: Reply): WriteOutcome {
    const { requests, onUnauthorized } = this.#options;
    // A token ends with its time and with its user's password: with the next one the same request may pass.
    if (status === 401 && requests.token !== undefined) {
      onUnauthorized?.(requests.token);
      return { fate: 'retry', reason: 'http 401' };
    }
    return requests.isForStore(act.kind)
      ? readHeartbeatOutcome(status, body)
      : readWriteOutcome(status, body);
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
    const { kind, dueMs, pageIndex, seq, tab, extra } = act;
    const request = requests.render(visit.visitor, visit.text, kind, dueMs, pageIndex, seq, tab, extra);
    this.#pool.send(act.token, request);
  }

  #retry(act: Act, reason: string, retryAfterMs: number, nowMs: number): void {
    this.counts.counters.error(reason);
    if (this.#stopped) {
      this.#giveUp(act, nowMs);
      this.#owner.onIdle(nowMs);
      return;
    }
    const atMs = nowMs + retryDelayMs(act.attempts, retryAfterMs, act.token);
    this.#retries.push(act.token, atMs);
    this.#owner.wakeAt(atMs);
  }

  #settle(act: Act, nowMs: number): void {
    this.#latency.record('response', act.kind, nowMs - act.meantMs);
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
    if (act.isCopy) {
      this.counts.ledger.note('copiesUnanswered');
      this.#acts.release(act);
      return;
    }
    this.counts.giveUp(act);
    this.#latency.record('response', act.kind, nowMs - act.meantMs);
    this.#log(act, 'given-up', nowMs);
    this.#acts.release(act);
  }

  #log(act: Act, status: string, nowMs: number): void {
    const { slot, visit } = act;
    if (slot === undefined || visit === undefined || !this.#options.logs.wants(slot.number)) return;
    const path = this.#options.requests.pagePath(act.pageIndex);
    const line = actLine(
      this.#options.types[act.kind] ?? 'view',
      path,
      status,
      nowMs - act.meantMs,
      act.attempts,
    );
    this.#options.logs.line(slot.number, this.#options.requests.timeMs(act.meantMs), line);
  }
}
