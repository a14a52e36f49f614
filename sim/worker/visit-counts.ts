/**
 * How many events of each visit were acknowledged: a row a visit, 16 bytes, in blocks that never move.
 *
 *   slot   generation   person   events        session id = uuid(session, slot, generation)
 *   4      4            4        4 bytes       visitor id = uuid(visitor, slot, person)     (random/ids.ts)
 *
 * The ids are not kept, because seed and run id give them back. An hour of 100,000 visitors who stay for 3 minutes
 * each is 2 million visits, thus 32 MB.
 */

/** Parallel columns, a place for each visit. */
export interface VisitRows {
  readonly slots: Uint32Array;
  readonly generations: Uint32Array;
  readonly persons: Uint32Array;
  readonly events: Uint32Array;
}

const columns = 4;
const rowsPerBlock = 16_384;

export const noVisits = (): VisitRows => ({
  slots: new Uint32Array(0),
  generations: new Uint32Array(0),
  persons: new Uint32Array(0),
  events: new Uint32Array(0),
});

export class VisitCounts {
  readonly #blocks: Uint32Array[] = [];
  #rows = 0;

  /** Begins to count a visit. @returns its row */
  add(slot: number, generation: number, person: number): number {
    const row = this.#rows;
    this.#rows += 1;
    if (row % rowsPerBlock === 0) this.#blocks.push(new Uint32Array(rowsPerBlock * columns));
    const at = (row % rowsPerBlock) * columns;
    const block = this.#blocks[(row / rowsPerBlock) | 0]!;
    block[at] = slot;
    block[at + 1] = generation;
    block[at + 2] = person;
    return row;
  }

  /** Counts an acknowledged event of a visit. */
  count(row: number): void {
    this.#blocks[(row / rowsPerBlock) | 0]![(row % rowsPerBlock) * columns + 3]! += 1;
  }

  /** All visits of which an event was acknowledged. */
  rows(): VisitRows {
    const kept: number[] = [];
    for (let row = 0; row < this.#rows; row++) if (this.#at(row, 3) > 0) kept.push(row);
    const column = (number: number): Uint32Array => Uint32Array.from(kept, (row) => this.#at(row, number));
    return { slots: column(0), generations: column(1), persons: column(2), events: column(3) };
  }

  #at(row: number, column: number): number {
    return this.#blocks[(row / rowsPerBlock) | 0]![(row % rowsPerBlock) * columns + column]!;
  }
}

/** The visits of several workers, who own disjoint ones. */
export function joinVisits(parts: readonly VisitRows[]): VisitRows {
  const joined = (column: keyof VisitRows): Uint32Array => {
    const all = new Uint32Array(parts.reduce((sum, part) => sum + part[column].length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part[column], at);
      at += part[column].length;
    }
    return all;
  };
  return {
    slots: joined('slots'),
    generations: joined('generations'),
    persons: joined('persons'),
    events: joined('events'),
  };
}
