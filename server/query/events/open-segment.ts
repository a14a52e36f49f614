/**
 * A segment that is not sealed: its chunks and columns are kept in memory and follow what is appended in Redis.
 *
 * One extension runs at a time; whoever wants the segment as long as its directory is now waits for those before and
 * extends it by what is then left. An extension that fails leaves what it had read, chunk by chunk. A heartbeat takes
 * up to 330 bytes: the chunk as it is stored, and its columns.
 */
import type { Document } from '../../protocol/lucene/values-at.ts';
import {
  type ChunkSource,
  directoryEntryBytes,
  documentsOfChunk,
  linesOfChunk,
  readChunks,
  readDirectory,
} from '../../store/segment-chunks.ts';
import { liftedFields } from './document-pages.ts';
import { parseDocument } from './document-text.ts';
import type { Column, PointRange, Segment } from './segment.ts';
import { SegmentColumns } from './segment-columns.ts';
import { documentsPerTurn, nextTurn, TurnWork } from './turns.ts';

interface KeptChunk {
  /** Position of its first document among those that are there. */
  readonly start: number;
  readonly first: number;
  readonly bytes: Buffer;
}

export class OpenSegment {
  readonly #source: ChunkSource;
  readonly #columns: SegmentColumns;
  readonly #chunks: KeptChunk[] = [];
  #chunkBytes = 0;
  #count = 0;
  /** Of the directory, read so far. */
  #directoryBytes = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(source: ChunkSource, fields: Iterable<string>) {
    this.#source = source;
    this.#columns = new SegmentColumns(fields);
  }

  /** Of memory, about. */
  get bytes(): number {
    return this.#chunkBytes + this.#columns.bytes;
  }

  /** Of the fields that have points. */
  get ranges(): ReadonlyMap<string, PointRange> {
    const ranges = new Map<string, PointRange>();
    for (const field of this.#columns.fields) {
      const range = this.#columns.range(field);
      if (range !== undefined) ranges.set(field, range);
    }
    return ranges;
  }

  /** Resolves when it holds all that the directory's first bytes list. Throws CB_REDIS_*. */
  extendTo(directoryBytes: number): Promise<void> {
    return this.#alone(async () => {
      if (directoryBytes <= this.#directoryBytes) return;
      const entries = await readDirectory(this.#source, this.#directoryBytes, directoryBytes);
      const work = new TurnWork();
      for await (const slice of readChunks(this.#source, entries)) {
        for (const { entry, chunk } of slice) {
          if (chunk !== undefined) await this.#append(entry.first, chunk, work);
          this.#directoryBytes += directoryEntryBytes;
        }
      }
    });
  }

  /** What can't be read is not appended at all: the question fails, and the next one tries again. */
  async #append(first: number, chunk: Buffer, work: TurnWork): Promise<void> {
    const { bytes, ends } = linesOfChunk(chunk, this.#source.number, first);
    this.#chunks.push({ start: this.#count, first, bytes: chunk });
    this.#chunkBytes += chunk.length;
    let from = 0;
    for (const end of ends) {
      this.#columns.add(this.#count++, bytes, from, end);
      if (work.isEnough(end - from)) await nextTurn();
      from = end + 1;
    }
  }

  /** One after the other, whether or not the one before succeeded. */
  #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {
      // Whoever began it is told; those who come after it try themselves.
    });
    return done;
  }

  /** Columns that are in use, for who goes on with the segment now that it is sealed; none if it is not held whole. */
  handOver(count: number): ReadonlyMap<string, Column | undefined> {
    return count === this.#count ? this.#columns.shownColumns(count, liftedFields) : new Map();
  }

  /** The events that it holds now. */
  snapshot(): Segment {
    const count = this.#count;
    return {
      number: this.#source.number,
      count,
      isSealed: false,
      // Of all events that it has by then, and so wide enough for these.
      pointRange: (field) => this.#columns.range(field),
      column: (field) => this.#column(field, count),
      documents: (positions) => this.#documents(positions),
    };
  }

  async #column(field: string, count: number): Promise<Column | undefined> {
    if (!this.#columns.has(field)) await this.#alone(() => this.#addField(field));
    return this.#columns.column(field, count);
  }

  /** A field that was declared after the segment was begun to be read. */
  async #addField(field: string): Promise<void> {
    if (this.#columns.has(field)) return;
    const added = new SegmentColumns([field]);
    const work = new TurnWork();
    for (const { start, first, bytes: chunk } of this.#chunks) {
      const { bytes, ends } = linesOfChunk(chunk, this.#source.number, first);
      let from = 0;
      for (const [i, end] of ends.entries()) {
        added.add(start + i, bytes, from, end);
        if (work.isEnough(end - from)) await nextTurn();
        from = end + 1;
      }
    }
    this.#columns.adopt(added);
  }

  async #documents(positions: readonly number[]): Promise<readonly Document[]> {
    const documents: Document[] = [];
    const read = new Map<KeptChunk, readonly string[]>();
    for (const position of positions) {
      const chunk = this.#chunkOf(position);
      let texts = read.get(chunk);
      if (texts === undefined) {
        texts = documentsOfChunk(chunk.bytes, this.#source.number, chunk.first);
        read.set(chunk, texts);
      }
      documents.push(parseDocument(texts[position - chunk.start] ?? ''));
      if (documents.length % documentsPerTurn === 0) await nextTurn();
    }
    return documents;
  }

  #chunkOf(position: number): KeptChunk {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle] as KeptChunk).start <= position) low = middle;
      else high = middle - 1;
    }
    return this.#chunks[low] as KeptChunk;
  }
}
