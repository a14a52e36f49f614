/** Reads a question about events: the parameters of `/query`, proven. */
import type { Facet } from '../../protocol/facets/facet.ts';
import { isFacetError, parseFacets } from '../../protocol/facets/parse-facets.ts';
import { type FieldList, parseFieldList } from '../../protocol/lucene/field-list.ts';
import { parseLucene } from '../../protocol/lucene/parse.ts';
import { type FieldNames, isLuceneError, type LuceneError, type Query } from '../../protocol/lucene/query.ts';
import { parseSort, type SortSpec } from '../../protocol/lucene/sort.ts';
import type { ErrorReply } from '../../protocol/replies.ts';
import { questionLimits } from './limits.ts';

export interface EventQuestion {
  readonly query: Query;
  readonly fields: FieldList;
  readonly start: number;
  readonly rows: number;
  readonly sort: readonly SortSpec[];
  readonly format: 'json' | 'csv';
  /** Undefined: nobody asked for any. */
  readonly facets: readonly Facet[] | undefined;
  /** As they were given. */
  readonly parameters: Readonly<Record<string, string>>;
}

export const questionParameters = ['store', 'q', 'fl', 'start', 'rows', 'sort', 'format', 'json'] as const;

export interface ReadOptions {
  /** What NOW means, epoch ms. */
  readonly nowMs: number;
  /** The fields that there are. */
  readonly fields: FieldNames;
}

/** Thrown inside this file only. */
class Refusal extends Error {
  readonly reply: ErrorReply;

  constructor(message: string, code = 'bad_parameter') {
    super(message);
    this.reply = { status: 400, code, message };
  }
}

export function readQuestion(
  given: ReadonlyMap<string, string>,
  options: ReadOptions,
): EventQuestion | ErrorReply {
  try {
    return read(given, options);
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.reply;
    throw thrown;
  }
}

function read(given: ReadonlyMap<string, string>, { nowMs, fields }: ReadOptions): EventQuestion {
  const q = given.get('q');
  if (q === undefined) throw new Refusal('q is missing; q=* finds everything');
  const query = accepted('q', parseLucene(q, { nowMs, fields }));
  const { start, rows } = readWindow(given);
  const format = given.get('format') ?? 'json';
  if (format !== 'json' && format !== 'csv')
    throw new Refusal(`format: needs json or csv, got ${shown(format)}`);
  const sort = given.get('sort');
  const list = given.get('fl');
  const json = given.get('json');
  if (format === 'csv' && json !== undefined)
    throw new Refusal('json: facets have no place in a table; leave format=csv out');
  return {
    query,
    // Documents hold members that no schema declares, and these may be shown too.
    fields: list === undefined ? undefined : accepted('fl', parseFieldList(list)),
    start,
    rows,
    sort: sort === undefined ? [] : accepted('sort', parseSort(sort, { fields })),
    format,
    facets: json === undefined ? undefined : readJson(json, { nowMs, fields }),
    parameters: Object.fromEntries(given),
  };
}

function accepted<T>(name: string, parsed: T | LuceneError): T {
  if (isLuceneError(parsed)) throw new Refusal(`${name}: ${parsed.message}`, 'bad_query');
  return parsed;
}

function readJson(text: string, options: ReadOptions): readonly Facet[] {
  const facets = parseFacets(text, options);
  if (isFacetError(facets)) throw new Refusal(facets.message, 'bad_query');
  return facets;
}

function readWindow(given: ReadonlyMap<string, string>): { start: number; rows: number } {
  const start = readWhole(given, 'start', 0);
  const rows = readWhole(given, 'rows', questionLimits.rowsDefault);
  if (start + rows <= questionLimits.rowsMax) return { start, rows };
  throw new Refusal(
    `start and rows: together at most ${questionLimits.rowsMax}, got ${start} and ${rows}; narrow q, for example by time`,
    'too_many_rows',
  );
}

function readWhole(given: ReadonlyMap<string, string>, name: string, otherwise: number): number {
  const text = given.get(name);
  if (text === undefined) return otherwise;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Refusal(`${name}: needs a whole number from 0, got ${shown(text)}`);
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 100));
