/** Asks a collector through its public HTTP API, as anybody could. The audit uses nothing else. */
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import { formatPropertyName, type PropertyName, propertyHeader } from '../../server/protocol/property.ts';
import type { CountReply, HealthReply, TotalsReply } from '../../server/protocol/replies.ts';
import { ask, refusalIn } from '../targets/ask.ts';
import { type Bearer, bearerHeaders } from '../targets/credentials.ts';

export interface CollectorApiOptions {
  readonly url: URL;
  readonly property: PropertyName;
  readonly timeoutMs: number;
  /** Undefined: nobody is logged in. */
  readonly bearer?: Bearer | undefined;
}

/** Each question at the same time takes a connection, and a descriptor of a run that needs them for its crowd. */
export const questionsAtOnce = 16;

/** A target without /health must not hold up the start of a run. */
const healthTimeoutMs = 2000;

/** Answers that say "not now"; a question is asked again this often, this far apart. */
const attemptsMax = 5;
const retryAfterMs = 500;

interface Attempt {
  readonly done: boolean;
  /** Worth asking again: the target was away or said "not now". */
  readonly again: boolean;
  readonly value?: unknown;
  readonly reason: string;
  /** The target has no such path. */
  readonly isMissing?: boolean;
}

/** Of `POST /query`, as docs/api.md has it. */
export interface EventQuestion {
  readonly q: string;
  /** Default 0: only counts. */
  readonly rows?: number;
  readonly fl?: string;
  readonly sort?: string;
  readonly facet?: Readonly<Record<string, unknown>>;
}

export interface QueryAnswer {
  readonly numFound: number;
  readonly docs: readonly Readonly<Record<string, unknown>>[];
  readonly facets: Readonly<Record<string, unknown>>;
}

const posted: ReadonlySet<string> = new Set(['/query', '/visitors/query']);
const missingStatus: ReadonlySet<number> = new Set([404, 405, 501]);

export class CollectorApi {
  readonly #options: CollectorApiOptions;

  constructor(options: CollectorApiOptions) {
    this.#options = options;
  }

  async totals(): Promise<TotalsReply> {
    const reply = await this.#ask('/totals');
    if (!isTotals(reply))
      throw this.#unreachable('/totals', `answered ${JSON.stringify(reply).slice(0, 200)}`);
    return reply;
  }

  /** What the collector says of itself; undefined if it does not answer, or not so. Asked once. */
  async health(): Promise<HealthReply | undefined> {
    const { done, value: reply } = await this.#attempt('/health', healthTimeoutMs);
    return done && isRecord(reply) && isRecord(reply['collector'])
      ? (reply as unknown as HealthReply)
      : undefined;
  }

  /** Distinct visitors of an event in one bucket; `expired` if the collector no longer knows. */
  async uniques(event: string, bucket: string, ofBots = false): Promise<number | 'expired'> {
    const whose = ofBots ? '&bot=true' : '';
    return this.#count(
      `/count?event=${encodeURIComponent(event)}&bucket=${encodeURIComponent(bucket)}${whose}`,
    );
  }

  async #count(path: string): Promise<number | 'expired'> {
    const reply = (await this.#ask(path)) as CountReply;
    if (isRecord(reply) && 'expired' in reply) return 'expired';
    if (isRecord(reply) && 'count' in reply && Number.isInteger(reply.count)) return reply.count;
    throw this.#unreachable(path, `answered ${JSON.stringify(reply).slice(0, 200)}`);
  }

  /** Distinct visitors who came from a source in one bucket. */
  async uniquesFrom(
    source: string,
    campaign: string | undefined,
    bucket: string,
  ): Promise<number | 'expired'> {
    const of = campaign === undefined ? '' : `&campaign=${encodeURIComponent(campaign)}`;
    return this.#count(
      `/count?source=${encodeURIComponent(source)}${of}&bucket=${encodeURIComponent(bucket)}`,
    );
  }

  /**
   * Stored events. Throws CB_TARGET_UNREACHABLE if the target does not answer or refuses the question.
   * @returns undefined if the target has no `/query`
   */
  async query(question: EventQuestion): Promise<QueryAnswer | undefined> {
    const { q, rows = 0, fl, sort, facet } = question;
    const body = JSON.stringify({
      store: 'index',
      q,
      rows,
      ...(fl === undefined ? {} : { fl }),
      ...(sort === undefined ? {} : { sort }),
      ...(facet === undefined ? {} : { json: { facet } }),
    });
    const reply = await this.#ask('/query', body);
    if (reply === undefined) return undefined;
    const response = isRecord(reply) ? reply['response'] : undefined;
    if (!isRecord(response) || !Number.isInteger(response['numFound']) || !Array.isArray(response['docs']))
      throw this.#unreachable('/query', `answered ${JSON.stringify(reply).slice(0, 200)}`);
    const facets = isRecord(reply) && isRecord(reply['facets']) ? reply['facets'] : {};
    return { numFound: Number(response['numFound']), docs: response['docs'] as QueryAnswer['docs'], facets };
  }

  /** A question about visitors (docs/visitors.md); undefined if the target takes none. Throws as `query` does. */
  async askVisitors(question: unknown): Promise<Readonly<Record<string, unknown>> | undefined> {
    const reply = await this.#ask('/visitors/query', JSON.stringify(question));
    if (reply === undefined) return undefined;
    if (isRecord(reply)) return reply;
    throw this.#unreachable('/visitors/query', `answered ${JSON.stringify(reply).slice(0, 200)}`);
  }

  /** How many sessions a session store has now. */
  async liveSessions(store: string): Promise<number> {
    const path = `/session/count?store=${encodeURIComponent(store)}`;
    const reply = (await this.#ask(path)) as CountReply;
    if (isRecord(reply) && 'count' in reply && Number.isInteger(reply.count)) return reply.count;
    throw this.#unreachable(path, `answered ${JSON.stringify(reply).slice(0, 200)}`);
  }

  /** @param body of a question that is posted: such a path may be unknown to the target, then undefined */
  async #ask(path: string, body?: string): Promise<unknown> {
    let why = '';
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const { done, again, value, reason, isMissing } = await this.#attempt(
        path,
        this.#options.timeoutMs,
        body,
      );
      if (done) return value;
      if (body !== undefined && isMissing === true) return undefined;
      why = reason;
      if (!again) break;
      if (attempt < attemptsMax) await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    }
    throw this.#unreachable(path, why);
  }

  async #attempt(path: string, timeoutMs: number, body?: string): Promise<Attempt> {
    const { url, property, bearer } = this.#options;
    const token = bearer?.token;
    const headers = {
      [propertyHeader]: formatPropertyName(property),
      ...bearerHeaders(token),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    try {
      const reply = await ask({ url, path, headers, timeoutMs, body });
      const { status, text } = reply;
      if (status === 200) return { done: true, again: false, value: JSON.parse(text), reason: '' };
      if (status === 401 && token !== undefined) await bearer?.renew(token);
      const again = status === 429 || status >= 500 || (status === 401 && token !== undefined);
      const hint = status === 401 && token === undefined ? '; log in with --username' : '';
      const isMissing = missingStatus.has(status);
      return { done: false, again, isMissing, reason: `answered ${refusalIn(reply)}${hint}` };
    } catch (error) {
      return { done: false, again: !(error instanceof SyntaxError), reason: messageOf(error) };
    }
  }

  #unreachable(path: string, why: string): CrowdbeatError {
    return new CrowdbeatError(
      'CB_TARGET_UNREACHABLE',
      `target ${this.#options.url.href}: ${posted.has(path) ? 'POST' : 'GET'} ${path} ${why}`,
    );
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isTotals(value: unknown): value is TotalsReply {
  return (
    isRecord(value) &&
    isRecord(value['byType']) &&
    Number.isInteger(value['sessions']) &&
    Number.isInteger(value['documents'])
  );
}
