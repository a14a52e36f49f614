/**
 * Routes that change or tell something of an account: fields in (a form, JSON, or the URL), a small reply out. What
 * changes something is POST only, so that no link or picture of another site's page can do it.
 */
import { isUtf8 } from 'node:buffer';
import type { Grant } from '../access/authorize.ts';
import { limits } from '../protocol/limits.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import { type Answer, errorAnswer, send, sendUnread } from './answer.ts';
import { bodyReader } from './body.ts';
import { type Log, sendFailure } from './failure.ts';
import { type Parameters, parseQuery } from './query-string.ts';
import type { CollectorRequest, Response } from './request.ts';
import type { Route } from './router.ts';

export interface VerbRequest {
  readonly grant: Grant;
  readonly fields: Parameters;
  /** Aborted when the reply is written, or nobody is left to read it. */
  readonly gone: AbortSignal;
}

export interface Verb {
  readonly path: string;
  readonly right: string;
  readonly scope?: 'account';
  /** Fields that it knows, beside `property`. */
  readonly known: readonly string[];
  readonly answer: (asked: VerbRequest) => Promise<Answer>;
}

export const noContent: Answer = { status: 204, json: '' };

export const refuse = (status: number, code: string, message: string): Answer =>
  errorAnswer({ status, code, message });

/** A verb that only tells something may be asked by GET as well. */
export function tellingRoutes(verb: Verb, log: Log): Route[] {
  return [getRoute(verb, log), postRoute(verb, log)];
}

export function getRoute({ known, answer, ...route }: Verb, log: Log): Route {
  return {
    ...route,
    method: 'GET',
    handle(request, response, query) {
      const fields = parseQuery(query, [...known, 'property']);
      if ('status' in fields) sendUnread(request, response, errorAnswer(fields), limits.bodyBytesMax);
      else
        answer({ grant: request.grant as Grant, fields, gone: goneOf(response) })
          .then((reply) => sendUnread(request, response, reply, limits.bodyBytesMax))
          .catch((thrown: unknown) => sendFailure(response, thrown, `GET ${route.path}`, log));
    },
  };
}

export function postRoute({ known, answer, ...route }: Verb, log: Log): Route {
  const names = [...known, 'property'];
  const reply = async (request: CollectorRequest, response: Response, body: Buffer): Promise<Answer> => {
    const gone = goneOf(response);
    const fields = readFields(request, body, names);
    if ('status' in fields) return errorAnswer(fields);
    const refusal = await takeProperty(request, fields.get('property'));
    return refusal === undefined
      ? answer({ grant: request.grant as Grant, fields, gone })
      : errorAnswer(refusal);
  };
  const read = bodyReader((request, response, body) => {
    reply(request, response, body)
      .then((given) => send(response, given))
      .catch((thrown: unknown) => sendFailure(response, thrown, `POST ${route.path}`, log));
  });
  return { ...route, method: 'POST', handle: (request, response) => read(request, response) };
}

function goneOf(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

/** The body may name the property, unless header or URL do; then the right is asked for again. */
async function takeProperty(
  request: CollectorRequest,
  field: string | undefined,
): Promise<ErrorReply | undefined> {
  if (field === undefined) return undefined;
  return request.admission?.takeNamed(request, field);
}

/**
 * The fields of a POST: those of its URL and of its body, which is a form or a JSON object. Values of JSON that are
 * no texts are given as JSON text again, as a form would have them.
 */
export function readFields(
  request: CollectorRequest,
  body: Buffer,
  known: readonly string[],
): Parameters | ErrorReply {
  const url = request.url ?? '';
  const questionMark = url.indexOf('?');
  const ofUrl = parseQuery(questionMark < 0 ? '' : url.slice(questionMark + 1), known);
  if ('status' in ofUrl) return ofUrl;
  if (!isUtf8(body)) return badRequest('not_utf8', 'the body is not UTF-8');
  const text = body.toString('utf8');
  const ofBody = text.trimStart().startsWith('{') ? readJson(text, known) : parseQuery(text, known);
  if ('status' in ofBody) return ofBody;
  for (const name of ofBody.keys())
    if (ofUrl.has(name)) return badRequest('bad_parameter', `parameter "${name}" is given twice`);
  return new Map([...ofUrl, ...ofBody]);
}

function readJson(text: string, known: readonly string[]): Parameters | ErrorReply {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Where it is broken is not said: the body may hold a password, and its neighbourhood would be quoted.
    return badRequest('bad_json', 'the body is not JSON');
  }
  const fields = new Map<string, string>();
  for (const [name, member] of Object.entries(value as object)) {
    if (!known.includes(name))
      return badRequest(
        'bad_parameter',
        `unknown parameter "${name.slice(0, 100)}"; known: ${known.join(', ')}`,
      );
    fields.set(name, typeof member === 'string' ? member : JSON.stringify(member));
  }
  return fields;
}

const badRequest = (code: string, message: string): ErrorReply => ({ status: 400, code, message });
