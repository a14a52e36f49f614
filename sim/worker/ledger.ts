/**
 * The ledger: what the crowd meant to send and what became of it. Each worker keeps one; merged, they
 * are the truth that the audit holds the collector's answers against.
 *
 * Every planned event ends in exactly one place:
 *
 *   planned = accepted + duplicates + rejected + failed + dropped + unknown
 *
 * failed: surely not stored. dropped: the generator itself gave up on it. unknown: sent, and no answer
 * settled its fate.
 *
 * Uniques are counted as the events are acknowledged. One slot has one event in flight, so a person's
 * events are acknowledged in the order of their times, and the last minute counted per event type is all
 * that must be remembered of a person: 24 bytes, however long the run.
 */
import { bucketName, type Granularity, granularities } from '../../server/base/time-bucket.ts';
import { eventTypes, type SentEventType } from '../targets/event-request.ts';

export interface FateCounts {
  planned: number;
  /** Distinct events of which at least one byte was handed to a socket. */
  sent: number;
  accepted: number;
  duplicates: number;
  rejected: number;
  failed: number;
  dropped: number;
  unknown: number;
}

/** The mergeable, structured-cloneable form. */
export interface LedgerRecord {
  readonly byType: Record<SentEventType, FateCounts>;
  /** Sessions of which at least one event was acknowledged. */
  sessions: number;
  /** Distinct persons with at least one acknowledged event, by `type`, then by bucket name. */
  readonly uniques: Record<SentEventType, Record<string, number>>;
  /** Refusals by reason. */
  readonly rejections: Record<string, number>;
}

/** The last minute (epoch minutes) in which a person was counted, per event type; -1 = never. */
export type UniqueMarks = [number, number, number];

export const newUniqueMarks = (): UniqueMarks => [-1, -1, -1];

const emptyFates = (): FateCounts => ({
  planned: 0,
  sent: 0,
  accepted: 0,
  duplicates: 0,
  rejected: 0,
  failed: 0,
  dropped: 0,
  unknown: 0,
});

export function emptyLedger(): LedgerRecord {
  return {
    byType: { sessionStart: emptyFates(), view: emptyFates(), heartbeat: emptyFates() },
    sessions: 0,
    uniques: { sessionStart: {}, view: {}, heartbeat: {} },
    rejections: {},
  };
}

const minutesPer: Record<'minute' | 'hour' | 'day', number> = { minute: 1, hour: 60, day: 1440 };

/** True if two minutes lie in different buckets of a granularity; -1 lies in none. */
function differs(minute: number, last: number, granularity: Granularity): boolean {
  if (last < 0) return true;
  if (granularity === 'month' || granularity === 'year') {
    if (Math.floor(minute / 1440) === Math.floor(last / 1440)) return false;
    return bucketName(minute * 60_000, granularity) !== bucketName(last * 60_000, granularity);
  }
  const width = minutesPer[granularity];
  return Math.floor(minute / width) !== Math.floor(last / width);
}

export class Ledger {
  readonly record: LedgerRecord = emptyLedger();
  /** The same objects as in the record, by act kind: found without a name. */
  readonly #byKind = eventTypes.map((type) => this.record.byType[type]);

  fates(kind: number): FateCounts {
    return this.#byKind[kind]!;
  }

  reject(kind: number, reason: string): void {
    this.fates(kind).rejected += 1;
    this.record.rejections[reason] = (this.record.rejections[reason] ?? 0) + 1;
  }

  /** Counts a person's acknowledged event; `marks` is the person's memory and is moved on. */
  countUnique(kind: number, timeMs: number, marks: UniqueMarks): void {
    const minute = Math.floor(timeMs / 60_000);
    const last = marks[kind as 0 | 1 | 2];
    if (minute <= last) return;
    const uniques = this.record.uniques[eventTypes[kind] ?? 'view'];
    for (const granularity of granularities) {
      if (!differs(minute, last, granularity)) break;
      const name = bucketName(minute * 60_000, granularity);
      uniques[name] = (uniques[name] ?? 0) + 1;
    }
    marks[kind as 0 | 1 | 2] = minute;
  }
}

/** Adds one worker's ledger to another. Workers own disjoint slots, so uniques add up. */
export function mergeLedger(into: LedgerRecord, from: LedgerRecord): void {
  for (const type of eventTypes) {
    const target = into.byType[type];
    for (const fate of Object.keys(target) as (keyof FateCounts)[]) target[fate] += from.byType[type][fate];
    addCounts(into.uniques[type], from.uniques[type]);
  }
  into.sessions += from.sessions;
  addCounts(into.rejections, from.rejections);
}

function addCounts(into: Record<string, number>, from: Record<string, number>): void {
  for (const [name, count] of Object.entries(from)) into[name] = (into[name] ?? 0) + count;
}

/** All event types together. */
export function totalFates(ledger: LedgerRecord): FateCounts {
  const total = emptyFates();
  for (const type of eventTypes) {
    for (const fate of Object.keys(total) as (keyof FateCounts)[]) total[fate] += ledger.byType[type][fate];
  }
  return total;
}

/** planned minus everything that became of it; 0 in every finished run, or the ledger is wrong. */
export function unaccounted(fates: FateCounts): number {
  const { planned, accepted, duplicates, rejected, failed, dropped, unknown } = fates;
  return planned - accepted - duplicates - rejected - failed - dropped - unknown;
}
