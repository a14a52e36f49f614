/**
 * Asks a collector through its public HTTP API, as anybody could. The audit uses nothing else.
 *
 * `fetch` costs much CPU a request, which is of no account for a few hundred questions.
 */
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import { formatPropertyName, type PropertyName, propertyHeader } from '../../server/protocol/property.ts';
import type { CountReply, HealthReply, TotalsReply } from '../../server/protocol/replies.ts';

export interface CollectorApiOptions {
  readonly url: URL;
  readonly property: PropertyName;
  readonly timeoutMs: number;
}

/** Answers that say "not now"; a question is asked again this often, this far apart. */
const attemptsMax = 5;
const retryAfterMs = 500;

interface Attempt {
  readonly done: boolean;
  /** Worth asking again: the target was away or said "not now". */
  readonly again: boolean;
  readonly value?: unknown;
  readonly reason: string;
}

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

  async health(): Promise<HealthReply | undefined> {
    const reply = await this.#ask('/health');
    return isRecord(reply) && isRecord(reply['collector']) ? (reply as unknown as HealthReply) : undefined;
  }

  /** Distinct visitors of an event in one bucket; `expired` if the collector no longer knows. */
  async uniques(event: string, bucket: string): Promise<number | 'expired'> {
    const path = `/count?event=${encodeURIComponent(event)}&bucket=${encodeURIComponent(bucket)}`;
    const reply = (await this.#ask(path)) as CountReply;
    if (isRecord(reply) && 'expired' in reply) return 'expired';
    if (isRecord(reply) && 'count' in reply && Number.isInteger(reply.count)) return reply.count;
    throw this.#unreachable(path, `answered ${JSON.stringify(reply).slice(0, 200)}`);
  }

  async #ask(path: string): Promise<unknown> {
    let why = '';
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const { done, again, value, reason } = await this.#attempt(path);
      if (done) return value;
      why = reason;
      if (!again) break;
      if (attempt < attemptsMax) await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    }
    throw this.#unreachable(path, why);
  }

  async #attempt(path: string): Promise<Attempt> {
    const { url, property, timeoutMs } = this.#options;
    const address = `${url.href.replace(/\/$/, '')}${path}`;
    try {
      const response = await fetch(address, {
        headers: { [propertyHeader]: formatPropertyName(property) },
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      if (response.status === 200) return { done: true, again: false, value: JSON.parse(text), reason: '' };
      const again = response.status === 429 || response.status >= 500;
      return { done: false, again, reason: `answered ${response.status} ${text.slice(0, 200)}` };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      return { done: false, again: !(error instanceof SyntaxError), reason: `${messageOf(error)}${cause}` };
    }
  }

  #unreachable(path: string, why: string): CrowdbeatError {
    return new CrowdbeatError(
      'CB_TARGET_UNREACHABLE',
      `target ${this.#options.url.href}: GET ${path} ${why}`,
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
