/** All that a worker counts of its events' fates: the ledger, sessions of a session store, the truth beside them. */
import type { EventRequests } from '../targets/event-request.ts';
import type { Act, Visit } from './act.ts';
import { CrowdCounters } from './crowd-counters.ts';
import { CrowdTruth } from './crowd-truth.ts';
import { Ledger } from './ledger.ts';
import { StoreBeats } from './store-beats.ts';
import { type AcknowledgedAct, UnknownActs } from './unknown-acts.ts';

export class EventCounts {
  readonly ledger: Ledger;
  readonly counters: CrowdCounters;
  readonly beats: StoreBeats;
  readonly truth: CrowdTruth;
  /** Sent, and nobody knows what became of them. */
  readonly unknown = new UnknownActs();
  readonly #requests: EventRequests;

  /** @param inOrder a person's events are acknowledged in the order of their times */
  constructor(types: readonly string[], requests: EventRequests, inOrder: boolean) {
    this.#requests = requests;
    this.ledger = new Ledger(types, inOrder);
    this.counters = new CrowdCounters(types);
    this.beats = new StoreBeats(types, inOrder);
    this.truth = new CrowdTruth(types, inOrder);
  }

  acknowledge(act: AcknowledgedAct, fate: 'accepted' | 'duplicates'): void {
    const { kind, pageIndex, visit } = act;
    this.ledger.fates(kind)[fate] += 1;
    if (visit === undefined) return;
    this.counters.acknowledge(kind);
    const timeMs = this.#requests.eventTimeMs(visit.visitor, act.dueMs);
    if (this.#requests.isForStore(kind)) {
      this.#keepBeat(act, visit, timeMs);
      return;
    }
    if (!visit.acknowledged) {
      visit.acknowledged = true;
      this.ledger.record.sessions += 1;
      if (visit.isBeaten) this.beats.write();
    }
    const { visitor, marks, visitRow } = visit;
    this.ledger.countUnique(kind, timeMs, marks);
    this.truth.acknowledge({ kind, pageIndex, timeMs, visitor, marks, visitRow });
  }

  /** The run is over and the act is still open: unknown if it may have been delivered, else it has failed. */
  giveUp(act: Act): void {
    const fates = this.ledger.fates(act.kind);
    if (!act.maybeDelivered) {
      fates.failed += 1;
      return;
    }
    fates.unknown += 1;
    this.unknown.add(act, this.#requests.isForStore(act.kind));
  }

  /** Says what became of an unknown event after all: it is stored, or surely not. */
  resolve(number: number, isStored: boolean): void {
    const act = this.unknown.acts[number];
    if (act === undefined) return;
    const fates = this.ledger.fates(act.kind);
    fates.unknown -= 1;
    if (isStored) this.acknowledge(act, 'accepted');
    else fates.failed += 1;
  }

  #keepBeat({ slot, kind }: AcknowledgedAct, visit: Visit, timeMs: number): void {
    const { visitor, marks, acknowledged } = visit;
    if (!visit.isBeaten) this.beats.first(acknowledged);
    visit.isBeaten = true;
    if (slot !== undefined)
      slot.lastBeat = this.beats.beat(slot.lastBeat, kind, visitor.sessionId, timeMs, marks);
  }
}
