/** `POST /visitors/query`: questions about visitors, in JSON. */
import { propertyOfRequest } from '../access/property-of-request.ts';
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import { limits } from '../protocol/limits.ts';
import { type PropertyName, propertyHeader } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import { answerVisitorQuestion } from '../query/visitors/answer.ts';
import { readVisitorQuestion } from '../query/visitors/read-question.ts';
import type { RedisConnection } from '../store/connection.ts';
import type { Retention } from '../store/retention.ts';
import { errorAnswer, send, sendUnread } from './answer.ts';
import { ok } from './answering.ts';
import { bodyReader } from './body.ts';
import { type Log, sendFailure } from './failure.ts';
import { parseQuery } from './query-string.ts';
import type { CollectorRequest, Response } from './request.ts';
import type { Route } from './router.ts';

export interface VisitorsOptions {
  readonly connection: RedisConnection;
  readonly retention: Retention;
  readonly clock: Clock;
  readonly log: Log;
}

const where = 'POST /visitors/query';

export function visitorsRoute(options: VisitorsOptions): Route {
  const read = bodyReader((request, response, body) => {
    answer(options, request, response, body).catch((thrown: unknown) =>
      onFailure(response, thrown, options.log),
    );
  });
  return {
    method: 'POST',
    path: '/visitors/query',
    right: 'get',
    handle(request, response, query) {
      const property = readProperty(request, query);
      if ('status' in property) {
        sendUnread(request, response, errorAnswer(property), limits.bodyBytesMax);
        return;
      }
      request.property = property;
      read(request, response);
    },
  };
}

function readProperty(request: CollectorRequest, query: string): PropertyName | ErrorReply {
  const parameters = parseQuery(query, ['property']);
  if ('status' in parameters) return parameters;
  const header = request.headers[propertyHeader] as string | undefined;
  return propertyOfRequest(header, parameters.get('property'));
}

async function answer(
  { connection, retention, clock }: VisitorsOptions,
  request: CollectorRequest,
  response: Response,
  body: Buffer,
): Promise<void> {
  const question = readVisitorQuestion(parseJson(body), clock.wallMs());
  if ('status' in question) {
    send(response, errorAnswer(question));
    return;
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const context = { connection, property: request.property, retention, clock, signal: gone.signal };
  const reply = await answerVisitorQuestion(question, context);
  send(response, 'status' in reply ? errorAnswer(reply as ErrorReply) : ok(reply));
}

/** What is no JSON becomes undefined, which is no question either: the reader says what it needs. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    // SyntaxError is the only thing JSON.parse throws.
    return undefined;
  }
}

function onFailure(response: Response, thrown: unknown, log: Log): void {
  if (thrown instanceof CrowdbeatError && thrown.code === 'CB_QUERY_CANCELLED') response.destroy();
  else if (thrown instanceof CrowdbeatError && thrown.code === 'CB_QUERY_TIMEOUT')
    send(response, errorAnswer({ status: 503, code: 'timeout', message: messageOf(thrown) }));
  else sendFailure(response, thrown, where, log);
}
