/**
 * Drives one worker's share of the crowd: takes each act when it is due, sends it as one request, settles
 * its fate in the ledger.
 *
 * States: waiting (slots may be added, nothing is due yet) -> running -> finishing (no act is planned any
 * more, what was planned is settled or retried) -> done. `endAt` and `abort` make the moves.
 *
 * A slot has one act in flight. Acts that come due meanwhile wait in the slot, oldest first: so a person's
 * events are acknowledged in order, and a slow target shows as `blocked` and in the response time, never
 * as fewer acts, until a slot has no more room (`waitingPerSlotMax`). Retries keep the event and its number
 * (`event.seq`), so the collector counts it once.
 *
 * Cost: about 5 us an event beside the socket's own (queue 0.5, request text 1, ledger and recorder 1).
 */
import type { Clock } from '../../server/base/clock.ts';
import type { Crowd } from '../crowd/crowd.ts';
import { acts, type Visitor } from '../crowd/visitor.ts';
import { DueQueue } from '../schedule/due-queue.ts';
import { type EventRequests, eventTypes } from '../targets/event-request.ts';
import { readWriteOutcome } from '../targets/write-outcome.ts';
import type { ExchangeHandler, Failure, HttpPool, Reply } from '../transport/http-pool.ts';
import { type Act, ActTable, type Slot, type Visit } from './act.ts';
import { actLine, arrivalLine, departureLine } from './client-log-lines.ts';
import type { ClientLogs } from './client-logs.ts';
import { CrowdCounters } from './crowd-counters.ts';
import type { CrowdLatency } from './crowd-latency.ts';
import { Ledger } from './ledger.ts';
import { marksOf, type PersonMarks } from './person-marks.ts';
import { retryDelayMs } from './retry-delay.ts';

export interface CrowdDriverOptions {
  readonly crowd: Crowd;
  readonly requests: EventRequests;
  readonly makePool: (handler: ExchangeHandler) => HttpPool;
  readonly latency: CrowdLatency;
  readonly logs: ClientLogs;
  readonly clock: Clock;
  readonly startMonotonicMs: number;
}

/** Acts taken in one turn of the loop before replies get a chance: bounds the stall after a pause. */
const actsPerTurnMax = 1000;

/**
 * Acts that may wait in one slot: 83 minutes of heartbeats every 5 s. A waiting act takes 170 bytes (the
 * object and its two times, measured on Node 20), so a slot takes at most 170 KB while the target is away,
 * and beyond that acts are dropped and counted.
 */
const waitingPerSlotMax = 1000;

export class CrowdDriver implements ExchangeHandler {
  readonly ledger = new Ledger();
  readonly counters = new CrowdCounters();
  readonly #options: CrowdDriverOptions;
  readonly #pool: HttpPool;
  readonly #latency: CrowdLatency;
  readonly #slots: (Slot | undefined)[] = [];
  readonly #due = new DueQueue();
  readonly #retries = new DueQueue();
  readonly #acts = new ActTable();
  #timer: NodeJS.Timeout | undefined;
  #armedForMs = Number.POSITIVE_INFINITY;
  #endMs = Number.POSITIVE_INFINITY;
  #done = false;
  #deadline: NodeJS.Timeout | undefined;
  #resolveFinished: () => void = () => undefined;
  /** Resolves once every planned event has its fate and every visitor has left. */
  readonly finished = new Promise<void>((resolve) => {
    this.#resolveFinished = resolve;
  });

  constructor(options: CrowdDriverOptions) {
    this.#options = options;
    this.#latency = options.latency;
    this.#pool = options.makePool(this);
  }

  /** Events that are planned and not settled yet. */
  get open(): number {
    return this.#acts.live;
  }

  /** Opens a slot whose first visitor arrives at a run time in ms. */
  addSlot(number: number, arrivalMs: number): void {
    const visitor = this.#options.crowd.firstVisitor(number, arrivalMs);
    const persons: PersonMarks[] = [];
    const slot: Slot = {
      number,
      persons,
      visit: this.#newVisit(visitor, persons),
      current: undefined,
      firstWaiting: undefined,
      lastWaiting: undefined,
      waiting: 0,
      closing: false,
      present: false,
    };
    this.#slots[number] = slot;
    this.#push(slot);
  }

  /** Sends a slot's visitor home at a run time; nobody follows. A visitor still on the way never arrives. */
  sendHome(number: number, atMs: number): void {
    const slot = this.#slots[number];
    if (slot === undefined || slot.closing) return;
    slot.closing = true;
    slot.visit.visitor.leaveAt(Math.max(atMs, this.#nowMs()));
    this.#push(slot);
  }

  /**
   * Plans nothing from `atMs` on, settles what is open, and after `drainMs` counts what stayed open. May be
   * called again to end earlier; `finished` resolves when all is counted.
   */
  endAt(atMs: number, drainMs: number): void {
    this.#endMs = Math.min(this.#endMs, atMs);
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.abort(), Math.max(0, this.#endMs + drainMs - this.#nowMs()));
    this.#arm(0);
  }

  /** Ends at once: what is open is counted as unknown if it may have been delivered, else as failed. */
  abort(): void {
    if (this.#done) return;
    this.#done = true;
    this.#endMs = Math.min(this.#endMs, this.#nowMs());
    clearTimeout(this.#timer);
    clearTimeout(this.#deadline);
    for (const act of this.#acts.all()) this.#giveUp(act);
    this.#pool.close();
    for (const slot of this.#slots) if (slot?.present) this.#depart(slot, this.#endMs);
    this.#resolveFinished();
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
    if (act === undefined || this.#done) return;
    const nowMs = atMs - this.#options.startMonotonicMs;
    if (failure.maybeDelivered) act.maybeDelivered = true;
    this.#log(act, failure.kind, nowMs);
    this.#retry(act, failure.kind, -1, nowMs);
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs() - this.#options.startMonotonicMs;
  }

  #newVisit(visitor: Visitor, persons: PersonMarks[]): Visit {
    const text = this.#options.requests.visitText(visitor);
    return { visitor, text, marks: marksOf(persons, visitor.person.number), acknowledged: false };
  }

  #push(slot: Slot): void {
    const { dueMs } = slot.visit.visitor;
    if (dueMs >= this.#endMs || dueMs === Number.POSITIVE_INFINITY) return;
    this.#due.push(slot.number, dueMs);
    if (dueMs < this.#armedForMs) this.#arm(dueMs);
  }

  /** Wakes the loop at a run time; one timer, moved only when something earlier comes up. */
  #arm(atMs: number): void {
    if (this.#done) return;
    clearTimeout(this.#timer);
    this.#armedForMs = atMs;
    const waitMs = atMs - this.#nowMs();
    this.#timer = setTimeout(this.#turn, Math.min(Math.max(waitMs, 0), 60_000));
  }

  readonly #turn = (): void => {
    if (this.#done) return;
    this.#armedForMs = Number.POSITIVE_INFINITY;
    let nowMs = this.#nowMs();
    let taken = 0;
    while (this.#due.size > 0 && this.#due.peekDueMs() <= nowMs && taken < actsPerTurnMax) {
      this.#takeAct(this.#due.popSlot(), nowMs);
      taken += 1;
      nowMs = this.#nowMs();
    }
    while (this.#retries.size > 0 && this.#retries.peekDueMs() <= nowMs) {
      const act = this.#acts.get(this.#retries.popSlot());
      if (act !== undefined) this.#dispatch(act);
    }
    this.#armNext(nowMs);
    this.#checkFinished(nowMs);
  };

  #armNext(nowMs: number): void {
    const nextDueMs = this.#due.size > 0 ? this.#due.peekDueMs() : Number.POSITIVE_INFINITY;
    const nextRetryMs = this.#retries.size > 0 ? this.#retries.peekDueMs() : Number.POSITIVE_INFINITY;
    const nextMs = Math.min(
      nextDueMs,
      nextRetryMs,
      this.#endMs > nowMs ? this.#endMs : Number.POSITIVE_INFINITY,
    );
    if (nextMs < this.#armedForMs) this.#arm(nextMs);
  }

  /** Finished: nothing more can become due, and nothing is open. */
  #checkFinished(nowMs: number): void {
    if (nowMs < this.#endMs || this.#acts.live > 0) return;
    if (this.#due.size > 0 && this.#due.peekDueMs() < this.#endMs) return;
    this.abort();
  }

  #takeAct(number: number, nowMs: number): void {
    const slot = this.#slots[number];
    if (slot === undefined) return;
    const { visitor } = slot.visit;
    // A slot that was sent home has an older entry in the queue: only the one that is due counts.
    if (visitor.dueMs > nowMs || visitor.dueMs >= this.#endMs) return;
    if (visitor.kind === acts.leave) {
      this.#leave(slot, visitor.dueMs);
      return;
    }
    if (visitor.kind === acts.sessionStart) this.#arrive(slot, visitor);
    this.#plan(slot, visitor, nowMs);
    visitor.advance();
    this.#push(slot);
  }

  #plan(slot: Slot, visitor: Visitor, nowMs: number): void {
    if (slot.waiting >= waitingPerSlotMax) {
      this.#drop(visitor);
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

  /** The generator has no room for the act: it was planned and never tried, which invalidates the run. */
  #drop(visitor: Visitor): void {
    const fates = this.ledger.fates(visitor.kind);
    fates.planned += 1;
    fates.dropped += 1;
  }

  #arrive(slot: Slot, visitor: Visitor): void {
    slot.present = true;
    this.counters.arrive();
    if (this.#options.logs.wants(slot.number))
      this.#logLine(slot.number, visitor.dueMs, arrivalLine(visitor));
  }

  #leave(slot: Slot, atMs: number): void {
    const { visitor } = slot.visit;
    visitor.advance();
    if (slot.present) this.#depart(slot, atMs);
    if (slot.closing) return;
    slot.visit = this.#newVisit(this.#options.crowd.nextVisitor(visitor), slot.persons);
    this.#push(slot);
  }

  #depart(slot: Slot, atMs: number): void {
    slot.present = false;
    this.counters.depart();
    if (this.#options.logs.wants(slot.number)) {
      this.#logLine(slot.number, atMs, departureLine(atMs - slot.visit.visitor.startMs));
    }
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
    const atMs = nowMs + retryDelayMs(act.attempts, retryAfterMs, act.token);
    this.#retries.push(act.token, atMs);
    if (atMs < this.#armedForMs) this.#arm(atMs);
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
    const next = slot.firstWaiting;
    slot.current = next;
    if (next !== undefined) {
      slot.waiting -= 1;
      slot.firstWaiting = next.next;
      if (slot.firstWaiting === undefined) slot.lastWaiting = undefined;
      next.next = undefined;
      this.#dispatch(next);
    } else {
      this.#checkFinished(nowMs);
    }
  }

  /** The run is over and the act is still open. Its age so far is its response time: no tail is forgotten. */
  #giveUp(act: Act): void {
    const fates = this.ledger.fates(act.kind);
    if (act.maybeDelivered) fates.unknown += 1;
    else fates.failed += 1;
    this.#latency.record('response', act.kind, this.#nowMs() - act.dueMs);
    if (act.slot !== undefined && this.#options.logs.wants(act.slot.number))
      this.#log(act, 'given-up', this.#nowMs());
    this.#acts.release(act);
  }

  #log(act: Act, status: string, nowMs: number): void {
    const { slot, visit } = act;
    if (slot === undefined || visit === undefined || !this.#options.logs.wants(slot.number)) return;
    const path = this.#options.requests.pagePath(act.pageIndex);
    const line = actLine(eventTypes[act.kind] ?? 'view', path, status, nowMs - act.dueMs, act.attempts);
    this.#logLine(slot.number, act.dueMs, line);
  }

  #logLine(slot: number, runMs: number, text: string): void {
    this.#options.logs.line(slot, this.#options.requests.timeMs(runMs), text);
  }
}
