/** Whether a document is what a query asks for. */
import { pointOf, textOf } from './literal.ts';
import type { Query, RangeQuery, TermQuery } from './query.ts';
import { compareText } from './text-order.ts';
import { type Document, pathOf, someValueAt } from './values-at.ts';

export type Matcher = (document: Document) => boolean;

/** A query is asked of many documents; its names are split and its ends unpacked once. */
const compiled = new WeakMap<Query, Matcher>();

/** True if the document has what the query asks for. A field with several values matches if one of them does. */
export function matches(query: Query, document: Document): boolean {
  let matcher = compiled.get(query);
  if (matcher === undefined) {
    matcher = matcherOf(query);
    compiled.set(query, matcher);
  }
  return matcher(document);
}

/** The same as a function, for those who ask it of very many documents. */
export function matcherOf(query: Query): Matcher {
  switch (query.kind) {
    case 'all':
      return () => true;
    case 'term':
    case 'prefix':
    case 'range':
    case 'exists':
      return atField(query.field, valueTest(query));
    case 'not': {
      const member = matcherOf(query.member);
      return (document) => !member(document);
    }
    case 'and':
    case 'or': {
      const members = query.members.map(matcherOf);
      if (query.kind === 'and') return (document) => members.every((member) => member(document));
      return (document) => members.some((member) => member(document));
    }
    default: {
      const never: never = query;
      return never;
    }
  }
}

export type ValueTest = (value: unknown) => boolean;

/** A query that looks at the values of one field. */
export type LeafQuery = Extract<Query, { readonly field: string }>;

/** What a value of the field must pass: the test of one value that is not null and no object. */
export function valueTest(query: LeafQuery): ValueTest {
  switch (query.kind) {
    case 'term':
      return termTest(query);
    case 'prefix':
      return (value) => textOf(value)?.startsWith(query.prefix) === true;
    case 'range':
      return query.by === 'point' ? pointTest(query) : textTest(query);
    default:
      return () => true;
  }
}

function atField(field: string, test: ValueTest): Matcher {
  const path = pathOf(field);
  return (document) => someValueAt(document, path, test);
}

function termTest({ value: { text, point } }: TermQuery): ValueTest {
  return (value) => textOf(value) === text || (point !== undefined && pointOf(value) === point);
}

function pointTest(query: RangeQuery): ValueTest {
  const isInside = insideOf(query, query.min?.point, query.max?.point, (a, b) => a - b);
  return (value) => {
    const point = pointOf(value);
    return point !== undefined && isInside(point);
  };
}

function textTest(query: RangeQuery): ValueTest {
  const isInside = insideOf(query, query.min?.text, query.max?.text, compareText);
  return (value) => {
    const text = textOf(value);
    return text !== undefined && isInside(text);
  };
}

function insideOf<T>(
  { includeMin, includeMax }: Pick<RangeQuery, 'includeMin' | 'includeMax'>,
  min: T | undefined,
  max: T | undefined,
  compare: (a: T, b: T) => number,
): (value: T) => boolean {
  return (value) => {
    const above = min === undefined ? 1 : compare(value, min);
    const below = max === undefined ? -1 : compare(value, max);
    return (includeMin ? above >= 0 : above > 0) && (includeMax ? below <= 0 : below < 0);
  };
}
