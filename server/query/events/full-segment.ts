/**
 * A full segment that is not sealed yet. There may be many of them while a busy collector lets them wait, each of 20
 * MiB decoded, so a question holds none of that: what it asks for is taken from the copy that is kept in memory, and
 * when the budget has let go of that, from one that is read again. What was found once (how many events it has, and
 * the ranges of fields) stays, and each column is kept, and let go of, by itself.
 *
 * Memory is that of the budget and, for each that is being read, one copy. A question that asks many times for the
 * columns of more segments than the budget holds reads them as often: 4 us an event each time.
 */
import type { Document } from '../../protocol/lucene/values-at.ts';
import { movedSegment } from '../../store/segment-chunks.ts';
import { bytesOfColumn } from './column-value.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { OpenSegment } from './open-segment.ts';
import type { Column, PointRange, Segment } from './segment.ts';
import { SharedLoads } from './shared-loads.ts';

/** The segment decoded, with all of its events. Throws CB_REDIS_*. */
export type LoadOpen = () => Promise<OpenSegment>;

export class FullSegment implements Segment {
  readonly isSealed = false;
  readonly number: number;
  readonly count: number;
  readonly #ranges: ReadonlyMap<string, PointRange>;
  readonly #load: LoadOpen;
  readonly #columns: SharedLoads<string, Column | undefined>;

  private constructor(
    first: Segment,
    ranges: ReadonlyMap<string, PointRange>,
    load: LoadOpen,
    budget: MemoryBudget,
  ) {
    this.number = first.number;
    this.count = first.count;
    this.#ranges = ranges;
    this.#load = load;
    this.#columns = new SharedLoads(budget, bytesOfColumn);
  }

  static async of(load: LoadOpen, budget: MemoryBudget): Promise<FullSegment> {
    const open = await load();
    return new FullSegment(open.snapshot(), open.ranges, load, budget);
  }

  pointRange(field: string): PointRange | undefined {
    return this.#ranges.get(field);
  }

  column(field: string): Promise<Column | undefined> {
    return this.#columns.get(field, async () => (await this.#segment()).column(field));
  }

  async documents(positions: readonly number[]): Promise<readonly Document[]> {
    return (await this.#segment()).documents(positions);
  }

  async #segment(): Promise<Segment> {
    const segment = (await this.#load()).snapshot();
    // Chunks were lost meanwhile: positions are not what they were.
    if (segment.count !== this.count) throw movedSegment(this.number);
    return segment;
  }

  /** Nobody will ask for it again. */
  release(): void {
    this.#columns.release();
  }
}
