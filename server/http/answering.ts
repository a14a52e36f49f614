/** Routes that ask and answer: no body, query parameters in, one JSON reply out. */
import { propertyOfRequest } from '../access/property-of-request.ts';
import { limits } from '../protocol/limits.ts';
import { type PropertyName, propertyHeader } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import { type Answer, errorAnswer, sendUnread } from './answer.ts';
import { type Log, sendFailure } from './failure.ts';
import { type Parameters, parseQuery } from './query-string.ts';
import type { CollectorRequest } from './request.ts';
import type { Route } from './router.ts';

export interface Question {
  readonly property: PropertyName;
  readonly parameters: Parameters;
}

export type AnswerQuestion = (question: Question) => Promise<Answer>;

/** @param known query parameters of this route, beside `property` */
export function answeringRoute(
  path: string,
  known: readonly string[],
  log: Log,
  answer: AnswerQuestion,
): Route {
  const names = [...known, 'property'];
  return {
    method: 'GET',
    path,
    handle(request, response, query) {
      const question = readQuestion(request, query, names);
      if ('status' in question) {
        sendUnread(request, response, errorAnswer(question), limits.bodyBytesMax);
        return;
      }
      answer(question)
        .then((reply) => sendUnread(request, response, reply, limits.bodyBytesMax))
        .catch((thrown: unknown) => sendFailure(response, thrown, `GET ${path}`, log));
    },
  };
}

function readQuestion(
  request: CollectorRequest,
  query: string,
  names: readonly string[],
): Question | ErrorReply {
  const parameters = parseQuery(query, names);
  if ('status' in parameters) return parameters;
  const header = request.headers[propertyHeader] as string | undefined;
  const property = propertyOfRequest(header, parameters.get('property'));
  return 'status' in property ? property : { property, parameters };
}

/** A reply object as a 200. */
export function ok(reply: object): Answer {
  return { status: 200, json: JSON.stringify(reply) };
}
