/** Counts the events of each bucket of a terms or range facet, in each slot of a group. */
import type { TermsFacet } from '../../protocol/facets/facet.ts';
import { compareKeys, type SortKey } from '../../protocol/lucene/sort.ts';
import { type AggregateTaker, type Columns, Counters, type Taker } from './facet-run-aggregate.ts';
import type { Chosen } from './facet-run-group.ts';
import { type Classes, classOfCode, expand, Slice } from './facet-run-slice.ts';
import type { Turns } from './question-turns.ts';
import { sortThings } from './sort-numbers.ts';
import type { KeyTable } from './unique-keys.ts';

/** A bucket that has events: `cell` is its place among all buckets of all slots. */
export interface Bucket {
  readonly found: number;
  readonly cell: number;
  readonly count: number;
}

const cellsPerBreath = 4096;

export class BucketTaker implements Taker {
  readonly fields: readonly string[];
  readonly classes: Classes;
  readonly #field: string;
  /** Slot and class; of one slot, the class alone says it. */
  readonly #cells: KeyTable | undefined;
  readonly #counts = new Counters();
  readonly #expanded = new Slice();
  readonly #rank: AggregateTaker | undefined;
  #classesEnd = 0;

  /**
   * @param cells of all slots together; undefined if there is one slot
   * @param rank what the buckets are ordered by, with cells for its slots
   */
  constructor(field: string, classes: Classes, cells: KeyTable | undefined, rank?: AggregateTaker) {
    this.#field = field;
    this.fields = [field, ...(rank?.fields ?? [])];
    this.classes = classes;
    this.#cells = cells;
    this.#rank = rank;
  }

  takeAll(columns: Columns): boolean {
    const column = columns.get(this.#field);
    if (column === undefined) return true;
    if (column.kind !== 'dictionary' || this.#rank !== undefined) return false;
    const known = this.classes.ofCodes(column);
    // Two values of one event may be in one bucket; the counts don't tell.
    if (column.more.size > 0 && !this.classes.areValues) return false;
    for (const [index, count] of column.counts.entries()) {
      const found = count === 0 ? -1 : classOfCode(index + 1, column, this.classes, known);
      if (found >= 0) this.#count(found, count);
    }
    return true;
  }

  take(slice: Slice, columns: Columns): void {
    const column = columns.get(this.#field);
    if (column === undefined) return;
    const expanded = this.#expanded;
    expand(slice, column, this.classes, expanded);
    const cells = this.#cells;
    for (let i = 0; i < expanded.length; i++) {
      const found = expanded.classes[i] as number;
      const cell = cells === undefined ? found : cells.idOfPair(expanded.slots[i] as number, found);
      this.#count(cell, 1);
      expanded.slots[i] = cell;
    }
    this.#rank?.take(expanded, columns);
  }

  #count(cell: number, amount: number): void {
    if (cell >= this.#classesEnd) this.#classesEnd = cell + 1;
    this.#counts.add(cell, amount);
  }

  /** The buckets of each slot, with at least so many events. */
  async buckets(slots: number, mincount: number, turns: Turns): Promise<Bucket[][]> {
    const found: Bucket[][] = Array.from({ length: slots }, () => []);
    for (let cell = 0; cell < this.#classesEnd; cell++) {
      if (cell % cellsPerBreath === 0) await turns.breathe();
      const count = this.#counts.get(cell);
      if (count < mincount || count === 0) continue;
      const [slot, foundClass] = this.#cells?.pairOf(cell) ?? [0, cell];
      found[slot]?.push({ found: foundClass, cell, count });
    }
    return found;
  }

  countOf(slot: number, found: number): number {
    if (this.#cells === undefined) return this.#counts.get(found);
    const cell = this.#cells.findPair(slot, found);
    return cell === undefined ? 0 : this.#counts.get(cell);
  }

  async figureOf(cell: number, turns: Turns): Promise<number | undefined> {
    const figure = await this.#rank?.figure(cell, turns);
    return typeof figure === 'number' ? figure : undefined;
  }

  /** Gives each chosen bucket a slot of its own, in the order in which they come. */
  choose(chosen: readonly (readonly { readonly found: number }[])[]): Chosen {
    const slots = chosen.reduce((sum, { length }) => sum + length, 0);
    const slotOfCell = new Map<number, number>();
    let next = 0;
    for (const [parentSlot, buckets] of chosen.entries()) {
      for (const { found } of buckets) {
        const cell = this.#cells === undefined ? found : this.#cells.findPair(parentSlot, found);
        if (cell !== undefined) slotOfCell.set(cell, next);
        next += 1;
      }
    }
    return { slots, slotOf: this.#finder(slotOfCell) };
  }

  #finder(slotOfCell: ReadonlyMap<number, number>): Chosen['slotOf'] {
    const cells = this.#cells;
    if (cells !== undefined) {
      return (parentSlot, found) => {
        const cell = cells.findPair(parentSlot, found);
        return cell === undefined ? undefined : slotOfCell.get(cell);
      };
    }
    const slotOfClass = new Int32Array(this.#classesEnd).fill(-1);
    for (const [found, slot] of slotOfCell) if (found < slotOfClass.length) slotOfClass[found] = slot;
    return (_parentSlot, found) => {
      const slot = slotOfClass[found] ?? -1;
      return slot < 0 ? undefined : slot;
    };
  }
}

export interface RankedBucket extends Bucket {
  readonly key: string | number;
  readonly rank: SortKey;
}

/** Those of one slot that the page shows, in its order. */
export async function pageOf(
  buckets: readonly Bucket[],
  { sort, offset, limit }: Pick<TermsFacet, 'sort' | 'offset' | 'limit'>,
  { keyOf, figureOf }: { keyOf: (found: number) => string | number; figureOf: BucketTaker['figureOf'] },
  turns: Turns,
): Promise<readonly RankedBucket[]> {
  if (limit === 0) return [];
  const ranked: RankedBucket[] = [];
  const compare = (a: RankedBucket, b: RankedBucket): number =>
    compareKeys(a.rank, b.rank, sort.direction) || compareKeys(a.key, b.key, 'asc');
  const wanted = offset + limit;
  let best: RankedBucket[] = [];
  for (const bucket of buckets) {
    const key = keyOf(bucket.found);
    const rank =
      sort.by === 'count' ? bucket.count : sort.by === 'index' ? key : await figureOf(bucket.cell, turns);
    ranked.push({ ...bucket, key, rank });
    if (ranked.length < cellsPerBreath + wanted) continue;
    // What the best so far leave out can't come back.
    best = (await sortThings(ranked, compare, turns)).slice(0, wanted);
    ranked.length = 0;
    ranked.push(...best);
  }
  return (await sortThings(ranked, compare, turns)).slice(offset, wanted);
}
