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
 * that must be remembered of a person: 8 bytes a type, however long the run, and 40 for crowd-truth.ts.
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
  /** What the network did to events, by what it did (network-life.ts). */
  readonly network: Record<string, number>;
}

/** The last minute (epoch minutes) in which a person was counted, per event type; -1 = never. */
export type UniqueMarks = number[];

/** Behind the event types: departures (store-beats.ts), and four of crowd-truth.ts. */
const furtherMarks = 5;

/** All places at once: an array that grows by one place takes room for twenty more. */
export const newUniqueMarks = (kinds: number = eventTypes.length): UniqueMarks =>
  new Array<number>(kinds + furtherMarks).fill(-1);

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

export function emptyLedger(types: readonly SentEventType[] = eventTypes): LedgerRecord {
  return {
    byType: Object.fromEntries(types.map((type) => [type, emptyFates()])),
    sessions: 0,
    uniques: Object.fromEntries(types.map((type) => [type, {}])),
    rejections: {},
    network: {},
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

/** Counts somebody in the buckets of a minute, but for those that hold the minute of the last time too. */
export function countBuckets(counts: Record<string, number>, minute: number, last: number): void {
  for (const granularity of granularities) {
    if (!differs(minute, last, granularity)) break;
    const name = bucketName(minute * 60_000, granularity);
    counts[name] = (counts[name] ?? 0) + 1;
  }
}

export class Ledger {
  readonly record: LedgerRecord;
  readonly #types: readonly SentEventType[];
  /** The same objects as in the record, by act kind: found without a name. */
  readonly #byKind: readonly FateCounts[];
  /** Buckets in which a person was counted, where events may be acknowledged in another order than that of their times. */
  readonly #seen: WeakMap<UniqueMarks, Set<number>> | undefined;

  /** @param inOrder a person's events are acknowledged in the order of their times */
  constructor(types: readonly SentEventType[] = eventTypes, inOrder = true) {
    this.#types = types;
    this.#seen = inOrder ? undefined : new WeakMap();
    this.record = emptyLedger(types);
    this.#byKind = types.map((type) => this.record.byType[type] as FateCounts);
  }

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
    if (this.#seen !== undefined) {
      this.#countUnseen(kind, minute, this.#seen, marks);
      return;
    }
    const last = marks[kind] ?? -1;
    if (minute <= last) return;
    countBuckets(this.record.uniques[this.#types[kind] ?? 'view'] ?? {}, minute, last);
    marks[kind] = minute;
  }

  /** Counts what the network did. */
  note(what: string): void {
    this.record.network[what] = (this.record.network[what] ?? 0) + 1;
  }

  /** The same by a set of buckets, about 40 bytes each: for as long as a person may return. */
  #countUnseen(
    kind: number,
    minute: number,
    seen: WeakMap<UniqueMarks, Set<number>>,
    marks: UniqueMarks,
  ): void {
    let buckets = seen.get(marks);
    if (buckets === undefined) {
      buckets = new Set();
      seen.set(marks, buckets);
    }
    const uniques = this.record.uniques[this.#types[kind] ?? 'view'] ?? {};
    for (const [at, granularity] of granularities.entries()) {
      const bucket = (bucketNumber(minute, granularity) * granularities.length + at) * kindsMax + kind;
      // Whoever was counted in an hour was so in its day, month and year.
      if (buckets.has(bucket)) break;
      buckets.add(bucket);
      const name = bucketName(minute * 60_000, granularity);
      uniques[name] = (uniques[name] ?? 0) + 1;
    }
  }
}

const kindsMax = 128;

function bucketNumber(minute: number, granularity: Granularity): number {
  if (granularity === 'month' || granularity === 'year')
    return Number(bucketName(minute * 60_000, granularity).replace('-', ''));
  return Math.floor(minute / minutesPer[granularity]);
}

/** Adds one worker's ledger to another. Workers own disjoint slots, so uniques add up. */
export function mergeLedger(into: LedgerRecord, from: LedgerRecord): void {
  for (const [type, fates] of Object.entries(from.byType)) {
    into.byType[type] ??= emptyFates();
    addCounts(into.byType[type], fates);
    into.uniques[type] ??= {};
    addCounts(into.uniques[type], from.uniques[type] ?? {});
  }
  into.sessions += from.sessions;
  addCounts(into.rejections, from.rejections);
  addCounts(into.network, from.network);
}

function addCounts<Counts extends { [Name in keyof Counts]: number }>(into: Counts, from: Counts): void {
  for (const name of Object.keys(from) as (keyof Counts & string)[])
    into[name] = ((into[name] ?? 0) + from[name]) as Counts[keyof Counts & string];
}

/** All event types together. */
export function totalFates(ledger: LedgerRecord): FateCounts {
  const total = emptyFates();
  for (const fates of Object.values(ledger.byType)) addCounts(total, fates);
  return total;
}

/** planned minus everything that became of it; 0 in every finished run, or the ledger is wrong. */
export function unaccounted(fates: FateCounts): number {
  const { planned, accepted, duplicates, rejected, failed, dropped, unknown } = fates;
  return planned - accepted - duplicates - rejected - failed - dropped - unknown;
}
