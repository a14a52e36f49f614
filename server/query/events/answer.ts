/** Answers questions about the events of a property. */
import type { Clock } from '../../base/clock.ts';
import { CrowdbeatError } from '../../base/errors.ts';
import type { BucketAnswer } from '../../protocol/facets/facet.ts';
import { projector } from '../../protocol/lucene/field-list.ts';
import type { Query } from '../../protocol/lucene/query.ts';
import type { Document } from '../../protocol/lucene/values-at.ts';
import type { ErrorReply } from '../../protocol/replies.ts';
import { answerGroup } from './facet-run.ts';
import { RootGroup } from './facet-run-group.ts';
import { Filter } from './filter.ts';
import { FilterCache } from './filter-cache.ts';
import { type QuestionLimits, questionLimits, TooMuchError } from './limits.ts';
import type { EventQuestion } from './question.ts';
import { QuestionLine, Turns } from './question-turns.ts';
import type { EventSource, Segment } from './segment.ts';
import { findRows, type Row } from './top.ts';

export interface EventAnswer {
  readonly timeMs: number;
  readonly numFound: number;
  readonly start: number;
  /** With `_m1key`, and as `fl` wants them. */
  readonly documents: readonly Document[];
  readonly facets: BucketAnswer | undefined;
}

export interface EventQueriesOptions {
  readonly clock: Clock;
  readonly limits?: Partial<QuestionLimits> | undefined;
  /** Bytes of what is remembered of parts of queries. Default 64 MiB. */
  readonly cacheBytesMax?: number | undefined;
  readonly line?: QuestionLine;
}

/** Documents read between two looks at whether anybody still waits. */
const documentsPerRead = 512;

/** What the questions of a process share. */
export class EventQueries {
  readonly #clock: Clock;
  readonly #limits: QuestionLimits;
  readonly #cache: FilterCache;
  readonly #line: QuestionLine;

  constructor({ clock, limits, cacheBytesMax, line = new QuestionLine() }: EventQueriesOptions) {
    this.#clock = clock;
    this.#limits = { ...questionLimits, ...limits };
    this.#cache = new FilterCache(cacheBytesMax);
    this.#line = line;
  }

  /**
   * @param property its name, for the places of heavy questions
   * @param signal aborted when nobody waits any more
   * Throws CB_QUERY_TIMEOUT, CB_QUERY_CANCELLED, CB_REDIS_*.
   */
  async answer(
    source: EventSource,
    question: EventQuestion,
    property: string,
    signal?: AbortSignal,
  ): Promise<EventAnswer | ErrorReply> {
    const { timeMs } = this.#limits;
    const turns = new Turns({ line: this.#line, clock: this.#clock, property, timeMs, signal });
    try {
      return await freshly(() => this.#answer(source, question, turns));
    } catch (thrown) {
      if (thrown instanceof TooMuchError) return { status: 400, code: thrown.code, message: thrown.message };
      throw thrown;
    } finally {
      turns.end();
    }
  }

  async #answer(source: EventSource, question: EventQuestion, turns: Turns): Promise<EventAnswer> {
    const segments = await turns.wait(source.segments());
    const filterOf = (query: Query): Filter => new Filter(query, this.#cache, turns);
    const filter = filterOf(question.query);
    const { numFound, rows } = await findRows(segments, filter, question, turns);
    const tools = { segments, limits: this.#limits, turns, filterOf };
    const facets =
      question.facets === undefined
        ? undefined
        : (await answerGroup(new RootGroup(filter), question.facets, tools))[0];
    const documents = await readDocuments(rows, turns);
    const { start, fields } = question;
    const elapsedMs = Math.round(turns.elapsedMs);
    return { timeMs: elapsedMs, numFound, start, documents: documents.map(projector(fields)), facets };
  }

  /** The documents of these keys in their order; undefined where nothing is kept under a key. */
  async get(
    source: EventSource,
    places: readonly Place[],
    property: string,
    signal?: AbortSignal,
  ): Promise<readonly (Document | undefined)[]> {
    const { timeMs } = this.#limits;
    const turns = new Turns({ line: this.#line, clock: this.#clock, property, timeMs, signal });
    try {
      return await freshly(() => getDocuments(source, places, turns));
    } finally {
      turns.end();
    }
  }
}

export interface Place {
  readonly segment: number;
  readonly position: number;
}

const triesMax = 4;

/** A segment that is sealed, dropped or deleted while it is read makes a question begin again. */
async function freshly<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (thrown) {
      const isMoved = thrown instanceof CrowdbeatError && thrown.code === 'CB_REDIS_STALE';
      if (!isMoved || tries === triesMax) throw thrown;
    }
  }
}

async function getDocuments(
  source: EventSource,
  places: readonly Place[],
  turns: Turns,
): Promise<(Document | undefined)[]> {
  const segments = new Map<number, Segment>();
  for (const segment of await turns.wait(source.segments())) segments.set(segment.number, segment);
  const rows = places.map(({ segment: number, position }): Row | undefined => {
    const segment = segments.get(number);
    return segment === undefined || position >= segment.count ? undefined : { segment, position };
  });
  const documents = await readDocuments(
    rows.filter((row) => row !== undefined),
    turns,
  );
  let next = 0;
  return rows.map((row) => (row === undefined ? undefined : documents[next++]));
}

/** Name of the member that tells a document's key; `/get` takes it. */
export const keyMember = '_m1key';

async function readDocuments(rows: readonly Row[], turns: Turns): Promise<Document[]> {
  const ofSegments = new Map<Segment, number[]>();
  for (const [index, { segment }] of rows.entries()) {
    const indexes = ofSegments.get(segment);
    if (indexes === undefined) ofSegments.set(segment, [index]);
    else indexes.push(index);
  }
  const documents = new Array<Document>(rows.length);
  for (const [segment, indexes] of ofSegments) {
    for (let from = 0; from < indexes.length; from += documentsPerRead) {
      const slice = indexes.slice(from, from + documentsPerRead);
      const positions = slice.map((index) => rows[index]?.position ?? 0);
      const read = await turns.wait(segment.documents(positions));
      for (const [at, index] of slice.entries())
        documents[index] = { ...read[at], [keyMember]: `${segment.number}-${positions[at]}` };
      await turns.breathe();
    }
  }
  return documents;
}

const positionBits = 16;

/** `3-17`, or the ordinal as a number in text; undefined if it is neither. */
export function readKey(text: string): Place | undefined {
  const [, segment, position] = /^(\d{1,10})-(\d{1,5})$/.exec(text) ?? [];
  if (segment !== undefined && position !== undefined && Number(position) < 1 << positionBits)
    return { segment: Number(segment), position: Number(position) };
  if (!/^\d{1,15}$/.test(text)) return undefined;
  const ordinal = Number(text);
  const perSegment = 2 ** positionBits;
  return { segment: Math.floor(ordinal / perSegment), position: ordinal % perSegment };
}
