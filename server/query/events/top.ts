/**
 * The first rows of a question in its order. Only so many rows as are asked for are kept, and whole segments are left
 * out where the range of the first field says that they hold none of them.
 */
import { compareKeys, compareKeysBy, type SortKey, type SortSpec } from '../../protocol/lucene/sort.ts';
import { listPositions, sizeOf } from './doc-set.ts';
import type { Filter } from './filter.ts';
import { type PlainColumn, plainColumn } from './plain-column.ts';
import type { Turns } from './question-turns.ts';
import type { Segment } from './segment.ts';
import { sortThings } from './sort-numbers.ts';
import { type KeyReader, keyReader } from './top-keys.ts';

/** Where a document of an answer lies. */
export interface Row {
  readonly segment: Segment;
  readonly position: number;
}

export interface RowsWanted {
  /** Empty: the order of storing. */
  readonly sort: readonly SortSpec[];
  readonly start: number;
  readonly rows: number;
}

/** Fields whose values are all points, by the rules of the collector. Others may hold texts, which come first when descending. */
const timeFields: ReadonlySet<string> = new Set(['event.time', '_m1.receivedUTC']);

const rowsPerBreath = 4096;

/** Throws CB_QUERY_*, CB_REDIS_*. */
export async function findRows(
  segments: readonly Segment[],
  filter: Filter,
  wanted: RowsWanted,
  turns: Turns,
): Promise<{ numFound: number; rows: readonly Row[] }> {
  const counts = new Map<Segment, number>();
  for (const segment of segments) counts.set(segment, await filter.count(segment));
  const numFound = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const hitting = segments.filter((segment) => counts.get(segment) !== 0);
  if (wanted.rows === 0 || wanted.start >= numFound) return { numFound, rows: [] };
  const rows =
    wanted.sort.length === 0
      ? await firstStored(hitting, filter, wanted)
      : await firstSorted(hitting, filter, wanted, turns);
  return { numFound, rows };
}

async function firstStored(segments: readonly Segment[], filter: Filter, wanted: RowsWanted): Promise<Row[]> {
  const rows: Row[] = [];
  let toSkip = wanted.start;
  for (const segment of segments) {
    if (rows.length >= wanted.rows) break;
    const set = await filter.set(segment);
    const positions = new Uint32Array(segment.count + 32);
    const length = listPositions(set, 0, set.length, positions);
    for (let i = toSkip; i < length && rows.length < wanted.rows; i++)
      rows.push({ segment, position: positions[i] as number });
    toSkip = Math.max(0, toSkip - length);
  }
  return rows;
}

interface Candidate extends Row {
  readonly keys: readonly SortKey[];
}

async function firstSorted(
  segments: readonly Segment[],
  filter: Filter,
  { sort, start, rows }: RowsWanted,
  turns: Turns,
): Promise<readonly Row[]> {
  const best = new BestRows(sort, start + rows);
  for (const { segment, key } of inPromisingOrder(segments, sort)) {
    if (best.isBeyond(key)) continue;
    const set = await filter.set(segment);
    const columns = await turns.wait(Promise.all(sort.map(({ field }) => plainColumn(segment, field))));
    const readers = sort.map(({ direction }, index) => keyReader(columns[index], direction));
    const positions = new Uint32Array(sizeOf(set) + 32);
    const length = listPositions(set, 0, set.length, positions);
    // Times grow with positions: from the end, what is best comes first, and the rest is passed over.
    if (sort[0]?.direction === 'desc') positions.subarray(0, length).reverse();
    for (let from = 0; from < length; from += rowsPerBreath) {
      const slice = positions.subarray(from, Math.min(length, from + rowsPerBreath));
      const end = best.dropWorseNumbers(slice, columns[0]);
      for (let i = 0; i < end; i++) best.offer(segment, slice[i] as number, readers);
      await turns.breathe();
    }
  }
  return (await sortThings(best.rows, best.compare, turns)).slice(start);
}

interface Prospect {
  readonly segment: Segment;
  /** No event of the segment stands before this in the first field; undefined if nobody knows. */
  readonly key: number | undefined;
}

/** First those that nobody knows about, then those that begin best. */
function inPromisingOrder(segments: readonly Segment[], [first]: readonly SortSpec[]): Prospect[] {
  const prospects = segments.map((segment): Prospect => {
    if (first === undefined) return { segment, key: undefined };
    const range = segment.pointRange(first.field);
    const isAscending = first.direction === 'asc';
    const isKnown = range !== undefined && (isAscending || timeFields.has(first.field));
    return { segment, key: isKnown ? range[isAscending ? 'min' : 'max'] : undefined };
  });
  const unknown = prospects.filter(({ key }) => key === undefined);
  const known = prospects.filter(({ key }) => key !== undefined);
  const direction = first?.direction ?? 'asc';
  return [...unknown, ...known.sort((a, b) => compareKeys(a.key, b.key, direction))];
}

/** A heap with the worst of the best rows on top. */
class BestRows {
  readonly rows: Candidate[] = [];
  readonly compare: (a: Candidate, b: Candidate) => number;
  readonly #sort: readonly SortSpec[];
  readonly #max: number;

  constructor(sort: readonly SortSpec[], max: number) {
    const compareGiven = compareKeysBy(sort);
    this.compare = (a, b) =>
      compareGiven(a.keys, b.keys) || a.segment.number - b.segment.number || a.position - b.position;
    this.#sort = sort;
    this.#max = max;
  }

  /** True if nothing with this key, or a later one, in the first field can be among the rows. */
  isBeyond(key: SortKey): boolean {
    const [worst] = this.rows;
    const [first] = this.#sort;
    if (key === undefined || worst === undefined || first === undefined) return false;
    return this.rows.length === this.#max && compareKeys(key, worst.keys[0], first.direction) > 0;
  }

  /**
   * Of a column of numbers, nearly all events stand behind the rows that are there already: sorted out without a look
   * at anything else, at 2 ns each. Returns how many are left, at the front.
   */
  dropWorseNumbers(positions: Uint32Array, column: PlainColumn | undefined): number {
    const worst = this.rows[0]?.keys[0];
    if (column?.kind !== 'number' || this.rows.length < this.#max || typeof worst !== 'number')
      return positions.length;
    const { values } = column;
    const isAscending = this.#sort[0]?.direction === 'asc';
    let left = 0;
    for (let i = 0; i < positions.length; i++) {
      const position = positions[i] as number;
      const value = values[position] as number;
      // What is missing stands last, and no comparison with NaN holds.
      if (isAscending ? value <= worst : value >= worst) positions[left++] = position;
    }
    return left;
  }

  offer(segment: Segment, position: number, readers: readonly KeyReader[]): void {
    const first = readers[0]?.(position);
    if (this.rows.length === this.#max && this.#isWorse(first)) return;
    const keys = readers.map((read, index) => (index === 0 ? first : read(position)));
    const candidate = { segment, position, keys };
    if (this.rows.length < this.#max) {
      this.rows.push(candidate);
      this.#rise(this.rows.length - 1);
    } else if (this.compare(candidate, this.rows[0] as Candidate) < 0) {
      this.rows[0] = candidate;
      this.#sink();
    }
  }

  #isWorse(first: SortKey): boolean {
    const [spec] = this.#sort;
    return spec !== undefined && compareKeys(first, this.rows[0]?.keys[0], spec.direction) > 0;
  }

  #rise(from: number): void {
    const { rows } = this;
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >>> 1;
      if (this.compare(rows[at] as Candidate, rows[parent] as Candidate) <= 0) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(): void {
    const { rows } = this;
    for (let at = 0; ; ) {
      let worst = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < rows.length && this.compare(rows[child] as Candidate, rows[worst] as Candidate) > 0)
          worst = child;
      }
      if (worst === at) return;
      this.#swap(at, worst);
      at = worst;
    }
  }

  #swap(a: number, b: number): void {
    const { rows } = this;
    [rows[a], rows[b]] = [rows[b] as Candidate, rows[a] as Candidate];
  }
}
