/**
 * The sets that parts of queries found in columns of sealed segments, for whoever asks the same again: 8 KB each.
 * Held by the column itself, so what is found is right for as long as there is a column to ask.
 */
import type { LeafQuery } from '../../protocol/lucene/matches.ts';
import type { DocSet } from './doc-set.ts';
import type { PlainColumn } from './plain-column.ts';

type SetsOfColumn = Map<string, DocSet>;

interface Entry {
  readonly sets: WeakRef<SetsOfColumn>;
  readonly key: string;
  readonly bytes: number;
}

const bytesMaxDefault = 64 * 1_048_576;

export class FilterCache {
  readonly #bytesMax: number;
  readonly #ofColumns = new WeakMap<PlainColumn, SetsOfColumn>();
  /** The oldest first; those whose column is gone count until their turn comes. */
  readonly #entries = new Set<Entry>();
  #bytes = 0;

  constructor(bytesMax: number = bytesMaxDefault) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(column: PlainColumn, key: string): DocSet | undefined {
    return this.#ofColumns.get(column)?.get(key);
  }

  add(column: PlainColumn, key: string, set: DocSet): void {
    const bytes = set.byteLength + 2 * key.length;
    let sets = this.#ofColumns.get(column);
    if (sets === undefined) {
      sets = new Map();
      this.#ofColumns.set(column, sets);
    }
    if (bytes > this.#bytesMax || sets.has(key)) return;
    sets.set(key, set);
    this.#entries.add({ sets: new WeakRef(sets), key, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#entries.delete(oldest);
      this.#bytes -= oldest.bytes;
      oldest.sets.deref()?.delete(oldest.key);
    }
  }
}

/** Two parts with one key find the same. The printed query would not do: `NOW` is another time each time. */
export function keyOfLeaf(query: LeafQuery): string {
  return JSON.stringify({ ...query, field: undefined });
}
