/**
 * The documents of a sealed segment, a page at a time. What was taken out of their texts comes from columns: of one of
 * uuids, which is a megabyte, only the part of the page is read, unless all of it is at hand.
 */
import type { Document } from '../../protocol/lucene/values-at.ts';
import { eventsOfPage, type SealedEntry, type SegmentMeta } from '../../store/segment-meta.ts';
import { readColumnSlice, readPageBytes, type SealedSource } from '../../store/segment-read.ts';
import { columnHeadBytes, decodeUuidSlice, uuidRange } from './column-codec.ts';
import { bytesOfColumn, firstValue, firstValues } from './column-value.ts';
import { decodePage, putBack } from './document-pages.ts';
import { parseDocument } from './document-text.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { Column } from './segment.ts';
import { SharedLoads } from './shared-loads.ts';

/** Bytes that a text of a page takes beside its characters. */
const textBytes = 24;

interface Page {
  readonly texts: readonly string[];
  /** Of each lifted field the values of these events. */
  readonly lifted: readonly (Column | undefined)[];
}

export interface SealedPagesOptions {
  readonly source: SealedSource;
  readonly entry: SealedEntry;
  readonly meta: SegmentMeta;
  readonly budget: MemoryBudget;
  /** The segment's; what is not there is read. */
  readonly columns: SharedLoads<string, Column | undefined>;
  readonly column: (field: string) => Promise<Column | undefined>;
  /** Passes on what was read, or says what can't be. */
  readonly readable: <T>(what: string, read: () => Promise<T>) => Promise<T>;
}

export class SealedPages {
  readonly #options: SealedPagesOptions;
  readonly #pages: SharedLoads<number, Page>;

  constructor(options: SealedPagesOptions) {
    this.#options = options;
    this.#pages = new SharedLoads(options.budget, bytesOfPage);
  }

  /** Throws CB_REDIS_*. */
  async document(position: number): Promise<Document> {
    const { pageEvents } = this.#options.entry;
    const number = Math.floor(position / pageEvents);
    const page = await this.#pages.get(number, () => this.#read(number));
    return parseDocument(whole(page, position % pageEvents));
  }

  /** Of one page, as they were stored. Not kept: what others use would have to go for it. */
  async texts(number: number): Promise<readonly string[]> {
    const page = await this.#read(number);
    return page.texts.map((_text, at) => whole(page, at));
  }

  async #read(number: number): Promise<Page> {
    const { source, entry, meta, readable } = this.#options;
    const lifted = Promise.all(meta.lifted.map((field) => this.#lifted(field, number)));
    // Whoever fails first is told of; the other one shall not be a failure that nobody looks at.
    lifted.catch(() => undefined);
    const bytes = await readPageBytes(source, number);
    const texts = await readable(`page ${number}`, () => decodePage(bytes, eventsOfPage(entry, number)));
    return { texts, lifted: await lifted };
  }

  async #lifted(field: string, page: number): Promise<Column | undefined> {
    const { source, entry, meta, columns, column } = this.#options;
    const from = page * entry.pageEvents;
    const to = from + eventsOfPage(entry, page);
    const known = columns.known(field);
    // Fields with a range are numbers, or texts of few kinds.
    if (known === undefined && !meta.ranges.some(([name]) => name === field)) {
      const part = await readColumnSlice(source, field, columnHeadBytes, uuidRange(from, to));
      if (part === undefined) return undefined;
      const own = decodeUuidSlice(part.head, part.slice, to - from);
      if (own !== undefined) return own;
    }
    return firstValues(await (known ?? column(field)), from, to);
  }

  /** Nobody will ask for it again. */
  release(): void {
    this.#pages.release();
  }
}

function whole({ texts, lifted }: Page, at: number): string {
  return putBack(texts[at] ?? '', lifted.length, (field) => firstValue(lifted[field], at));
}

function bytesOfPage({ texts, lifted }: Page): number {
  const bytes = texts.reduce((sum, text) => sum + textBytes + 2 * text.length, 0);
  return lifted.reduce((sum, column) => sum + bytesOfColumn(column), bytes);
}
