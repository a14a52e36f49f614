/** Answers from columns are those of plain loops over whole documents. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import type { Facet } from '../../protocol/facets/facet.ts';
import { facetNaive } from '../../protocol/facets/facet-naive.ts';
import { isFacetError, readFacets } from '../../protocol/facets/parse-facets.ts';
import { testNowMs } from '../../protocol/lucene/lucene.testing.ts';
import { matches } from '../../protocol/lucene/matches.ts';
import type { SortSpec } from '../../protocol/lucene/sort.ts';
import { sortDocuments } from '../../protocol/lucene/sort.ts';
import type { Document } from '../../protocol/lucene/values-at.ts';
import { type EventAnswer, EventQueries } from './answer.ts';
import { document, facets, fieldNames, memorySource, query } from './events.testing.ts';
import type { EventQuestion } from './question.ts';
import type { EventSource } from './segment.ts';

const queries = new EventQueries({ clock: systemClock, limits: { timeMs: 60_000 } });

const everything: EventQuestion = {
  query: { kind: 'all' },
  fields: undefined,
  start: 0,
  rows: 0,
  sort: [],
  format: 'json',
  facets: undefined,
  parameters: {},
};

async function ask(source: EventSource, question: Partial<EventQuestion>): Promise<EventAnswer> {
  const answer = await queries.answer(source, { ...everything, ...question }, 'demo/site');
  if ('status' in answer) throw new Error(answer.message);
  return answer;
}

const source = fc.record({
  documents: fc.array(document, { maxLength: 40 }),
  segmentSize: fc.integer({ min: 1, max: 17 }),
  areKindsMixed: fc.boolean(),
});

const direction = fc.constantFrom('asc' as const, 'desc' as const);
const sort: fc.Arbitrary<SortSpec[]> = fc.array(
  fc.record({ field: fc.constantFrom(...fieldNames), direction }),
  { maxLength: 3 },
);

const withoutKeys = (documents: readonly Document[]): unknown[] =>
  documents.map(({ _m1key: _key, ...rest }) => rest);

test('the rows are those that match, in the order of the sort', async () => {
  const window = fc.record({ start: fc.integer({ min: 0, max: 8 }), rows: fc.integer({ min: 0, max: 20 }) });
  await fc.assert(
    fc.asyncProperty(source, query, sort, window, async (given, asked, order, { start, rows }) => {
      const found = given.documents.filter((candidate) => matches(asked, candidate));
      const held = memorySource(given.documents, given);
      const answer = await ask(held, { query: asked, sort: order, start, rows });
      expect(answer.numFound).toBe(found.length);
      const expected = sortDocuments(found, order).slice(start, start + rows);
      expect(withoutKeys(answer.documents)).toEqual(expected);
      const again = await ask(held, { query: asked, sort: order, start, rows });
      expect(again.documents).toEqual(answer.documents);
    }),
    { numRuns: 600 },
  );
});

function read(facet: unknown): readonly Facet[] | undefined {
  const given = readFacets({ facet }, { nowMs: testNowMs });
  return isFacetError(given) ? undefined : given;
}

test('facets are those of the naive twin', async () => {
  await fc.assert(
    fc.asyncProperty(source, query, facets, async (given, asked, facet) => {
      const wanted = read(facet);
      fc.pre(wanted !== undefined);
      const found = given.documents.filter((candidate) => matches(asked, candidate));
      const answer = await ask(memorySource(given.documents, given), { query: asked, facets: wanted });
      expect(answer.facets).toEqual(facetNaive(found, wanted));
    }),
    { numRuns: 1200 },
  );
});

test('keys lead back to their documents', async () => {
  await fc.assert(
    fc.asyncProperty(source, async (given) => {
      const held = memorySource(given.documents, given);
      const { documents } = await ask(held, { rows: 100 });
      const places = documents.map(({ _m1key: key }) => {
        const [segment = 0, position = 0] = String(key).split('-').map(Number);
        return { segment, position };
      });
      expect(await queries.get(held, places.reverse(), 'demo/site')).toEqual([...documents].reverse());
    }),
    { numRuns: 50 },
  );
});
