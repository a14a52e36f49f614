/** Events that the audit asks the collector about one by one: those without an answer, and now and then a sample. */
import type { Act, Slot, Visit } from './act.ts';

/** What finds an event again: its number within its session and tab. */
export interface EventName {
  readonly sessionId: string;
  readonly tab: number;
  readonly seq: number;
}

export interface UnknownEvent extends EventName {
  /** A heartbeat of the session store, which is no event. */
  readonly isForStore: boolean;
}

export interface SampledEvent extends EventName {
  /** When its acknowledgement was read, on the clock that all threads share. */
  readonly acknowledgedMs: number;
}

/** What counting an event needs to know of its act. */
export type AcknowledgedAct = Pick<Act, 'kind' | 'pageIndex' | 'dueMs' | 'seq' | 'tab'> & {
  readonly slot: Slot | undefined;
  readonly visit: Visit | undefined;
};

/** Acts are reused when they are given up; what may still be told of them is kept here. */
export class UnknownActs {
  readonly acts: AcknowledgedAct[] = [];
  readonly #isForStore: boolean[] = [];

  add({ slot, visit, kind, pageIndex, dueMs, seq, tab }: Act, isForStore: boolean): void {
    this.acts.push({ slot, visit, kind, pageIndex, dueMs, seq, tab });
    this.#isForStore.push(isForStore);
  }

  events(): UnknownEvent[] {
    return this.acts.map(({ visit, tab, seq }, number) => ({
      sessionId: visit?.visitor.sessionId ?? '',
      tab,
      seq,
      isForStore: this.#isForStore[number] === true,
    }));
  }
}

/** The first event that is acknowledged after somebody asked for one; told at once, as its freshness counts from then. */
export class FreshnessSample {
  isWanted = true;
  onTaken: (event: SampledEvent) => void = () => undefined;

  take({ visit, tab, seq }: Act, acknowledgedMs: number): void {
    if (visit === undefined) return;
    this.isWanted = false;
    this.onTaken({ sessionId: visit.visitor.sessionId, tab, seq, acknowledgedMs });
  }
}
