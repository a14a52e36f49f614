import fc from 'fast-check';
import { expect, test } from 'vitest';
import { document, testNowMs } from '../lucene/lucene.testing.ts';
import { matches } from '../lucene/matches.ts';
import { parseLucene } from '../lucene/parse.ts';
import { isLuceneError } from '../lucene/query.ts';
import type { BucketsAnswer, Facet } from './facet.ts';
import { facetNaive } from './facet-naive.ts';
import { isFacetError, parseFacets, readFacets } from './parse-facets.ts';

function facetsOf(facet: unknown): readonly Facet[] {
  const facets = readFacets({ facet }, { nowMs: testNowMs });
  if (isFacetError(facets)) throw new Error(facets.message);
  return facets;
}

const documents = fc.array(document, { maxLength: 30 });
const all = facetsOf({
  t: { type: 'terms', field: 'a', limit: 10_000, missing: true, numBuckets: true },
  u: 'unique(a)',
  r: { type: 'range', field: 'a', start: -2, end: 10, gap: 3, hardend: true, other: 'all' },
});

test('each bucket of a terms facet counts what a query for its value finds', () => {
  fc.assert(
    fc.property(documents, (found) => {
      const terms = facetNaive(found, all)['t'] as BucketsAnswer;
      for (const { val, count } of terms.buckets) {
        // A text that reads as a date or number also finds that number; the facet tells the two apart.
        const quoted = `a:"${String(val).replace(/["\\]/g, '\\$&')}"`;
        const query = parseLucene(quoted);
        if (isLuceneError(query) || query.kind !== 'term') throw new Error(quoted);
        const isNumber = typeof val === 'number';
        const value = { ...query.value, ...(isNumber ? { text: '', point: val } : { point: undefined }) };
        const here = found.filter((candidate) => matches({ ...query, value }, candidate));
        const datesToo = isNumber ? here.filter((candidate) => !hasNumber(candidate, val)) : [];
        expect(count).toBe(here.length - datesToo.length);
      }
      const exists = parseLucene('a:*');
      if (isLuceneError(exists)) throw new Error(exists.message);
      expect(terms.missing?.count).toBe(found.filter((candidate) => !matches(exists, candidate)).length);
    }),
  );
});

function hasNumber(candidate: Readonly<Record<string, unknown>>, wanted: number): boolean {
  return [candidate['a']].flat(3).includes(wanted);
}

test('uniques, buckets and the number of buckets are three counts of one thing', () => {
  fc.assert(
    fc.property(documents, (found) => {
      const answer = facetNaive(found, all);
      const terms = answer['t'] as BucketsAnswer;
      expect(terms.buckets).toHaveLength(answer['u'] as number);
      expect(terms.numBuckets).toBe(answer['u']);
    }),
  );
});

test('the buckets of a range facet and its outside hold each single number once', () => {
  const singles = fc.array(fc.record({ a: fc.integer({ min: -5, max: 15 }) }), { maxLength: 40 });
  fc.assert(
    fc.property(singles, (found) => {
      const range = facetNaive(found, all)['r'] as BucketsAnswer;
      const inside = range.buckets.reduce((sum, { count }) => sum + count, 0);
      expect(inside).toBe(range.between?.count);
      expect(inside + (range.before?.count ?? 0) + (range.after?.count ?? 0)).toBe(found.length);
    }),
  );
});

test('pages of buckets put together are all buckets', () => {
  const sort = fc.constantFrom('count desc', 'count asc', 'index asc', 'index desc', 'm desc', 'm asc');
  fc.assert(
    fc.property(documents, sort, fc.integer({ min: 1, max: 4 }), (found, order, limit) => {
      const page = (offset: number, most: number): BucketsAnswer['buckets'] => {
        const facet = { type: 'terms', field: 'a', sort: order, offset, limit: most, facet: { m: 'max(b)' } };
        return (facetNaive(found, facetsOf({ t: facet }))['t'] as BucketsAnswer).buckets;
      };
      const whole = page(0, 10_000);
      const pages = whole.flatMap((_bucket, at) => (at % limit === 0 ? page(at, limit) : []));
      expect(pages).toEqual(whole);
    }),
  );
});

test('any JSON is read as facets or answered with an error that says where', () => {
  const word = fc.constantFrom(
    'terms',
    'range',
    'query',
    'x',
    'NOW',
    '+1DAY',
    'count desc',
    'sum(x)',
    'a:(',
    '',
    '1e999',
  );
  const leaf = fc.oneof(word, fc.integer({ min: -2, max: 20_000 }), fc.constantFrom(true, null, 1e308));
  const member = fc.constantFrom(
    ...[
      'type',
      'field',
      'q',
      'start',
      'end',
      'gap',
      'other',
      'limit',
      'sort',
      'facet',
      'hardend',
      'a',
      '__proto__',
    ],
  );
  const json = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      leaf,
      fc.dictionary(member, tie('value'), { maxKeys: 8 }),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  })).value;
  const text = fc.oneof(
    fc.json(),
    json.map((facet) => JSON.stringify({ facet })),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (given) => {
      const facets = parseFacets(given, { nowMs: testNowMs });
      if (isFacetError(facets)) expect(facets.message).toMatch(/^(?:json|facet)/);
      else expect(facetNaive([{ x: 1 }], facets).count).toBe(1);
    }),
    { numRuns: 3000 },
  );
});
