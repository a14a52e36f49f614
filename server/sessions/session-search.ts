/**
 * Answers questions about the sessions of a store. A question that must look at every session reads them slice by
 * slice, has a time limit, and keeps no more documents than its answer may need.
 */
import type { Clock } from '../base/clock.ts';
import { matcherOf } from '../protocol/lucene/matches.ts';
import { compareBy, type SortSpec } from '../protocol/lucene/sort.ts';
import { pathOf, valuesAt } from '../protocol/lucene/values-at.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import type { RedisConnection } from '../store/connection.ts';
import type { SessionStore } from '../store/session-store.ts';
import {
  countAll,
  countSince,
  type ListedSession,
  readLatest,
  scanSessions,
} from '../store/session-store-read.ts';
import { type SessionDocument, sessionDocument } from './session-document.ts';
import type { CountQuestion, SessionQuestion } from './session-question.ts';

export interface SessionRows {
  /** How many sessions match, of which `items` are some. */
  readonly count: number;
  readonly items: readonly SessionDocument[];
}

export interface SessionCount {
  readonly count: number;
  /** The most frequent values first, 1,000 at most. */
  readonly buckets?: readonly { readonly val: unknown; readonly count: number }[];
  /** Sessions without a value for the field. */
  readonly missing?: number;
  /** Sessions with a value that is not among the buckets, because there are too many different ones. */
  readonly others?: number;
}

export interface SessionSearchOptions {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  /** For a question that looks at every session. Default 5,000. */
  readonly timeLimitMs?: number | undefined;
  /** How many of these may be answered at a time. Default 2. */
  readonly scansMax?: number | undefined;
}

const bucketsMax = 1000;
/** Different values that a count keeps apart while it looks. */
const valuesMax = 100_000;

const tooMany: ErrorReply = {
  status: 503,
  code: 'too_many_queries',
  message: 'other questions that look at every session are being answered; try again',
};

export class SessionSearch {
  readonly #options: SessionSearchOptions;
  #scans = 0;

  constructor(options: SessionSearchOptions) {
    this.#options = options;
  }

  async find(store: SessionStore, question: SessionQuestion): Promise<SessionRows | ErrorReply> {
    const { query, sort, start, rows } = question;
    const { connection } = this.#options;
    if (query.kind === 'all' && sort.length === 0) {
      const latest = await readLatest(connection, store, start, rows);
      return { count: await countAll(connection, store), items: latest.map(sessionDocument) };
    }
    const isMatch = matcherOf(query);
    const best = new BestDocuments(sort, start + rows);
    const refused = await this.#scan(store, (session) => {
      const document = sessionDocument(session);
      if (isMatch(document)) best.add({ document, session });
    });
    return refused ?? { count: best.count, items: best.taken().slice(start) };
  }

  async count(store: SessionStore, question: CountQuestion): Promise<SessionCount | ErrorReply> {
    const { withinMs, by } = question;
    const { connection, clock } = this.#options;
    const sinceMs = withinMs === undefined ? 0 : clock.wallMs() - withinMs;
    if (by === undefined) {
      const count =
        withinMs === undefined ? countAll(connection, store) : countSince(connection, store, sinceMs);
      return { count: await count };
    }
    const path = pathOf(by);
    const values = new ValueCounts();
    const refused = await this.#scan(store, (session) => {
      if (session.lastUpdatedMs >= sinceMs) values.add(valuesAt(sessionDocument(session), path));
    });
    return refused ?? values.reply();
  }

  /** Shows every session to `look`; or gives the reply that it takes too long. */
  async #scan(store: SessionStore, look: (session: ListedSession) => void): Promise<ErrorReply | undefined> {
    const { connection, clock, timeLimitMs = 5000, scansMax = 2 } = this.#options;
    if (this.#scans >= scansMax) return tooMany;
    this.#scans += 1;
    const endMs = clock.monotonicMs() + timeLimitMs;
    try {
      for await (const slice of scanSessions(connection, store)) {
        for (const session of slice) look(session);
        if (clock.monotonicMs() > endMs) return tooSlow(timeLimitMs);
      }
    } finally {
      this.#scans -= 1;
    }
    return undefined;
  }
}

function tooSlow(limitMs: number): ErrorReply {
  const message = `the question was not answered within ${limitMs} ms; the store holds too many sessions for it`;
  return { status: 503, code: 'query_too_slow', message };
}

interface Found {
  readonly document: SessionDocument;
  readonly session: ListedSession;
}

/** The first so many documents of an order; of the others only how many there were. */
class BestDocuments {
  count = 0;
  readonly #compare: (a: Found, b: Found) => number;
  readonly #kept: number;
  #found: Found[] = [];

  constructor(sort: readonly SortSpec[], kept: number) {
    const order = compareBy(sort);
    this.#kept = kept;
    // What the sort leaves open is decided too, so that one page follows the other.
    this.#compare = (a, b) =>
      order(a.document, b.document) ||
      b.session.lastUpdatedMs - a.session.lastUpdatedMs ||
      (a.session.sessionId < b.session.sessionId ? -1 : 1);
  }

  add(found: Found): void {
    this.count += 1;
    this.#found.push(found);
    // Sorting now and then costs less than finding each one's place, and bounds what is kept.
    if (this.#found.length > 2 * this.#kept + 1000) this.#cut();
  }

  taken(): SessionDocument[] {
    this.#cut();
    return this.#found.map(({ document }) => document);
  }

  #cut(): void {
    this.#found = this.#found.sort(this.#compare).slice(0, this.#kept);
  }
}

/** How many sessions have which value; one with several values counts for each of them. */
class ValueCounts {
  readonly #counts = new Map<unknown, number>();
  #count = 0;
  #missing = 0;
  #others = 0;

  add(values: readonly unknown[]): void {
    this.#count += 1;
    if (values.length === 0) this.#missing += 1;
    for (const value of new Set(values)) {
      const known = this.#counts.get(value);
      if (known === undefined && this.#counts.size >= valuesMax) this.#others += 1;
      else this.#counts.set(value, (known ?? 0) + 1);
    }
  }

  reply(): SessionCount {
    const sorted = Array.from(this.#counts, ([val, count]) => ({ val, count })).sort(
      (a, b) => b.count - a.count || (String(a.val) < String(b.val) ? -1 : 1),
    );
    const buckets = sorted.slice(0, bucketsMax);
    const rest = sorted.slice(bucketsMax).reduce((sum, { count }) => sum + count, 0);
    return { count: this.#count, buckets, missing: this.#missing, others: this.#others + rest };
  }
}
