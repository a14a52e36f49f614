/**
 * Seals one full segment: reads its chunks, and writes pages of documents and a column for each field. What readers
 * see changes in the last step, all at once (store/segment-seal.ts).
 *
 * What a heartbeat costs, in units of JSON.parse of it (2.9 us on a quiet core): 0.4 to expand its chunk, 1.1 for the
 * columns, 0.1 for its text; in the threads of zlib 0.7 for the page and 0.4 for the columns. A turn ends after 64
 * documents or 64 KiB of them: with heartbeats at 0.3 ms, at 1.5 ms where a table grows. One chunk is expanded whole.
 */
import { CrowdbeatError } from '../../base/errors.ts';
import { linesOfChunk, readChunks, readDirectory } from '../../store/segment-chunks.ts';
import type { SealedEntry, SegmentMeta } from '../../store/segment-meta.ts';
import { columnFields } from '../../store/segment-read.ts';
import { beginSealing, type SealTicket, stageFields, switchToSealed } from '../../store/segment-seal.ts';
import { encodeColumn } from './column-codec.ts';
import {
  encodePage,
  liftedFields,
  liftedLengthMin,
  liftValues,
  pageEventsDefault,
  withoutMarks,
} from './document-pages.ts';
import { isDocument } from './document-text.ts';
import { PageWriter } from './page-writer.ts';
import { SegmentColumns } from './segment-columns.ts';
import { nextTurn, TurnWork } from './turns.ts';

export interface SealingOptions {
  /** The schema's. */
  readonly fields: readonly string[];
  readonly directoryBytes: number;
  /** Default 512. */
  readonly pageEvents?: number | undefined;
  /** Looked at between slices; true ends the work. */
  readonly isStopped?: (() => boolean) | undefined;
  /** Ends each turn of work. Default: the next one follows when all that waits has had its turn. */
  readonly endTurn?: (() => Promise<void>) | undefined;
}

/** Bytes of one write, about. */
const writeBytesMax = 262_144;
const receiptField = '_m1.receivedUTC';

/** The work found that it is not its own any more; nothing was switched. */
class NotOurs extends Error {}

/**
 * Resolves with whether the segment is sealed now; not if it is not there any more, or somebody else took the lease.
 * Throws CB_REDIS_*.
 */
export async function sealSegment(ticket: SealTicket, options: SealingOptions): Promise<boolean> {
  try {
    if (!(await beginSealing(ticket))) return false;
    return await new Sealing(ticket, options).run();
  } catch (error) {
    const isMoved = error instanceof CrowdbeatError && error.code === 'CB_REDIS_STALE';
    if (isMoved || error instanceof NotOurs) return false;
    throw error;
  }
}

class Sealing {
  readonly #ticket: SealTicket;
  readonly #options: SealingOptions;
  readonly #pageEvents: number;
  readonly #columns: SegmentColumns;
  #count = 0;
  readonly #page = new PageWriter();
  #pages = 0;
  #writing: Promise<void> = Promise.resolve();
  #columnFields = 0;

  constructor(ticket: SealTicket, options: SealingOptions) {
    this.#ticket = ticket;
    this.#options = options;
    this.#pageEvents = options.pageEvents ?? pageEventsDefault;
    this.#columns = new SegmentColumns(
      new Set([...liftedFields, receiptField, ...options.fields]),
      liftedFields,
    );
  }

  async run(): Promise<boolean> {
    try {
      await this.#readAll();
    } finally {
      // Nothing of it may be under way when the lease is given back.
      await this.#writing;
    }
    await this.#writeColumns();
    const staged = { columnFields: this.#columnFields, pages: this.#pages };
    return switchToSealed(this.#ticket, this.#entry(), this.#meta(), staged);
  }

  async #readAll(): Promise<void> {
    const { number } = this.#ticket;
    const entries = await readDirectory(this.#ticket, 0, this.#options.directoryBytes);
    const work = new TurnWork();
    for await (const slice of readChunks(this.#ticket, entries)) {
      for (const { entry, chunk } of slice) {
        if (chunk === undefined) continue;
        const { bytes, ends } = linesOfChunk(chunk, number, entry.first);
        let from = 0;
        for (const end of ends) {
          this.#add(bytes, from, end);
          if (this.#page.documents === this.#pageEvents) await this.#endPage();
          if (work.isEnough(end - from)) await this.#endTurn();
          from = end + 1;
        }
      }
    }
    if (this.#page.documents > 0) await this.#endPage();
  }

  async #endTurn(): Promise<void> {
    await (this.#options.endTurn ?? nextTurn)();
    if (this.#options.isStopped?.() === true) throw new NotOurs();
  }

  #add(bytes: Buffer, from: number, to: number): void {
    const parsed = this.#columns.add(this.#count++, bytes, from, to);
    if (parsed === undefined) {
      this.#page.addBytes(bytes, from, to, this.#columns.liftedPlaces(liftedLengthMin));
      return;
    }
    const { text, document } = parsed;
    this.#page.addText(isDocument(document) ? liftValues(text, document) : withoutMarks(text));
  }

  /** Compresses and writes the page while the next one is read; one at a time. */
  async #endPage(): Promise<void> {
    const documents = this.#page.take();
    const page = String(this.#pages++);
    await this.#writing;
    this.#writing = encodePage(documents).then((bytes) =>
      this.#stage(this.#ticket.keys.segmentPages(this.#ticket.number), [[page, bytes]]),
    );
    // Whoever waits for it next is told; until then nobody does.
    this.#writing.catch(() => undefined);
  }

  async #writeColumns(): Promise<void> {
    const key = this.#ticket.keys.segmentColumns(this.#ticket.number);
    for (const field of this.#columns.fields) {
      const column = this.#columns.column(field, this.#count);
      if (column === undefined) continue;
      let fields: [string, Buffer][] = [];
      let bytes = 0;
      for (const part of columnFields(field, await encodeColumn(column))) {
        fields.push(part);
        bytes += part[1].length;
        if (bytes < writeBytesMax) continue;
        await this.#stage(key, fields);
        [fields, bytes] = [[], 0];
      }
      if (fields.length > 0) await this.#stage(key, fields);
      if (this.#options.isStopped?.() === true) throw new NotOurs();
    }
  }

  async #stage(key: string, fields: readonly (readonly [string, Buffer])[]): Promise<void> {
    if (!(await stageFields(this.#ticket, key, fields))) throw new NotOurs();
    if (key === this.#ticket.keys.segmentColumns(this.#ticket.number)) this.#columnFields += fields.length;
  }

  #entry(): SealedEntry {
    const newestMs = this.#columns.range(receiptField)?.max;
    return {
      token: this.#ticket.token,
      count: this.#count,
      pageEvents: this.#pageEvents,
      newestMs: newestMs !== undefined && Number.isFinite(newestMs) ? newestMs : undefined,
    };
  }

  #meta(): SegmentMeta {
    const ranges: [string, number, number][] = [];
    for (const field of this.#columns.fields) {
      const range = this.#columns.range(field);
      // JSON has no infinity; a field without a range is one whose column must be read.
      if (range !== undefined && Number.isFinite(range.min) && Number.isFinite(range.max))
        ranges.push([field, range.min, range.max]);
    }
    return { fields: this.#columns.fields, lifted: liftedFields, ranges };
  }
}
