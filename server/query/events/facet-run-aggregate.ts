/** Figures over the events of each bucket, gathered in one pass: an accumulator per slot. */
import type { Aggregate, Figure } from '../../protocol/facets/facet.ts';
import { nearestRank } from '../../protocol/facets/facet-naive.ts';
import { KeyClasses } from './facet-run-classes.ts';
import { classOfCode, expand, Slice } from './facet-run-slice.ts';
import { type QuestionLimits, TooMuchError } from './limits.ts';
import { type PlainColumn, pointsOfCodes, type TextColumn } from './plain-column.ts';
import type { Turns } from './question-turns.ts';
import { sortNumbers } from './sort-numbers.ts';
import { KeyTable, larger } from './unique-keys.ts';

/** Of one segment, by field; none where no event has the field. */
export type Columns = ReadonlyMap<string, PlainColumn>;

/** Looks at the events of a group, slice by slice. */
export interface Taker {
  /** Those that it looks at. */
  readonly fields: readonly string[];
  /**
   * Takes all events of a segment at once, from a dictionary's counts; false if it has to see them. Asked where the
   * group is one bucket with every event of the segment in it.
   */
  takeAll(columns: Columns): boolean;
  take(slice: Slice, columns: Columns): void;
}

export interface AggregateTaker extends Taker {
  /** To be called when everything was taken. */
  figure(slot: number, turns: Turns): Promise<Figure>;
}

/** @param slots of the group that it will see */
export function aggregateTaker(aggregate: Aggregate, slots: number, limits: QuestionLimits): AggregateTaker {
  if (aggregate.kind === 'unique') return new UniqueTaker(aggregate.field, slots, limits);
  if (aggregate.kind === 'percentile')
    return new PercentileTaker(aggregate.field, aggregate.percents, limits);
  return new SumTaker(aggregate.field, aggregate.kind);
}

class UniqueTaker implements AggregateTaker {
  readonly fields: readonly string[];
  readonly #classes: KeyClasses;
  /** Slot and value; of one slot, the values are counted already. */
  readonly #pairs: KeyTable | undefined;
  readonly #expanded = new Slice();
  readonly #counts = new Counters();

  constructor(field: string, slots: number, { uniqueValuesMax }: QuestionLimits) {
    const onFull = (): Error =>
      new TooMuchError(
        'too_many_values',
        `unique(${field}): more than ${uniqueValuesMax} values to tell apart`,
      );
    this.fields = [field];
    this.#classes = new KeyClasses(uniqueValuesMax, onFull);
    this.#pairs = slots === 1 ? undefined : new KeyTable(uniqueValuesMax, onFull);
  }

  takeAll(columns: Columns): boolean {
    const column = columns.get(this.fields[0] as string);
    if (column === undefined) return true;
    if (column.kind !== 'dictionary') return false;
    const known = this.#classes.ofCodes(column);
    for (const [index, count] of column.counts.entries())
      if (count > 0) this.#note(0, classOfCode(index + 1, column, this.#classes, known));
    return true;
  }

  take(slice: Slice, columns: Columns): void {
    const column = columns.get(this.fields[0] as string);
    if (column === undefined) return;
    expand(slice, column, this.#classes, this.#expanded);
    if (this.#pairs === undefined) return;
    const { length, slots, classes } = this.#expanded;
    for (let i = 0; i < length; i++) this.#note(slots[i] as number, classes[i] as number);
  }

  #note(slot: number, found: number): void {
    const pairs = this.#pairs;
    if (pairs === undefined) return;
    const before = pairs.size;
    pairs.idOfPair(slot, found);
    if (pairs.size > before) this.#counts.add(slot, 1);
  }

  async figure(slot: number): Promise<Figure> {
    return this.#pairs === undefined ? this.#classes.keys.size : this.#counts.get(slot);
  }
}

/** A number per slot, 0 until it is added to. */
export class Counters {
  #values: Float64Array<ArrayBuffer> = new Float64Array(64);

  get(slot: number): number {
    return this.#values[slot] ?? 0;
  }

  add(slot: number, amount: number): void {
    while (slot >= this.#values.length) this.#values = larger(this.#values);
    this.#values[slot] = (this.#values[slot] as number) + amount;
  }
}

/** Calls back with each point that an event has in a column. */
function eachPoint(
  slice: Slice,
  column: PlainColumn | undefined,
  use: (slot: number, point: number) => void,
): void {
  // A uuid has no point.
  if (column === undefined || column.kind === 'uuid') return;
  const points = column.kind === 'dictionary' ? pointsOfCodes(column) : column.values;
  const codes = column.kind === 'dictionary' ? column.codes : undefined;
  for (let i = 0; i < slice.length; i++) {
    const position = slice.positions[i] as number;
    const point = points[codes === undefined ? position : (codes[position] as number)] as number;
    if (!Number.isNaN(point)) use(slice.slots[i] as number, point);
    if (codes !== undefined)
      eachFurther(column as TextColumn, points, position, slice.slots[i] as number, use);
  }
}

function eachFurther(
  { more }: TextColumn,
  points: Float64Array,
  position: number,
  slot: number,
  use: (slot: number, point: number) => void,
): void {
  if (more.size === 0) return;
  for (const code of more.get(position) ?? []) {
    const point = points[code] as number;
    if (!Number.isNaN(point)) use(slot, point);
  }
}

class SumTaker implements AggregateTaker {
  readonly fields: readonly string[];
  readonly #kind: 'sum' | 'avg' | 'min' | 'max';
  readonly #sums = new Counters();
  readonly #counts = new Counters();
  /** The least or the greatest, as asked. */
  #bests: Float64Array<ArrayBuffer> = new Float64Array(64).fill(Number.NaN);

  constructor(field: string, kind: 'sum' | 'avg' | 'min' | 'max') {
    this.fields = [field];
    this.#kind = kind;
  }

  takeAll(): boolean {
    return false;
  }

  take(slice: Slice, columns: Columns): void {
    const isSum = this.#kind === 'sum' || this.#kind === 'avg';
    eachPoint(slice, columns.get(this.fields[0] as string), (slot, point) => {
      if (!isSum) this.#keepBest(slot, point);
      else {
        this.#sums.add(slot, point);
        this.#counts.add(slot, 1);
      }
    });
  }

  #keepBest(slot: number, point: number): void {
    while (slot >= this.#bests.length) {
      const { length } = this.#bests;
      this.#bests = larger(this.#bests).fill(Number.NaN, length);
    }
    const best = this.#bests[slot] as number;
    // No comparison with NaN holds: whatever comes first is kept.
    const isWorse = this.#kind === 'min' ? point >= best : point <= best;
    if (!isWorse) this.#bests[slot] = point;
  }

  async figure(slot: number): Promise<Figure> {
    if (this.#kind === 'sum') return this.#sums.get(slot);
    const count = this.#counts.get(slot);
    if (this.#kind === 'avg') return count === 0 ? null : this.#sums.get(slot) / count;
    const best = this.#bests[slot] ?? Number.NaN;
    return Number.isNaN(best) ? null : best;
  }
}

class PercentileTaker implements AggregateTaker {
  readonly fields: readonly string[];
  readonly #percents: readonly number[];
  readonly #limits: QuestionLimits;
  readonly #points = new Map<number, { length: number; values: Float64Array<ArrayBuffer> }>();
  #taken = 0;

  constructor(field: string, percents: readonly number[], limits: QuestionLimits) {
    this.fields = [field];
    this.#percents = percents;
    this.#limits = limits;
  }

  takeAll(): boolean {
    return false;
  }

  take(slice: Slice, columns: Columns): void {
    eachPoint(slice, columns.get(this.fields[0] as string), (slot, point) => this.#keep(slot, point));
  }

  #keep(slot: number, point: number): void {
    const { percentilePointsMax } = this.#limits;
    if (++this.#taken > percentilePointsMax) {
      const message = `percentile(${this.fields[0]}): more than ${percentilePointsMax} numbers to order`;
      throw new TooMuchError('too_many_values', message);
    }
    let points = this.#points.get(slot);
    if (points === undefined) {
      points = { length: 0, values: new Float64Array(4) };
      this.#points.set(slot, points);
    }
    if (points.length === points.values.length) points.values = larger(points.values);
    points.values[points.length++] = point;
  }

  async figure(slot: number, turns: Turns): Promise<Figure> {
    const points = this.#points.get(slot);
    const sorted = await sortNumbers(
      points === undefined ? new Float64Array() : points.values.subarray(0, points.length),
      turns,
    );
    const figures = this.#percents.map((percent) => nearestRank(sorted, percent));
    return figures.length === 1 ? (figures[0] ?? null) : figures;
  }
}
