/** The session stores of a property: which there are, who is in them, who has departed. */
import type { Clock } from '../base/clock.ts';
import type { PropertyName } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import { sessionDocument } from '../sessions/session-document.ts';
import {
  countParameters,
  departureParameters,
  queryParameters,
  readCountQuestion,
  readDepartureQuestion,
  readSessionQuestion,
  readStore,
} from '../sessions/session-question.ts';
import type { SessionSearch } from '../sessions/session-search.ts';
import type { RedisConnection } from '../store/connection.ts';
import { SessionStore } from '../store/session-store.ts';
import {
  addSessionStore,
  hasSessionStore,
  listSessionStores,
  sessionStoresMax,
} from '../store/session-store-names.ts';
import { type Answer, errorAnswer, retryAfter } from './answer.ts';
import { ok } from './answering.ts';
import type { Log } from './failure.ts';
import type { Parameters } from './query-string.ts';
import type { Route } from './router.ts';
import { noSuchStore } from './session-update.ts';
import { noContent, postRoute, refuse, tellingRoutes } from './verb-route.ts';

export interface SessionRoutesOptions {
  readonly connection: RedisConnection;
  readonly search: SessionSearch;
  readonly clock: Clock;
  readonly log: Log;
}

export function sessionRoutes(options: SessionRoutesOptions): Route[] {
  const { connection, search, clock, log } = options;

  /** Reads a question, opens the store that it names, and answers; or says why not. */
  const asked = async <Question extends { readonly store: string }>(
    property: PropertyName,
    question: Question | ErrorReply,
    answer: (store: SessionStore, question: Question) => Promise<object>,
  ): Promise<Answer> => {
    if ('status' in question) return errorAnswer(question);
    if (!(await hasSessionStore(connection, property, question.store)))
      return errorAnswer(noSuchStore(question.store));
    const reply = await answer(new SessionStore(connection, property, question.store), question);
    return isRefusal(reply) ? errorAnswer(reply, reply.status === 503 ? retryAfter : []) : ok(reply);
  };

  const query = {
    path: '/session/query',
    right: 'sessionQuery',
    known: queryParameters,
    answer: ({ grant, fields }: Asked) =>
      asked(grant.property, readSessionQuestion(fields, clock.wallMs()), (store, question) =>
        search.find(store, question),
      ),
  };
  const count = {
    path: '/session/count',
    right: 'sessionQuery',
    known: countParameters,
    answer: ({ grant, fields }: Asked) =>
      asked(grant.property, readCountQuestion(fields), (store, question) => search.count(store, question)),
  };
  const list = {
    path: '/session/list',
    right: 'sessionQuery',
    known: [],
    answer: async ({ grant }: Asked) => {
      const names = await listSessionStores(connection, grant.property);
      return ok(names.map((name) => ({ name, key: 'session.id', shards: 1, replicas: 1 })));
    },
  };
  const expired = {
    path: '/session/expired',
    right: 'sessionUpdate',
    known: departureParameters,
    answer: ({ grant, fields }: Asked) =>
      asked(grant.property, readDepartureQuestion(fields), async (store, { silentMs, limit }) => {
        const sessions = await store.claim(clock.wallMs() - silentMs, limit);
        return { items: sessions.map(sessionDocument) };
      }),
  };
  const add = {
    path: '/session/add',
    right: 'admin',
    known: ['name'],
    answer: ({ grant, fields }: Asked) => addStore(connection, grant.property, fields),
  };
  return [
    ...[query, count, list].flatMap((verb) => tellingRoutes(verb, log)),
    ...[expired, add].map((verb) => postRoute(verb, log)),
  ];
}

interface Asked {
  readonly grant: { readonly property: PropertyName };
  readonly fields: Parameters;
}

async function addStore(
  connection: RedisConnection,
  property: PropertyName,
  fields: Parameters,
): Promise<Answer> {
  const name = fields.get('name');
  const store = readStore(new Map(name === undefined ? [] : [['store', name]]));
  if (typeof store !== 'string') return refuse(400, 'bad_parameter', store.message.replace(/^store/, 'name'));
  if (await addSessionStore(connection, property, store)) return noContent;
  return refuse(409, 'too_many_stores', `a property has at most ${sessionStoresMax} session stores`);
}

function isRefusal(reply: object): reply is ErrorReply {
  return 'status' in reply && 'code' in reply && 'message' in reply;
}
