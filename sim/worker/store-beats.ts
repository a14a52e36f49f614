/**
 * What the crowd knows of a session store: which visits have an acknowledged heartbeat in it, and when each was last
 * heard of, by bucket of time. That is what flushers will say of them, one `sessionTimeout` a visit at the time
 * of its last heartbeat.
 *
 * Where a slot has one act in flight all heartbeats of a visit are settled before the next visit's first: what must be
 * remembered is one last heartbeat a slot (60 bytes), and each person's last minute as the ledger does (8 bytes). Where
 * the network brings them out of order, departures are not foretold.
 */
import { botRow, isBotRow } from '../crowd/crowd-types.ts';
import { countBuckets, type UniqueMarks } from './ledger.ts';

/** The mergeable, structured-cloneable form. */
export interface StoreRecord {
  /** Visits with an acknowledged heartbeat. */
  sessions: number;
  /** Those of them of which no event was acknowledged: the collector learns of the session when it departs. */
  unwritten: number;
  /** Distinct persons that were last heard of in a bucket: by the row of what a flusher writes, then by bucket. */
  readonly departures: Record<string, Record<string, number>>;
}

/** The newest acknowledged heartbeat of a slot. */
export interface LastBeat {
  /** `sessionTimeout`, or that of bots. */
  readonly row: string;
  readonly sessionId: string;
  timeMs: number;
  readonly marks: UniqueMarks;
}

export const emptyStoreRecord = (): StoreRecord => ({ sessions: 0, unwritten: 0, departures: {} });

export const departureType = 'sessionTimeout';

export class StoreBeats {
  readonly record = emptyStoreRecord();
  readonly #inOrder: boolean;
  /** Of the departures among a person's marks: behind those of all event types. */
  readonly #place: number;
  /** What becomes of heartbeats, by act kind. */
  readonly #rows: readonly string[];

  /**
   * @param rows the ledger's, by act kind
   * @param inOrder a person's heartbeats are acknowledged in the order of their times
   */
  constructor(rows: readonly string[], inOrder = true) {
    this.#inOrder = inOrder;
    this.#place = rows.length;
    this.#rows = rows.map((row) => (isBotRow(row) ? botRow(departureType) : departureType));
  }

  /** Takes the first acknowledged heartbeat of a visit. @param isWritten an event of the visit was acknowledged */
  first(isWritten: boolean): void {
    this.record.sessions += 1;
    if (!isWritten) this.record.unwritten += 1;
  }

  /** Takes the first acknowledged event of a visit that has an acknowledged heartbeat. */
  write(): void {
    this.record.unwritten -= 1;
  }

  /**
   * Takes an acknowledged heartbeat.
   * @param last the slot's newest so far
   * @returns the slot's newest from now on
   */
  beat(
    last: LastBeat | undefined,
    kind: number,
    sessionId: string,
    timeMs: number,
    marks: UniqueMarks,
  ): LastBeat | undefined {
    if (!this.#inOrder) return undefined;
    if (last?.sessionId === sessionId) {
      last.timeMs = Math.max(last.timeMs, timeMs);
      return last;
    }
    if (last !== undefined) this.depart(last);
    return { row: this.#rows[kind] ?? departureType, sessionId, timeMs, marks };
  }

  /** No further heartbeat of this visit will come. */
  depart({ row, timeMs, marks }: LastBeat): void {
    const minute = Math.floor(timeMs / 60_000);
    const last = marks[this.#place] ?? -1;
    if (minute <= last) return;
    this.record.departures[row] ??= {};
    countBuckets(this.record.departures[row], minute, last);
    marks[this.#place] = minute;
  }
}

/** Adds one worker's record to another. Workers own disjoint slots, so persons add up. */
export function mergeStoreRecord(into: StoreRecord, from: StoreRecord): void {
  into.sessions += from.sessions;
  into.unwritten += from.unwritten;
  for (const [row, buckets] of Object.entries(from.departures)) {
    const counts = into.departures[row] ?? {};
    into.departures[row] = counts;
    for (const [bucket, count] of Object.entries(buckets)) counts[bucket] = (counts[bucket] ?? 0) + count;
  }
}
