/**
 * `POST /write`: the hot path. One event per request, thousands of requests a second.
 */

import { propertyOfRequest } from '../access/property-of-request.ts';
import type { Clock } from '../base/clock.ts';
import { type AcceptedItem, acceptBody } from '../ingest/accept.ts';
import type { Batcher, WriteRefusal } from '../ingest/batcher.ts';
import { oneAccepted, writeAnswer } from '../ingest/write-reply.ts';
import { limits } from '../protocol/limits.ts';
import { propertyHeader } from '../protocol/property.ts';
import type { CommitOutcome, EventRecord } from '../store/event-record.ts';
import { type Answer, errorAnswer, prepared, retryAfter, send, sendUnread } from './answer.ts';
import { bodyReader } from './body.ts';
import { type Log, sendFailure } from './failure.ts';
import { parseQuery } from './query-string.ts';
import { type CollectorRequest, clientIp, type Response } from './request.ts';
import type { Route } from './router.ts';

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

  const readBody = bodyReader((request, response, body) => {
    try {
      const items = acceptBody(body, { receivedMs: clock.wallMs(), ip: clientIp(request) });
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
    } catch (thrown) {
      fail(response, thrown);
    }
  });

  return {
    method: 'POST',
    path: '/write',
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
  if (type !== 'application/json' && !isJsonType(type))
    return unsupported(`content-type "${type?.slice(0, 100)}"`);
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    return unsupported(`content-encoding "${encoding.slice(0, 100)}"`);
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

/** Browsers send beacons as text/plain, and small clients send no type at all; both mean JSON here. */
function isJsonType(type: string | undefined): boolean {
  if (type === undefined) return true;
  const name = type.split(';', 1)[0]?.trim().toLowerCase();
  return name === 'application/json' || name === 'text/plain';
}

function unsupported(what: string): Answer {
  const message = `${what} is not supported: send application/json or text/plain, as plain UTF-8`;
  return errorAnswer({ status: 415, code: 'unsupported_media_type', message });
}

function outcomeAnswer(items: readonly AcceptedItem[], outcomes: readonly CommitOutcome[]): Answer {
  const answer = writeAnswer(items, outcomes);
  return answer === oneAccepted ? oneAcceptedPrepared : answer;
}

function recordsOf(items: readonly AcceptedItem[]): readonly EventRecord[] {
  return items.filter((item) => typeof item !== 'string');
}
