/**
 * One act of a visitor that sends an event, from its intended time to its settled fate.
 *
 *   due ──▶ ready ──▶ sent ──▶ settled
 *        lateness  blocked  service           response = settled - due
 *
 * due: when the visitor meant to act. ready: when the generator came round to it (lateness is its own
 * fault). sent: when the bytes went to a socket; before that the act waited for a connection or for the
 * visitor's previous act (blocked: the target's fault). A retried act keeps its first `sent` for blocked
 * and its latest for service. All times are run-relative milliseconds.
 *
 * Acts are reused through a free list: at 20,000 events a second a fresh object each would be most of the
 * garbage. The token that the HTTP client hands back is the act's place in the table.
 */
import type { Visitor } from '../crowd/visitor.ts';
import type { RandomStream } from '../random/random-stream.ts';
import type { VisitText } from '../targets/event-request.ts';
import type { UniqueMarks } from './ledger.ts';
import type { PersonMarks } from './person-marks.ts';
import type { LastBeat } from './store-beats.ts';

/** What all acts of one visit share. */
export interface Visit {
  readonly visitor: Visitor;
  readonly text: VisitText;
  readonly marks: UniqueMarks;
  /** The visit's row in crowd-truth.ts. */
  readonly visitRow: number;
  /** True once an event of the visit was acknowledged: the session exists at the collector. */
  acknowledged: boolean;
  /** True once a heartbeat of the visit was acknowledged by the session store. */
  isBeaten: boolean;
  /** What the network does to its events is drawn from this; undefined: nothing. */
  readonly network: RandomStream | undefined;
}

/** The place of one visitor in the crowd; who leaves is followed by another in the same slot. */
export interface Slot {
  readonly number: number;
  /** The ledger's memory of the slot's recent persons, who may return. */
  readonly persons: PersonMarks[];
  visit: Visit;
  /** The act in flight or waiting for its retry; at most one. */
  current: Act | undefined;
  /** Acts that came due meanwhile, oldest first. */
  firstWaiting: Act | undefined;
  lastWaiting: Act | undefined;
  /** How many wait. */
  waiting: number;
  /** True once the slot is to stay empty when its visitor has left. */
  closing: boolean;
  present: boolean;
  /** The newest heartbeat that the session store has; undefined also where there is no session store. */
  lastBeat: LastBeat | undefined;
}

export class Act {
  readonly token: number;
  slot: Slot | undefined;
  visit: Visit | undefined;
  next: Act | undefined;
  kind = 0;
  pageIndex = 0;
  seq = 0;
  tab = 1;
  /** Further members of the event; see Visitor. */
  extra = '';
  /** When the visitor acts: the time of the event. */
  dueMs = 0;
  /** When it is meant to be sent: the same, but for what the network delays. */
  meantMs = 0;
  readyMs = 0;
  firstSentMs = -1;
  sentMs = -1;
  attempts = 0;
  /** True once an attempt may have reached the target: given up, its fate is unknown and not failed. */
  maybeDelivered = false;

  /** A second sending of another act's event; it has no fate of its own in the ledger. */
  isCopy = false;
  /** The event is sent again so long after its first sending; -1: not. */
  againAfterMs = -1;
  /** The next answer is not heard. */
  isUnheard = false;

  constructor(token: number) {
    this.token = token;
  }
}

export class ActTable {
  readonly #acts: Act[] = [];
  #free: Act | undefined;
  #live = 0;

  get live(): number {
    return this.#live;
  }

  take(slot: Slot, visit: Visit): Act {
    this.#live += 1;
    let act = this.#free;
    if (act === undefined) {
      act = new Act(this.#acts.length);
      this.#acts.push(act);
    } else {
      this.#free = act.next;
    }
    act.slot = slot;
    act.visit = visit;
    act.next = undefined;
    act.firstSentMs = -1;
    act.sentMs = -1;
    act.attempts = 0;
    act.maybeDelivered = false;
    act.isCopy = false;
    act.againAfterMs = -1;
    act.isUnheard = false;
    return act;
  }

  release(act: Act): void {
    this.#live -= 1;
    act.slot = undefined;
    act.visit = undefined;
    act.next = this.#free;
    this.#free = act;
  }

  /** The live act of a token; undefined for one that was released. */
  get(token: number): Act | undefined {
    const act = this.#acts[token];
    return act?.slot === undefined ? undefined : act;
  }

  *all(): Generator<Act> {
    for (const act of this.#acts) if (act.slot !== undefined) yield act;
  }
}
