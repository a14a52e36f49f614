/**
 * Drives one worker's share of the crowd: opens and closes slots, takes each act when it is due, hands it to
 * the sender (event-sender.ts), lets visitors arrive, leave and be followed.
 *
 * States: waiting (slots may be added, nothing is due yet) -> running -> finishing (no act is planned any
 * more, what was planned is settled or retried) -> answering (nothing is sent any more) -> done. `endAt`, its
 * time limits and `abort` make the moves.
 *
 * Cost: about 2 us an event (queue 0.5, the visitor's own step, one look at the clock).
 */
import type { Crowd } from '../crowd/crowd.ts';
import { acts, type Visitor } from '../crowd/visitor.ts';
import { DueQueue } from '../schedule/due-queue.ts';
import type { Opening, Openings } from '../schedule/slot-plan.ts';
import type { Slot, Visit } from './act.ts';
import { arrivalLine, departureLine } from './client-log-lines.ts';
import type { CrowdCounters } from './crowd-counters.ts';
import type { CrowdTruth } from './crowd-truth.ts';
import { EventSender, type EventSenderOptions, type SenderOwner } from './event-sender.ts';
import type { Ledger } from './ledger.ts';
import { marksOf, type PersonMarks } from './person-marks.ts';
import type { StoreBeats } from './store-beats.ts';
import type { FreshnessSample, UnknownActs } from './unknown-acts.ts';

export interface CrowdDriverOptions extends EventSenderOptions {
  readonly crowd: Crowd;
  /** What opens and closes slots by itself; undefined: only orders do. */
  readonly openings?: Openings | undefined;
}

/** Acts taken in one turn of the loop before replies get a chance: bounds the stall after a pause. */
const actsPerTurnMax = 1000;

export class CrowdDriver implements SenderOwner {
  readonly ledger: Ledger;
  readonly counters: CrowdCounters;
  readonly beats: StoreBeats;
  readonly truth: CrowdTruth;
  readonly unknown: UnknownActs;
  readonly sample: FreshnessSample;
  readonly #options: CrowdDriverOptions;
  readonly #sender: EventSender;
  readonly #slots: (Slot | undefined)[] = [];
  readonly #due = new DueQueue();
  readonly #openings: CrowdDriverOptions['openings'];
  /** The newest visitor of each lane, and whom the ledger must remember of it. */
  readonly #lanes = new Map<number, { readonly last: Visitor; readonly persons: PersonMarks[] }>();
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
    this.#openings = options.openings;
    this.#sender = new EventSender(options, this);
    this.ledger = this.#sender.counts.ledger;
    this.counters = this.#sender.counts.counters;
    this.beats = this.#sender.counts.beats;
    this.truth = this.#sender.counts.truth;
    this.unknown = this.#sender.counts.unknown;
    this.sample = this.#sender.sample;
  }

  /** Events that are planned and not settled yet. */
  get open(): number {
    return this.#sender.open;
  }

  /** After the end: what became of an unknown event. */
  resolveUnknown(number: number, isStored: boolean): void {
    this.#sender.counts.resolve(number, isStored);
  }

  /** Begins to follow what opens and closes by itself. */
  start(): void {
    this.wakeAt(this.#openings?.nextMs ?? Number.POSITIVE_INFINITY);
  }

  /** Opens a slot whose visitor, the first or the next one, arrives at a run time in ms. */
  addSlot(number: number, arrivalMs: number): void {
    const closed = this.#slots[number];
    if (closed === undefined) {
      const visitor = this.#options.crowd.firstVisitor(number, arrivalMs);
      const slot = this.#addPlace(number, visitor, []);
      // Who is in the midst of a visit is here, however long the next act takes.
      if (visitor.startMs < 0) this.#arrive(slot, visitor, arrivalMs, arrivalMs);
      return;
    }
    closed.closing = false;
    const { visitor } = closed.visit;
    closed.visit = this.#newVisit(this.#options.crowd.visitorAfter(visitor, arrivalMs), closed.persons);
    this.#push(closed);
  }

  /** Somebody arrives in a lane, which has as many places as there are visits in it at a time; nobody follows. */
  #arriveIn(lane: number, lanes: number, atMs: number): void {
    const { crowd } = this.#options;
    const known = this.#lanes.get(lane);
    const visitor =
      known === undefined ? crowd.firstVisitor(lane, atMs) : crowd.visitorAfter(known.last, atMs);
    const persons = known?.persons ?? [];
    this.#lanes.set(lane, { last: visitor, persons });
    let number = lane;
    while (this.#due.has(number) || this.#slots[number]?.present === true) number += lanes;
    const slot = this.#slots[number];
    if (slot === undefined) {
      this.#addPlace(number, visitor, persons).closing = true;
      return;
    }
    slot.visit = this.#newVisit(visitor, persons);
    this.#push(slot);
  }

  #open({ kind, slot, atMs }: Opening): void {
    if (kind === 'open') this.addSlot(slot, atMs);
    else if (kind === 'close') this.sendHome(slot, atMs);
    else if (kind === 'arrive') this.#arriveIn(slot, this.#openings?.lanes ?? 1, atMs);
  }

  #addPlace(number: number, visitor: Visitor, persons: PersonMarks[]): Slot {
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
      lastBeat: undefined,
    };
    this.#slots[number] = slot;
    this.#push(slot);
    return slot;
  }

  /** Sends a slot's visitor home by order: now, if the time is past already. */
  sendHomeBy(number: number, atMs: number): void {
    this.sendHome(number, Math.max(atMs, this.#nowMs()));
  }

  /** Sends a slot's visitor home at a run time; nobody follows. A visitor still on the way never arrives. */
  sendHome(number: number, atMs: number): void {
    const slot = this.#slots[number];
    if (slot === undefined || slot.closing) return;
    slot.closing = true;
    slot.visit.visitor.leaveAt(atMs);
    this.#push(slot);
  }

  /**
   * Plans nothing from `atMs` on and settles what is open. After `drainMs` nothing more is sent, and what is
   * on its way has `answerMs` to be answered; what is open then is counted. May be called again to end
   * earlier; `finished` resolves when all is counted.
   */
  endAt(atMs: number, drainMs: number, answerMs: number): void {
    this.#endMs = Math.min(this.#endMs, atMs);
    clearTimeout(this.#deadline);
    const waitMs = Math.max(0, this.#endMs + drainMs - this.#nowMs());
    this.#deadline = setTimeout(() => this.#stopSending(answerMs), waitMs);
    this.#arm(0);
  }

  #stopSending(answerMs: number): void {
    const nowMs = this.#nowMs();
    this.#sender.stop(nowMs);
    this.#deadline = setTimeout(() => this.abort(), answerMs);
    this.#checkFinished(nowMs);
  }

  /** Ends at once: what is open is counted as unknown if it may have been delivered, else as failed. */
  abort(): void {
    if (this.#done) return;
    this.#done = true;
    this.#endMs = Math.min(this.#endMs, this.#nowMs());
    clearTimeout(this.#timer);
    clearTimeout(this.#deadline);
    this.#sender.close(this.#nowMs());
    for (const slot of this.#slots) if (slot?.present) this.#depart(slot, this.#endMs, this.#endMs);
    for (const slot of this.#slots) if (slot?.lastBeat !== undefined) this.beats.depart(slot.lastBeat);
    this.#resolveFinished();
  }

  /** For the sender. */
  wakeAt(atMs: number): void {
    if (atMs < this.#armedForMs) this.#arm(atMs);
  }

  /** For the sender. */
  onIdle(nowMs: number): void {
    this.#checkFinished(nowMs);
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs() - this.#options.startMonotonicMs;
  }

  #newVisit(visitor: Visitor, persons: PersonMarks[]): Visit {
    const text = this.#options.requests.visitText(visitor);
    return {
      visitor,
      text,
      marks: marksOf(persons, visitor.person.number, this.#options.types.length),
      visitRow: this.truth.addVisit(visitor),
      acknowledged: false,
      network:
        this.#options.network === undefined
          ? undefined
          : this.#options.crowd.networkStream(visitor.slot, visitor.generation),
      isBeaten: false,
    };
  }

  #push(slot: Slot): void {
    const { dueMs } = slot.visit.visitor;
    if (dueMs >= this.#endMs || dueMs === Number.POSITIVE_INFINITY) return;
    this.#due.push(slot.number, dueMs);
    this.wakeAt(dueMs);
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
    while (taken < actsPerTurnMax) {
      const dueMs = this.#due.peekDueMs();
      const openingMs = this.#nextOpeningMs;
      if (Math.min(dueMs, openingMs) > nowMs) break;
      // In the order of their times, however late: what comes of it must not depend on how busy this thread is.
      if (dueMs <= openingMs) this.#takeAct(this.#due.popSlot(), nowMs);
      else if (this.#openings !== undefined) this.#open(this.#openings.take());
      taken += 1;
      nowMs = this.#nowMs();
    }
    this.#sender.sendDue(nowMs);
    this.#armNext(nowMs);
    this.#checkFinished(nowMs);
  };

  /** Nothing opens when the run is over. */
  get #nextOpeningMs(): number {
    const nextMs = this.#openings?.nextMs ?? Number.POSITIVE_INFINITY;
    return nextMs < this.#endMs ? nextMs : Number.POSITIVE_INFINITY;
  }

  #armNext(nowMs: number): void {
    const nextMs = Math.min(
      this.#due.peekDueMs(),
      this.#nextOpeningMs,
      this.#sender.nextRetryMs,
      this.#endMs > nowMs ? this.#endMs : Number.POSITIVE_INFINITY,
    );
    if (nextMs < this.#armedForMs) this.#arm(nextMs);
  }

  /** Finished: nothing more can become due, and nothing is open. */
  #checkFinished(nowMs: number): void {
    if (nowMs < this.#endMs || this.#sender.open > 0) return;
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
      this.#leave(slot, visitor.dueMs, nowMs);
      return;
    }
    if (!slot.present) this.#arrive(slot, visitor, visitor.dueMs, nowMs);
    const act = this.#sender.plan(slot, visitor, nowMs);
    visitor.advance();
    if (act !== undefined) this.#sender.submit(act, visitor.kind === acts.leave, nowMs);
    this.#push(slot);
  }

  #arrive(slot: Slot, visitor: Visitor, plannedMs: number, nowMs: number): void {
    slot.present = true;
    this.counters.arrive(plannedMs, nowMs);
    if (this.#options.logs.wants(slot.number))
      this.#logLine(slot.number, visitor.dueMs, arrivalLine(visitor));
  }

  #leave(slot: Slot, atMs: number, nowMs: number): void {
    const { visitor } = slot.visit;
    visitor.advance();
    if (slot.present) this.#depart(slot, atMs, nowMs);
    if (slot.closing) return;
    slot.visit = this.#newVisit(this.#options.crowd.nextVisitor(visitor), slot.persons);
    this.#push(slot);
  }

  #depart(slot: Slot, atMs: number, nowMs: number): void {
    slot.present = false;
    this.counters.depart(atMs, nowMs);
    if (this.#options.logs.wants(slot.number)) {
      this.#logLine(slot.number, atMs, departureLine(atMs - slot.visit.visitor.startMs));
    }
  }

  #logLine(slot: number, runMs: number, text: string): void {
    this.#options.logs.line(slot, this.#options.requests.timeMs(runMs), text);
  }
}
