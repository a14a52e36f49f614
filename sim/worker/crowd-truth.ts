/**
 * What else the crowd knows of its acknowledged events, for the audit's further questions: pages, minutes, sources,
 * which event types a visitor had together, and how far each got in the funnel.
 *
 *   combos     visitors by the set of their types, as bits: {view} 2, {view, click} 10 … Every unordered funnel, and
 *              every and/or/not of types over the whole run, follows from these few counts.
 *   ordered    visitors by how many steps of the funnel they did in order, by minutes: step i in minute ti, t1 <= t2 <= …
 *   sources    distinct visitors by source and bucket
 *   pages      events by type and path;  minutes: events by type and minute of their time
 *
 * Memory: five places more in a person's marks (40 bytes), 16 bytes a visit (visit-counts.ts), 8 bytes a type and
 * minute. About 0.15 us an event.
 */
import { minuteName } from '../../server/base/time-bucket.ts';
import { isBotRow } from '../crowd/crowd-types.ts';
import { acts, type Visitor } from '../crowd/visitor.ts';
import { countBuckets, type UniqueMarks } from './ledger.ts';
import { joinVisits, noVisits, VisitCounts, type VisitRows } from './visit-counts.ts';

/** The mergeable, structured-cloneable form. Rows are those of the ledger. */
export interface TruthRecord {
  /** Visitors of people's rows, by the sum of 2^k over the rows they had. */
  readonly combos: Record<string, number>;
  /** Position k: visitors that did steps 1 to k + 1 in order. Null: nobody knows in which order they were. */
  ordered: number[] | null;
  /** By `name` or `name::campaign`, then by bucket. */
  readonly sources: Record<string, Record<string, number>>;
  readonly pages: Record<string, Record<string, number>>;
  /** By row, then by minute. */
  readonly minutes: Record<string, Record<string, number>>;
  visits: VisitRows;
}

/** Bits that a small integer of V8 has room for. */
const comboRowsMax = 30;
export const funnelStepsMax = 8;

/** The rows of a funnel: what people do, in the order of the crowd's types; a heartbeat is no step. */
export function funnelRows(rows: readonly string[]): string[] {
  return rows
    .filter((row, kind) => kind < comboRowsMax && !isBotRow(row) && row !== 'heartbeat')
    .slice(0, funnelStepsMax);
}

export const emptyTruth = (): TruthRecord => ({
  combos: {},
  ordered: null,
  sources: {},
  pages: {},
  minutes: {},
  visits: noVisits(),
});

/** What an acknowledged event is to the truth. */
export interface AcknowledgedEvent {
  readonly kind: number;
  readonly pageIndex: number;
  readonly timeMs: number;
  readonly visitor: Visitor;
  readonly marks: UniqueMarks;
  /** Of `addVisit`. */
  readonly visitRow: number;
}

export class CrowdTruth {
  readonly #rows: readonly string[];
  readonly #inOrder: boolean;
  /** Places among a person's marks, behind those of the rows and of departures. */
  readonly #comboPlace: number;
  readonly #stepPlace: number;
  readonly #sourcePlace: number;
  readonly #sourceMinutePlace: number;
  readonly #steps: readonly number[];
  readonly #combos = new Map<number, number>();
  readonly #ordered: number[];
  readonly #sources: Record<string, Record<string, number>> = {};
  readonly #sourceNames = new Map<string, number>();
  /** Of the few who come from a second source: the last minute by source. */
  readonly #otherSources = new WeakMap<UniqueMarks, Map<number, number>>();
  /** By kind, then by page index. */
  readonly #pages: number[][];
  readonly #minutes = new Map<number, Float64Array>();
  #minute = -1;
  #minuteCounts: Float64Array;
  readonly #visits = new VisitCounts();

  /** @param inOrder a person's events are acknowledged in the order of their times */
  constructor(rows: readonly string[], inOrder: boolean) {
    this.#rows = rows;
    this.#inOrder = inOrder;
    this.#comboPlace = rows.length + 1;
    this.#stepPlace = rows.length + 2;
    this.#sourcePlace = rows.length + 3;
    this.#sourceMinutePlace = rows.length + 4;
    this.#steps = funnelRows(rows).map((row) => rows.indexOf(row));
    this.#ordered = this.#steps.map(() => 0);
    this.#pages = rows.map(() => []);
    this.#minuteCounts = new Float64Array(rows.length);
  }

  addVisit({ slot, generation, person }: Visitor): number {
    return this.#visits.add(slot, generation, person.number);
  }

  /** Counts an event, after the ledger has moved the person's marks on. */
  acknowledge(event: AcknowledgedEvent): void {
    const { kind, pageIndex, timeMs, marks } = event;
    const minute = Math.floor(timeMs / 60_000);
    this.#visits.count(event.visitRow);
    const pages = this.#pages[kind]!;
    pages[pageIndex] = (pages[pageIndex] ?? 0) + 1;
    this.#countMinute(kind, minute);
    if (isBotRow(this.#rows[kind]!)) return;
    this.#countCombo(kind, marks);
    if (this.#inOrder) this.#advance(minute, marks);
    if (kind === acts.sessionStart) this.#countSource(event.visitor, minute, marks);
  }

  /** @param paths of the crowd's pages */
  record(paths: readonly string[]): TruthRecord {
    const byRow = <Value>(read: (kind: number) => Record<string, Value>) =>
      Object.fromEntries(this.#rows.map((row, kind) => [row, read(kind)]));
    return {
      combos: Object.fromEntries(this.#combos),
      ordered: this.#inOrder ? this.#ordered : null,
      sources: this.#sources,
      pages: byRow((kind) => this.#pagesOf(kind, paths)),
      minutes: byRow((kind) => this.#minutesOf(kind)),
      visits: this.#visits.rows(),
    };
  }

  #countMinute(kind: number, minute: number): void {
    if (minute !== this.#minute) {
      let counts = this.#minutes.get(minute);
      if (counts === undefined) {
        counts = new Float64Array(this.#rows.length);
        this.#minutes.set(minute, counts);
      }
      this.#minute = minute;
      this.#minuteCounts = counts;
    }
    this.#minuteCounts[kind]! += 1;
  }

  #countCombo(kind: number, marks: UniqueMarks): void {
    if (kind >= comboRowsMax) return;
    const combo = marks[this.#comboPlace] ?? 0;
    const next = Math.max(0, combo) | (1 << kind);
    if (next === combo) return;
    if (combo > 0) this.#combos.set(combo, (this.#combos.get(combo) ?? 0) - 1);
    this.#combos.set(next, (this.#combos.get(next) ?? 0) + 1);
    marks[this.#comboPlace] = next;
  }

  /** A step is done if its type came in this minute and the steps before it in this one or earlier. */
  #advance(minute: number, marks: UniqueMarks): void {
    let done = Math.max(0, marks[this.#stepPlace] ?? 0);
    const before = done;
    while (done < this.#steps.length && marks[this.#steps[done]!] === minute) {
      this.#ordered[done]! += 1;
      done += 1;
    }
    if (done !== before) marks[this.#stepPlace] = done;
  }

  #countSource({ source, campaign }: Visitor, minute: number, marks: UniqueMarks): void {
    if (source === undefined || !this.#inOrder) return;
    const name = campaign === undefined ? source : `${source}::${campaign}`;
    const number = this.#sourceNames.get(name) ?? this.#sourceNames.size;
    this.#sourceNames.set(name, number);
    const last = this.#lastFrom(number, minute, marks);
    if (minute <= last) return;
    const counts = this.#sources[name] ?? {};
    this.#sources[name] = counts;
    countBuckets(counts, minute, last);
  }

  /** When the person last came from a source, -1: never; and notes that it did now. */
  #lastFrom(source: number, minute: number, marks: UniqueMarks): number {
    const first = marks[this.#sourcePlace] ?? -1;
    if (first < 0 || first === source) {
      const last = marks[this.#sourceMinutePlace] ?? -1;
      marks[this.#sourcePlace] = source;
      marks[this.#sourceMinutePlace] = Math.max(minute, last);
      return last;
    }
    const others = this.#otherSources.get(marks) ?? new Map<number, number>();
    this.#otherSources.set(marks, others);
    const last = others.get(source) ?? -1;
    others.set(source, Math.max(minute, last));
    return last;
  }

  #pagesOf(kind: number, paths: readonly string[]): Record<string, number> {
    const counts: Record<string, number> = {};
    this.#pages[kind]?.forEach((count, index) => {
      const path = paths[index] ?? '';
      counts[path] = (counts[path] ?? 0) + count;
    });
    return counts;
  }

  #minutesOf(kind: number): Record<string, number> {
    const counts = [...this.#minutes].map(
      ([minute, kinds]) => [minuteName(minute * 60_000), kinds[kind]!] as const,
    );
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }
}

/** Puts the workers' truths together. Workers own disjoint slots, so persons add up. */
export function mergeTruth(parts: readonly TruthRecord[]): TruthRecord {
  const merged = emptyTruth();
  for (const part of parts) {
    addCounts(merged.combos, part.combos);
    for (const member of ['sources', 'pages', 'minutes'] as const) addNested(merged[member], part[member]);
  }
  const orders = parts.map((part) => part.ordered);
  merged.ordered = orders.reduce<number[] | null>(
    (sum, order) =>
      order === null || sum === null ? null : order.map((count, step) => count + (sum[step] ?? 0)),
    orders.length === 0 ? null : [],
  );
  merged.visits = joinVisits(parts.map((part) => part.visits));
  return merged;
}

function addNested(into: Record<string, Record<string, number>>, from: typeof into): void {
  for (const [name, counts] of Object.entries(from)) {
    into[name] ??= {};
    addCounts(into[name], counts);
  }
}

function addCounts(into: Record<string, number>, from: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(from)) into[name] = (into[name] ?? 0) + count;
}

/** Visitors that had all of these rows, in any order. */
export function visitorsWith(combos: Readonly<Record<string, number>>, kinds: readonly number[]): number {
  const wanted = kinds.reduce((bits, kind) => bits | (1 << kind), 0);
  return Object.entries(combos).reduce(
    (sum, [combo, count]) => ((Number(combo) & wanted) === wanted ? sum + count : sum),
    0,
  );
}
