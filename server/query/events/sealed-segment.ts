/** A segment that never changes: its columns and documents are read when they are asked for. */
import { CrowdbeatError, messageOf } from '../../base/errors.ts';
import type { Document } from '../../protocol/lucene/values-at.ts';
import { pagesOf, type SealedEntry, type SegmentMeta } from '../../store/segment-meta.ts';
import { addColumn, readColumnBytes, type SealedSource } from '../../store/segment-read.ts';
import { decodeColumn, encodeColumn } from './column-codec.ts';
import { bytesOfColumn } from './column-value.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { SealedPages } from './sealed-pages.ts';
import type { Column, PointRange, Segment } from './segment.ts';
import { SegmentColumns } from './segment-columns.ts';
import { SharedLoads } from './shared-loads.ts';
import { documentsPerTurn, nextTurn } from './turns.ts';

export interface SealedSegmentOptions {
  readonly source: SealedSource;
  readonly entry: SealedEntry;
  readonly meta: SegmentMeta;
  readonly budget: MemoryBudget;
  /** Columns that are at hand already. */
  readonly columns?: ReadonlyMap<string, Column | undefined> | undefined;
  /** Whether the property's schema has the field, so that a column made of the documents is worth storing. */
  readonly isDeclared: (field: string) => Promise<boolean>;
}

export class SealedSegment implements Segment {
  readonly number: number;
  readonly count: number;
  readonly isSealed = true;
  readonly #options: SealedSegmentOptions;
  readonly #fields: ReadonlySet<string>;
  readonly #ranges: ReadonlyMap<string, PointRange>;
  readonly #columns: SharedLoads<string, Column | undefined>;
  readonly #pages: SealedPages;

  constructor(options: SealedSegmentOptions) {
    const { source, entry, meta, budget } = options;
    this.#options = options;
    this.number = source.number;
    this.count = entry.count;
    this.#fields = new Set(meta.fields);
    this.#ranges = new Map(meta.ranges.map(([field, min, max]) => [field, { min, max }]));
    this.#columns = new SharedLoads(budget, bytesOfColumn);
    for (const [field, column] of options.columns ?? []) void this.#columns.get(field, async () => column);
    this.#pages = new SealedPages({
      ...{ source, entry, meta, budget, columns: this.#columns },
      column: (field) => this.column(field),
      readable: (what, read) => this.#readable(what, read),
    });
  }

  get token(): string {
    return this.#options.entry.token;
  }

  pointRange(field: string): PointRange | undefined {
    return this.#ranges.get(field);
  }

  column(field: string): Promise<Column | undefined> {
    return this.#columns.get(field, () => this.#readColumn(field));
  }

  async #readColumn(field: string): Promise<Column | undefined> {
    const { source } = this.#options;
    const bytes = await readColumnBytes(source, field);
    if (bytes !== undefined) return this.#readable(`the column of ${field}`, () => decodeColumn(bytes));
    return this.#fields.has(field) ? undefined : this.#makeColumn(field);
  }

  /** Of a field that nobody knew when the segment was sealed. */
  async #makeColumn(field: string): Promise<Column | undefined> {
    const { source, entry, isDeclared } = this.#options;
    const columns = new SegmentColumns([field]);
    // All pages want all of them.
    await Promise.all(this.#options.meta.lifted.map((each) => this.column(each)));
    for (let page = 0, position = 0; page < pagesOf(entry); page++) {
      for (const text of await this.#pages.texts(page)) {
        columns.addText(position, text);
        if (++position % documentsPerTurn === 0) await nextTurn();
      }
    }
    const column = columns.column(field, entry.count);
    if (await isDeclared(field)) await addColumn(source, field, await encodeColumn(column));
    return column;
  }

  async documents(positions: readonly number[]): Promise<readonly Document[]> {
    const { pageEvents } = this.#options.entry;
    const documents: Document[] = [];
    let lastPage = -1;
    for (const position of positions) {
      const page = Math.floor(position / pageEvents);
      if (page !== lastPage && lastPage !== -1) await nextTurn();
      lastPage = page;
      documents.push(await this.#pages.document(position));
    }
    return documents;
  }

  async #readable<T>(what: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      const message = `segment ${this.number} of the stored events: ${what} can't be read: ${messageOf(error)}`;
      throw new CrowdbeatError('CB_REDIS_REPLY', message, { cause: error });
    }
  }

  /** Nobody will ask for it again. */
  release(): void {
    this.#columns.release();
    this.#pages.release();
  }
}
