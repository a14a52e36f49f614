/** The parameters of the questions to a session store, as proven questions; or the reply that refuses them. */
import { limits } from '../protocol/limits.ts';
import { parseLucene } from '../protocol/lucene/parse.ts';
import { isLuceneError, type Query } from '../protocol/lucene/query.ts';
import { parseSort, type SortSpec } from '../protocol/lucene/sort.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import { isStoreName, storeRule } from './read-update.ts';

type Parameters = ReadonlyMap<string, string>;

export interface SessionQuestion {
  readonly store: string;
  readonly query: Query;
  /** Empty: the latest updated first. */
  readonly sort: readonly SortSpec[];
  readonly start: number;
  readonly rows: number;
}

export interface CountQuestion {
  readonly store: string;
  /** Sessions updated so recently are there. Undefined: all of the store. */
  readonly withinMs: number | undefined;
  /** A field by whose values they are counted. */
  readonly by: string | undefined;
}

export interface DepartureQuestion {
  readonly store: string;
  /** Sessions silent for so long have departed. */
  readonly silentMs: number;
  readonly limit: number;
}

export const queryParameters = ['store', 'q', 'sort', 'start', 'rows'];
export const countParameters = ['store', 'withinMs', 'by'];
export const departureParameters = ['store', 'silentMs', 'limit'];

const rowsDefault = 100;
const departuresDefault = 100;
export const departuresMax = 500;
const silentMsMax = 366 * 86_400_000;
/** Letters, digits and signs of a dotted name, as documents have them. */
const fieldPattern = /^[\w@$-]+(?:\.[\w@$-]+)*$/;

export function readSessionQuestion(parameters: Parameters, nowMs: number): SessionQuestion | ErrorReply {
  const store = readStore(parameters);
  if (typeof store !== 'string') return store;
  const query = parseLucene(parameters.get('q') ?? '*', { nowMs });
  if (isLuceneError(query)) return refuse(`q: ${query.message}`);
  const sortText = parameters.get('sort');
  const sort = sortText === undefined ? [] : parseSort(sortText);
  if (isLuceneError(sort)) return refuse(`sort: ${sort.message}`);
  const start = readWhole(parameters, 'start', 0, 0, limits.sessionStartMax);
  if (typeof start !== 'number') return start;
  const rows = readWhole(parameters, 'rows', rowsDefault, 0, limits.sessionRowsMax);
  if (typeof rows !== 'number') return rows;
  return { store, query, sort, start, rows };
}

export function readCountQuestion(parameters: Parameters): CountQuestion | ErrorReply {
  const store = readStore(parameters);
  if (typeof store !== 'string') return store;
  const withinMs = parameters.has('withinMs')
    ? readWhole(parameters, 'withinMs', 0, 1, silentMsMax)
    : undefined;
  if (typeof withinMs === 'object') return withinMs;
  const by = parameters.get('by');
  if (by !== undefined && !fieldPattern.test(by))
    return refuse(`by: needs a field such as page.path, got ${JSON.stringify(by.slice(0, 100))}`);
  return { store, withinMs, by };
}

export function readDepartureQuestion(parameters: Parameters): DepartureQuestion | ErrorReply {
  const store = readStore(parameters);
  if (typeof store !== 'string') return store;
  if (!parameters.has('silentMs'))
    return refuse('silentMs: is missing: for how long a session must be silent');
  const silentMs = readWhole(parameters, 'silentMs', 0, 0, silentMsMax);
  if (typeof silentMs !== 'number') return silentMs;
  const limit = readWhole(parameters, 'limit', departuresDefault, 1, departuresMax);
  if (typeof limit !== 'number') return limit;
  return { store, silentMs, limit };
}

export function readStore(parameters: Parameters): string | ErrorReply {
  const store = parameters.get('store');
  if (store === undefined) return refuse('store: is missing: the name of a session store');
  return isStoreName(store) ? store : refuse(`store: ${storeRule}`);
}

function readWhole(
  parameters: Parameters,
  name: string,
  absent: number,
  min: number,
  max: number,
): number | ErrorReply {
  const text = parameters.get(name);
  if (text === undefined) return absent;
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value;
  return refuse(
    `${name}: needs a whole number from ${min} to ${max}, got ${JSON.stringify(text.slice(0, 60))}`,
  );
}

function refuse(message: string): ErrorReply {
  return { status: 400, code: 'bad_parameter', message };
}
