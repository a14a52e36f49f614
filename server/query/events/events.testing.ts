/** Events in memory: segments with columns built by plain loops, for tests and measurements. */
import fc from 'fast-check';
import { pointOf } from '../../protocol/lucene/literal.ts';
import {
  document as anyDocument,
  query as anyQuery,
  testNowMs,
} from '../../protocol/lucene/lucene.testing.ts';
import { parseLucene } from '../../protocol/lucene/parse.ts';
import { printQuery } from '../../protocol/lucene/print.ts';
import type { Query } from '../../protocol/lucene/query.ts';
import { type Document, pathOf, valuesAt } from '../../protocol/lucene/values-at.ts';
import type { Column, EventSource, PointRange, Scalar, Segment } from './segment.ts';
import { uuidWords, writeUuid } from './uuid-words.ts';

export interface MemoryOptions {
  /** Events of each segment but the last. */
  readonly segmentSize: number;
  /** Columns of numbers and uuids where all values are such; otherwise dictionaries only. */
  readonly areKindsMixed: boolean;
}

export class MemorySegment implements Segment {
  readonly number: number;
  readonly isSealed: boolean;
  readonly #documents: readonly Document[];
  readonly #areKindsMixed: boolean;
  readonly #columns = new Map<string, Column | undefined>();
  /** How many columns were asked for, by field. */
  readonly asked = new Map<string, number>();

  constructor(number: number, documents: readonly Document[], isSealed: boolean, areKindsMixed: boolean) {
    this.number = number;
    this.isSealed = isSealed;
    this.#documents = documents;
    this.#areKindsMixed = areKindsMixed;
  }

  get count(): number {
    return this.#documents.length;
  }

  pointRange(field: string): PointRange | undefined {
    const points = this.#documents
      .flatMap((document) => valuesAt(document, pathOf(field)))
      .map(pointOf)
      .filter((point) => point !== undefined);
    return points.length === 0 ? undefined : { min: Math.min(...points), max: Math.max(...points) };
  }

  async column(field: string): Promise<Column | undefined> {
    this.asked.set(field, (this.asked.get(field) ?? 0) + 1);
    if (!this.#columns.has(field)) {
      const values = this.#documents.map((document) => [
        ...new Set(valuesAt(document, pathOf(field)) as Scalar[]),
      ]);
      this.#columns.set(field, columnOf(values, this.#areKindsMixed));
    }
    return this.#columns.get(field);
  }

  async documents(positions: readonly number[]): Promise<readonly Document[]> {
    return positions.map((position) => this.#documents[position] as Document);
  }
}

/** @param values the distinct ones of each event */
export function columnOf(values: readonly (readonly Scalar[])[], areKindsMixed: boolean): Column | undefined {
  const all = values.flat();
  if (all.length === 0) return undefined;
  const isSingle = values.every(({ length }) => length <= 1);
  if (areKindsMixed && isSingle && all.every((value) => typeof value === 'number')) {
    return {
      kind: 'number',
      values: Float64Array.from(values, ([value]) => (value ?? Number.NaN) as number),
    };
  }
  const words = new Uint32Array(values.length * uuidWords);
  const isUuid = (value: Scalar, at: number): boolean =>
    typeof value === 'string' && writeUuid(value, words, at * uuidWords);
  if (areKindsMixed && isSingle && values.every((own, at) => own.every((value) => isUuid(value, at))))
    return { kind: 'uuid', words };
  return dictionaryOf(values);
}

function dictionaryOf(values: readonly (readonly Scalar[])[]): Column {
  const codeOf = new Map<Scalar, number>();
  const counts: number[] = [];
  const codes = new Uint32Array(values.length);
  const more = new Map<number, number[]>();
  for (const [position, own] of values.entries()) {
    const ownCodes = own.map((value) => {
      const code = codeOf.get(value) ?? codeOf.size + 1;
      codeOf.set(value, code);
      counts[code - 1] = (counts[code - 1] ?? 0) + 1;
      return code;
    });
    codes[position] = ownCodes[0] ?? 0;
    if (ownCodes.length > 1) more.set(position, ownCodes.slice(1));
  }
  return { kind: 'dictionary', values: [...codeOf.keys()], counts: Uint32Array.from(counts), codes, more };
}

/** The documents cut into segments; the last one is open. Numbers start at 3: old segments may be gone. */
export function memorySource(
  documents: readonly Document[],
  { segmentSize, areKindsMixed }: MemoryOptions,
): EventSource & { readonly held: readonly MemorySegment[] } {
  const held: MemorySegment[] = [];
  for (let from = 0; from < documents.length; from += segmentSize) {
    const own = documents.slice(from, from + segmentSize);
    held.push(new MemorySegment(3 + held.length, own, from + segmentSize < documents.length, areKindsMixed));
  }
  return { held, segments: async () => held };
}

export const uuids = [
  '3f2a1b4c-0000-4000-8000-000000000001',
  '3f2a1b4c-0000-4000-8000-000000000002',
  'a0000000-0000-4000-8000-0000000000ff',
  '00000000-0000-0000-0000-000000000000',
];

const uuid = fc.constantFrom(...uuids);
/** Halves and wholes: sums of them are the same in every order. */
const number = fc.integer({ min: -6, max: 20 }).map((half) => half / 2);

/** Documents of the language's own tests, with fields that are numbers alone, uuids alone, dates, or nearly so. */
export const document: fc.Arbitrary<Document> = fc
  .tuple(
    anyDocument,
    fc.record(
      {
        n: number,
        u: uuid,
        v: fc.oneof(
          { weight: 8, arbitrary: uuid },
          { weight: 1, arbitrary: fc.array(uuid, { maxLength: 3 }) },
          {
            weight: 1,
            arbitrary: fc.constantFrom<unknown>('no uuid', 7, true, 'true', [true, 'true', false]),
          },
        ),
        t: fc.integer({ min: -3, max: 3 }).map((hours) => testNowMs + hours * 3_600_000),
        d: fc.constantFrom('2026-11-20', '2026-11-21T17:00:00Z', '2026-11-22T00:00:00Z', 'never'),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([base, further]) => {
    const event = { ...(base['event'] as Document), ...(further.t === undefined ? {} : { time: further.t }) };
    return { ...base, ...further, event };
  });

export const fieldNames = [
  'a',
  'b',
  'o.a',
  'o.p.b',
  'odd name',
  'event.type',
  'event.time',
  'n',
  'u',
  'v',
  't',
  'd',
];

const ownClause = fc.constantFrom(
  ...['n:*', 'n:3', 'n:[0 TO 2.5}', 'n:{* TO 1]', 'n:x', 't:[NOW-1HOUR TO *]', 't:{NOW TO NOW/DAY+1DAY]'],
  ...['u:*', 'u:3f2a*', `u:"${uuids[1]}"`, `u:"${uuids[3]}"`, 'u:["3" TO "4"]', 'u:7', 'u:[1 TO 3]'],
  ...[`v:"${uuids[0]}"`, 'v:true', 'v:(a0* OR 7)', 'v:*', 'd:[NOW/DAY TO *]', 'd:2026-11-20', 'd:ne*'],
);

const ownQuery = fc.array(fc.tuple(fc.constantFrom('', '+', '-'), ownClause), { minLength: 1, maxLength: 3 });

/** Those of the language's tests beside some that ask for the further fields. */
export const query: fc.Arbitrary<Query> = fc
  .tuple(
    anyQuery,
    ownQuery.map((clauses) => clauses.map((clause) => clause.join('')).join(' ')),
    fc.constantFrom('base', 'own', 'both', 'all'),
  )
  .map(([base, own, which]) => {
    if (which === 'base') return base;
    const text = which === 'both' ? `(${printQuery(base)}) OR (${own})` : which === 'own' ? own : '*';
    const parsed = parseLucene(text, { nowMs: testNowMs });
    return 'position' in parsed ? base : parsed;
  });

const field = fc.constantFrom(...fieldNames);
const aggregate = fc
  .tuple(
    fc.constantFrom('unique', 'sum', 'avg', 'min', 'max', 'percentile'),
    field,
    fc.constantFrom(',50', ',0,33.3,100'),
  )
  .map(([name, of, percents]) => `${name}(${of}${name === 'percentile' ? percents : ''})`);

/** `facet` members of the `json` parameter. */
export const facets = fc.letrec<{ level: Record<string, unknown>; facet: unknown }>((tie) => ({
  level: fc.dictionary(fc.constantFrom('x', 'y', 'z'), tie('facet'), { maxKeys: 3 }),
  facet: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'facet' },
    aggregate,
    fc
      .record(
        {
          field,
          limit: fc.integer({ min: 0, max: 4 }),
          offset: fc.integer({ min: 0, max: 2 }),
          mincount: fc.integer({ min: 1, max: 3 }),
          sort: fc.constantFrom('count desc', 'count asc', 'index', 'index desc', 'r desc', 'r asc'),
          prefix: fc.constantFrom('', 'v', '3f'),
          missing: fc.boolean(),
          numBuckets: fc.boolean(),
          facet: tie('level'),
          r: aggregate.map((call) => call.replace(',0,33.3,100', ',33')),
        },
        { requiredKeys: ['field', 'r'] },
      )
      .map(({ r, facet, ...rest }) => ({ type: 'terms', ...rest, facet: { ...facet, r } })),
    fc
      .record({ q: ownClause, facet: tie('level') }, { requiredKeys: ['q'] })
      .map((rest) => ({ type: 'query', ...rest })),
    fc
      .record(
        {
          field,
          mincount: fc.integer({ min: 0, max: 2 }),
          other: fc.constantFrom('all', 'none', 'before', ['after', 'between']),
          facet: tie('level'),
          ends: fc.constantFrom(
            { start: 0, end: 5, gap: 1.5, hardend: true },
            { start: -2, end: 11, gap: 4 },
            { start: 'NOW-2HOURS', end: 'NOW+3HOURS', gap: '+90MINUTES' },
          ),
        },
        { requiredKeys: ['field', 'ends'] },
      )
      .map(({ ends, ...rest }) => ({ type: 'range', ...rest, ...ends })),
  ),
})).level;
