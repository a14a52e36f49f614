/**
 * Random queries and documents for property tests, over so few names and values that they often meet; and an
 * evaluator that shares no line with the real one.
 */
import fc from 'fast-check';
import { literalOf } from './literal.ts';
import type { Literal, Query } from './query.ts';
import { compareText } from './text-order.ts';
import type { Document } from './values-at.ts';

export const testNowMs = Date.UTC(2026, 10, 21, 17);

export const fieldName = fc.constantFrom(
  'a',
  'b',
  'o.a',
  'o.p.b',
  'odd name',
  'x:y',
  '-n',
  'AND',
  'ü',
  'event.type',
);

/** Texts with a meaning of their own beside texts of all special characters. */
export const valueText = fc.oneof(
  fc.constantFrom(
    'view',
    'View',
    'vie',
    'true',
    '1',
    '1.0',
    '-2',
    '1e1',
    '10',
    'NOW',
    'NOW-1HOUR',
    'NOW/DAY',
    'AND',
    'TO',
    '*',
  ),
  fc.constantFrom(
    '2026-11-21',
    '2026-11-21T00:00:00Z',
    '2026-11-21T01:00:00+01:00',
    '\u{1f600}',
    '\uff5e',
    '1795219200000',
  ),
  fc.string({ unit: fc.constantFrom(...'ab1 "\\()[]{}:*?~^+-!/&|<>u\u3000\n'), minLength: 1, maxLength: 5 }),
);

const literal: fc.Arbitrary<Literal> = fc
  .tuple(valueText, fc.boolean())
  .map(([text, quoted]) => literalOf(text, quoted, testNowMs));

const rangeLiteral = literal.filter(
  ({ text, quoted }) => quoted || !/^NOW[+\-/]|^\d{4}-/.test(text) || text === '2026-11-21',
);

const range: fc.Arbitrary<Query> = fc
  .record({
    field: fieldName,
    ends: fc.tuple(fc.option(rangeLiteral, { nil: undefined }), fc.option(rangeLiteral, { nil: undefined })),
    includeMin: fc.boolean(),
    includeMax: fc.boolean(),
  })
  .map(({ field, ends: [one, other], includeMin, includeMax }): Query => {
    if (one === undefined && other === undefined) return { kind: 'exists', field };
    const by = [one, other].every((end) => end === undefined || end.point !== undefined) ? 'point' : 'text';
    const isSwapped =
      one !== undefined &&
      other !== undefined &&
      (by === 'point' ? Number(one.point) > Number(other.point) : compareText(one.text, other.text) > 0);
    const [min, max] = isSwapped ? [other, one] : [one, other];
    const inclusion = {
      includeMin: includeMin || min === undefined,
      includeMax: includeMax || max === undefined,
    };
    return { kind: 'range', field, by, min, max, ...inclusion };
  });

const leaf: fc.Arbitrary<Query> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('term' as const), field: fieldName, value: literal }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('prefix' as const), field: fieldName, prefix: valueText }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('exists' as const), field: fieldName }) },
  { weight: 3, arbitrary: range },
  { weight: 1, arbitrary: fc.constant<Query>({ kind: 'all' }) },
);

/** Canonical queries: no `and` right inside an `and`, no `or` right inside an `or`. */
export const query: fc.Arbitrary<Query> = fc.letrec<{ node: Query; joined: Query }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    tie('node').map((member): Query => ({ kind: 'not', member })),
    tie('joined'),
  ),
  joined: fc
    .tuple(
      fc.constantFrom('and' as const, 'or' as const),
      fc.array(tie('node'), { minLength: 2, maxLength: 4 }),
    )
    .map(([kind, members]): Query => {
      const flat = members.flatMap((member) => (member.kind === kind ? member.members : [member]));
      return { kind, members: flat };
    }),
})).node;

const scalar = fc.oneof(
  valueText,
  fc.constantFrom<unknown>(1, 10, -2, 0, testNowMs, 1795219200000, true, false, null, 1.5),
);

const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
);

const members = fc.dictionary(fc.constantFrom('a', 'b', 'odd name', 'x:y', '-n', 'AND', 'ü', 'type'), value, {
  maxKeys: 4,
});

export const document: fc.Arbitrary<Document> = fc
  .tuple(members, members, fc.array(members, { maxLength: 2 }))
  .map(([top, below, deep]) => ({ ...top, o: { ...below, p: deep }, event: below }));

/** The positions of the documents that a query finds: set algebra over a table of flattened values. */
export function findBySets(query: Query, documents: readonly Document[]): ReadonlySet<number> {
  const everything = new Set(documents.keys());
  const holding = (field: string, holds: (value: unknown) => boolean): Set<number> =>
    new Set(
      [...everything].filter((at) =>
        tableOf(documents[at] ?? {}).some(([name, found]) => name === field && holds(found)),
      ),
    );
  switch (query.kind) {
    case 'all':
      return everything;
    case 'exists':
      return holding(query.field, () => true);
    case 'term': {
      const asPoint = query.value.point;
      return holding(query.field, (found) => {
        const isSame = typeof found === 'number' ? false : `${found}` === query.value.text;
        return isSame || (asPoint !== undefined && instantOf(found) === asPoint);
      });
    }
    case 'prefix':
      return holding(
        query.field,
        (found) => typeof found !== 'number' && `${found}`.slice(0, query.prefix.length) === query.prefix,
      );
    case 'range':
      return holding(query.field, (found) => isWithin(query, found));
    case 'not': {
      const without = findBySets(query.member, documents);
      return new Set([...everything].filter((at) => !without.has(at)));
    }
    case 'and': {
      const sets = query.members.map((member) => findBySets(member, documents));
      return new Set([...everything].filter((at) => sets.every((set) => set.has(at))));
    }
    default:
      return new Set(query.members.flatMap((member) => [...findBySets(member, documents)]));
  }
}

/** Every value of a document with its dotted name. */
function tableOf(value: unknown, name = ''): [string, unknown][] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((element) => tableOf(element, name));
  if (typeof value !== 'object') return [[name, value]];
  return Object.entries(value).flatMap(([key, below]) =>
    tableOf(below, name === '' ? key : `${name}.${key}`),
  );
}

function instantOf(found: unknown): number | undefined {
  if (typeof found === 'number') return found;
  if (typeof found !== 'string' || !/^\d{4}-\d\d-\d\d(T.*(Z|\+\d\d:\d\d))?$/.test(found)) return undefined;
  return Number.isNaN(Date.parse(found)) ? undefined : Date.parse(found);
}

function isWithin(query: Query & { kind: 'range' }, found: unknown): boolean {
  if (query.by === 'text') {
    if (typeof found === 'number') return false;
    const bytes = (text: string): Buffer => Buffer.from(text);
    const order = (end: Literal): number => Buffer.compare(bytes(`${found}`), bytes(end.text));
    return isBetween(query, query.min && order(query.min), query.max && order(query.max));
  }
  const point = instantOf(found);
  if (point === undefined) return false;
  const order = (end: Literal): number => point - Number(end.point);
  return isBetween(query, query.min && order(query.min), query.max && order(query.max));
}

function isBetween(
  query: Query & { kind: 'range' },
  toMin: number | undefined,
  toMax: number | undefined,
): boolean {
  if (toMin !== undefined && (toMin < 0 || (toMin === 0 && !query.includeMin))) return false;
  return toMax === undefined || toMax < 0 || (toMax === 0 && query.includeMax);
}
