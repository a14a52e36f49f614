/**
 * `POST /write`: the hot path. One event per request, thousands of requests a second.
 */

import { propertyOfRequest } from '../access/property-of-request.ts';
import type { Clock } from '../base/clock.ts';
import { type AcceptedItem, acceptBody } from '../ingest/accept.ts';
import type { Batcher, WriteRefusal } from '../ingest/batcher.ts';
import type { Writer } from '../ingest/property-queue.ts';
import { oneAccepted, writeAnswer } from '../ingest/write-reply.ts';
import { limits } from '../protocol/limits.ts';
import { type PropertyName, propertyHeader } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import type { CommitOutcome, EventRecord } from '../store/event-record.ts';
import { type Answer, errorAnswer, prepared, retryAfter, send, sendUnread } from './answer.ts';
import { bodyReader } from './body.ts';
import { failureAnswer, type Log, sendFailure } from './failure.ts';
import { parseQuery } from './query-string.ts';
import { type CollectorRequest, clientIp, type Response } from './request.ts';
import type { PendingReply, Route } from './router.ts';
import { acceptFormatted, writeFormatOf } from './write-formats.ts';

export interface WriteOptions {
  readonly batcher: Batcher;
  readonly clock: Clock;
  readonly log: Log;
}

const refusals: Record<WriteRefusal, Answer> = {
  queue_full: errorAnswer(
    {
      status: 503,
      code: 'queue_full',
      message: 'the queue is full: events come faster than Redis takes them',
    },
    retryAfter,
  ),
  too_many_properties: errorAnswer(
    {
      status: 503,
      code: 'too_many_properties',
      message: 'too many properties are being written at the same time',
    },
    retryAfter,
  ),
};

const oneAcceptedPrepared = prepared(oneAccepted);

export function writeRoute({ batcher, clock, log }: WriteOptions): Route {
  const fail = (response: Response, thrown: unknown): void =>
    sendFailure(response, thrown, 'POST /write', log);

  const store = (request: CollectorRequest, response: Response, items: AcceptedItem[] | ErrorReply): void => {
    if (!Array.isArray(items)) {
      send(response, errorAnswer(items));
      return;
    }
    const pending = batcher.write(request.property, recordsOf(items));
    if (typeof pending === 'string') send(response, refusals[pending]);
    else
      pending
        .then((outcomes) => send(response, outcomeAnswer(items, outcomes)))
        .catch((thrown) => fail(response, thrown));
  };

  const readBody = bodyReader((request, response, body) => {
    try {
      const receipt = { receivedMs: clock.wallMs(), ip: clientIp(request) };
      if (request.format === undefined) store(request, response, acceptBody(body, receipt));
      else
        acceptFormatted(request, request.format, body, queryOf(request), receipt)
          .then((items) => store(request, response, items))
          .catch((thrown) => fail(response, thrown));
    } catch (thrown) {
      fail(response, thrown);
    }
  });

  const failure = (thrown: unknown): Answer => failureAnswer(thrown, 'POST /write', log);
  const properties = new PropertyOfHeader();

  return {
    method: 'POST',
    path: '/write',
    handleWhole(body, propertyText, ip, reply) {
      try {
        const property = properties.get(propertyText);
        if ('status' in property) {
          reply.answer(errorAnswer(property));
          return;
        }
        const items = acceptBody(body, { receivedMs: clock.wallMs(), ip });
        if (!Array.isArray(items)) {
          reply.answer(errorAnswer(items));
          return;
        }
        const refusal = batcher.submit(property, recordsOf(items), new DirectWriter(items, reply, failure));
        if (refusal !== undefined) reply.answer(refusals[refusal]);
      } catch (thrown) {
        reply.answer(failure(thrown));
      }
    },
    handle(request, response, query) {
      const problem = prepare(request, query);
      if (problem === undefined) readBody(request, response);
      else sendUnread(request, response, problem, limits.bodyBytesMax);
    },
  };
}

/** Notes the request's property; or says why its body need not be read. */
function prepare(request: CollectorRequest, query: string): Answer | undefined {
  const { headers } = request;
  const type = headers['content-type'];
  const encoding = headers['content-encoding'];
  if (type !== 'application/json' || encoding !== undefined) {
    const format = writeFormatOf(type, encoding);
    if (format !== undefined && 'status' in format) return errorAnswer(format);
    request.format = format;
  }
  const parameters = parseQuery(query, ['property']);
  if ('status' in parameters) return errorAnswer(parameters);
  const property = propertyOfRequest(
    headers[propertyHeader] as string | undefined,
    parameters.get('property'),
  );
  if ('status' in property) return errorAnswer(property);
  request.property = property;
  return undefined;
}

function queryOf(request: CollectorRequest): string {
  const url = request.url ?? '';
  const questionMark = url.indexOf('?');
  return questionMark < 0 ? '' : url.slice(questionMark + 1);
}

function outcomeAnswer(items: readonly AcceptedItem[], outcomes: readonly CommitOutcome[]): Answer {
  const answer = writeAnswer(items, outcomes);
  return answer === oneAccepted ? oneAcceptedPrepared : answer;
}

function recordsOf(items: readonly AcceptedItem[]): readonly EventRecord[] {
  const isAllGood = items.length === 1 && typeof items[0] !== 'string';
  return isAllGood ? (items as readonly EventRecord[]) : items.filter((item) => typeof item !== 'string');
}

/** Answers a request of the direct path when its write is settled. */
class DirectWriter implements Writer {
  readonly #items: readonly AcceptedItem[];
  readonly #reply: PendingReply;
  readonly #failure: (thrown: unknown) => Answer;

  constructor(items: readonly AcceptedItem[], reply: PendingReply, failure: (thrown: unknown) => Answer) {
    this.#items = items;
    this.#reply = reply;
    this.#failure = failure;
  }

  stored(outcomes: readonly CommitOutcome[]): void {
    let answer: Answer;
    try {
      answer = outcomeAnswer(this.#items, outcomes);
    } catch (thrown) {
      answer = this.#failure(thrown);
    }
    this.#reply.answer(answer);
  }

  failed(thrown: unknown): void {
    this.#reply.answer(this.#failure(thrown));
  }
}

const propertiesKept = 1000;

/** What the property's header says, read once for each value: nearly all requests name the same few. */
class PropertyOfHeader {
  readonly #known = new Map<string | undefined, PropertyName>();

  get(text: string | undefined): PropertyName | ErrorReply {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const property = propertyOfRequest(text, undefined);
    if ('status' in property) return property;
    if (this.#known.size >= propertiesKept) this.#known.clear();
    this.#known.set(text, property);
    return property;
  }
}
