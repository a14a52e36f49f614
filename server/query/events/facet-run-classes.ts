/** What the events of a facet are sorted by: the values themselves, or the buckets of a range. */
import { pointOf } from '../../protocol/lucene/literal.ts';
import { type Classes, CodeMemo } from './facet-run-slice.ts';
import type { TextColumn } from './plain-column.ts';
import { KeyTable } from './unique-keys.ts';

/** A class for each value; with a prefix, only for the texts that begin so. */
export class KeyClasses implements Classes {
  readonly areValues = true;
  readonly keys: KeyTable;
  readonly #prefix: string;
  readonly #memo = new CodeMemo();

  constructor(valuesMax: number, onFull: () => Error, prefix = '') {
    this.keys = new KeyTable(valuesMax, onFull);
    this.#prefix = prefix;
  }

  ofValue(value: string | number): number {
    if (this.#prefix === '') return this.keys.idOf(value);
    return typeof value === 'string' && value.startsWith(this.#prefix) ? this.keys.idOf(value) : -1;
  }

  ofNumber(value: number): number {
    return this.#prefix === '' ? this.keys.idOfNumber(value) : -1;
  }

  ofUuid(words: Uint32Array, at: number): number {
    const id = this.keys.idOfUuid(words, at);
    if (this.#prefix === '') return id;
    return String(this.keys.keyOf(id)).startsWith(this.#prefix) ? id : -1;
  }

  warm(words: Uint32Array, positions: Uint32Array, from: number, end: number): void {
    this.keys.warm(words, positions, from, end);
  }

  ofCodes(column: TextColumn): Int32Array {
    return this.#memo.of(column);
  }
}

/** A class for each bucket of a range: from an edge on, up to the next. */
export class RangeClasses implements Classes {
  readonly areValues = false;
  readonly #edges: Float64Array;
  readonly #memo = new CodeMemo();

  /** @param edges ascending */
  constructor(edges: readonly number[]) {
    this.#edges = Float64Array.from(edges);
  }

  ofValue(value: string | number): number {
    const point = pointOf(value);
    return point === undefined ? -1 : this.ofNumber(point);
  }

  ofNumber(point: number): number {
    const edges = this.#edges;
    if (!(point >= (edges[0] as number) && point < (edges.at(-1) as number))) return -1;
    let low = 0;
    let high = edges.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (point >= (edges[middle] as number)) low = middle;
      else high = middle;
    }
    return low;
  }

  ofUuid(): number {
    return -1;
  }

  warm(): void {}

  ofCodes(column: TextColumn): Int32Array {
    return this.#memo.of(column);
  }
}
