/** `GET` and `POST /get`: stored events by their keys. */
import { formatPropertyName, type PropertyName } from '../protocol/property.ts';
import { readKey } from '../query/events/answer.ts';
import { questionLimits } from '../query/events/limits.ts';
import type { Answer } from './answer.ts';
import { checkStore, type EventQueryOptions, textOf, untilEnded } from './query.ts';
import type { Parameters } from './query-string.ts';
import type { Route } from './router.ts';
import { refuse, tellingRoutes } from './verb-route.ts';

export function getRoutes({ queries, sourceOf, log }: EventQueryOptions): Route[] {
  const answer = async (property: PropertyName, fields: Parameters, gone: AbortSignal): Promise<Answer> => {
    const wrongStore = fields.has('store') ? checkStore(fields) : undefined;
    if (wrongStore !== undefined) return refuse(wrongStore.status, wrongStore.code, wrongStore.message);
    const { keysMax } = questionLimits;
    const keys = (fields.get('keys') ?? '').split(',').map((key) => key.trim());
    if (keys.length > keysMax)
      return refuse(400, 'bad_parameter', `keys: at most ${keysMax} of them, got ${keys.length}`);
    const places = keys.map(readKey);
    const wrong = keys.find((_key, index) => places[index] === undefined);
    if (wrong !== undefined) {
      const got = JSON.stringify(wrong.slice(0, 100));
      return refuse(400, 'bad_parameter', `keys: needs _m1key of documents such as 0-17, got ${got}`);
    }
    const known = places.filter((place) => place !== undefined);
    const name = formatPropertyName(property);
    const documents = await queries.get(sourceOf(property), known, name, gone);
    const docs = await textOf(documents.filter((document) => document !== undefined));
    const missing = keys.filter((_key, index) => documents[index] === undefined);
    return { status: 200, json: `{"docs":[${docs}],"missing":${JSON.stringify(missing)}}` };
  };
  const verb = {
    path: '/get',
    right: 'get',
    known: ['store', 'keys'],
    answer: ({ grant, fields, gone }: Asked) => untilEnded(() => answer(grant.property, fields, gone)),
  };
  return tellingRoutes(verb, log);
}

interface Asked {
  readonly grant: { readonly property: PropertyName };
  readonly fields: Parameters;
  readonly gone: AbortSignal;
}
