/** `GET` and `POST /query`: questions about stored events, in the parameters of Solr. */
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import { toCsv } from '../protocol/lucene/csv.ts';
import type { Document } from '../protocol/lucene/values-at.ts';
import { formatPropertyName, type PropertyName } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import type { EventAnswer, EventQueries } from '../query/events/answer.ts';
import { type EventQuestion, questionParameters, readQuestion } from '../query/events/question.ts';
import type { EventSource } from '../query/events/segment.ts';
import type { SchemaCache } from '../store/schema.ts';
import { type Answer, errorAnswer, retryAfter } from './answer.ts';
import type { Log } from './failure.ts';
import type { Parameters } from './query-string.ts';
import type { Route } from './router.ts';
import { indexStoreName } from './stores.ts';
import { tellingRoutes } from './verb-route.ts';

export interface EventQueryOptions {
  readonly queries: EventQueries;
  readonly sourceOf: (property: PropertyName) => EventSource;
  readonly schemas: SchemaCache;
  readonly clock: Clock;
  readonly log: Log;
}

export function queryRoutes(options: EventQueryOptions): Route[] {
  const { queries, sourceOf, schemas, clock, log } = options;
  const readOnce = async (
    property: PropertyName,
    fields: Parameters,
  ): Promise<EventQuestion | ErrorReply> => {
    const names = new Set((await schemas.get(property)).fields.map(({ name }) => name));
    return readQuestion(fields, { nowMs: clock.wallMs(), fields: names });
  };
  const read = async (property: PropertyName, fields: Parameters): Promise<EventQuestion | ErrorReply> => {
    const question = await readOnce(property, fields);
    if (!('status' in question)) return question;
    // The field that is not there may have been declared a moment ago.
    schemas.forget(property);
    return readOnce(property, fields);
  };
  const answer = async (property: PropertyName, fields: Parameters, gone: AbortSignal): Promise<Answer> => {
    const refusal = checkStore(fields);
    if (refusal !== undefined) return errorAnswer(refusal);
    const question = await read(property, fields);
    if ('status' in question) return errorAnswer(question);
    const name = formatPropertyName(property);
    const reply = await queries.answer(sourceOf(property), question, name, gone);
    if ('status' in reply) return errorAnswer(reply);
    return question.format === 'csv' ? csvAnswer(reply, question) : jsonAnswer(reply, question);
  };
  const verb = {
    path: '/query',
    right: 'get',
    known: questionParameters,
    answer: ({ grant, fields, gone }: Asked) => untilEnded(() => answer(grant.property, fields, gone)),
  };
  return tellingRoutes(verb, log);
}

interface Asked {
  readonly grant: { readonly property: PropertyName };
  readonly fields: Parameters;
  readonly gone: AbortSignal;
}

/** The `store` of a question about events: there is one. */
export function checkStore(fields: Parameters): ErrorReply | undefined {
  const store = fields.get('store');
  if (store === indexStoreName) return undefined;
  const message =
    store === undefined
      ? `store is missing; events are kept in ${indexStoreName}`
      : `there is no store ${JSON.stringify(store.slice(0, 140))}; events are kept in ${indexStoreName}`;
  return { status: 400, code: store === undefined ? 'bad_parameter' : 'no_such_store', message };
}

/** What ended a question before its answer is an answer too. A client that went away reads none. */
export async function untilEnded(answer: () => Promise<Answer>): Promise<Answer> {
  try {
    return await answer();
  } catch (thrown) {
    if (!(thrown instanceof CrowdbeatError)) throw thrown;
    if (thrown.code !== 'CB_QUERY_TIMEOUT' && thrown.code !== 'CB_QUERY_CANCELLED') throw thrown;
    const code = thrown.code === 'CB_QUERY_TIMEOUT' ? 'query_timeout' : 'query_cancelled';
    return errorAnswer({ status: 503, code, message: messageOf(thrown) }, retryAfter);
  }
}

async function jsonAnswer(
  { timeMs, numFound, start, documents, facets }: EventAnswer,
  { parameters }: EventQuestion,
): Promise<Answer> {
  const head = JSON.stringify({ status: 0, QTime: timeMs, params: parameters });
  const docs = await textOf(documents);
  const tail = facets === undefined ? '' : `,"facets":${JSON.stringify(facets)}`;
  const response = `{"numFound":${numFound},"start":${start},"docs":[${docs}]}`;
  return { status: 200, json: `{"responseHeader":${head},"response":${response}${tail}}` };
}

/** Documents written in one turn of the event loop: 2 to 4 us each. */
const documentsPerTurn = 256;

/** As JSON with commas between them. */
export async function textOf(documents: readonly (Document | null)[]): Promise<string> {
  const parts: string[] = [];
  for (let from = 0; from < documents.length; from += documentsPerTurn) {
    if (from > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    const slice = documents.slice(from, from + documentsPerTurn);
    parts.push(slice.map((document) => JSON.stringify(document)).join(','));
  }
  return parts.join(',');
}

function csvAnswer({ documents, numFound }: EventAnswer, { fields }: EventQuestion): Answer {
  return {
    status: 200,
    json: toCsv(documents, fields),
    type: 'text/csv; charset=utf-8; header=present',
    // A table has no place for it.
    headers: ['x-crowdbeat-num-found', String(numFound)],
  };
}
