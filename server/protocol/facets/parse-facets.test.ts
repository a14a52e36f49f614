import { describe, expect, it } from 'vitest';
import { facetLimits } from './facet.ts';
import { isFacetError, parseFacets, readFacets } from './parse-facets.ts';

const nowMs = Date.UTC(2026, 10, 21, 17);

function messageOf(facet: unknown): string {
  const parsed = readFacets({ facet }, { nowMs });
  return isFacetError(parsed) ? parsed.message : 'no error';
}

/** An object nested `depth` deep, each level a query facet. */
function nested(depth: number): unknown {
  return depth === 0 ? {} : { a: { type: 'query', q: '*', facet: nested(depth - 1) } };
}

describe('parseFacets', () => {
  it('reads the smallest terms facet with the defaults of Solr', () => {
    const text = '{"facet":{"by_state":{"field":"_m1.geo.subdivision_1_iso_code","type":"terms"}}}';
    expect(parseFacets(text)).toEqual([
      {
        kind: 'terms',
        name: 'by_state',
        field: '_m1.geo.subdivision_1_iso_code',
        limit: 10,
        offset: 0,
        mincount: 1,
        sort: { by: 'count', direction: 'desc' },
        prefix: '',
        missing: false,
        numBuckets: false,
        facets: [],
      },
    ]);
  });

  it('reads every facet and aggregate, nested', () => {
    const facet = {
      t: {
        type: 'terms',
        field: 'type',
        sort: 'u asc',
        facet: {
          u: 'unique(visitor.id)',
          q: { type: 'query', q: 'a:1', facet: { p: 'percentile(a, 50, 99.9)' } },
        },
      },
      r: { type: 'range', field: 'a', start: 0, end: 5, gap: 2, other: 'all' },
    };
    expect(readFacets({ facet })).toMatchObject([
      {
        field: 'event.type',
        sort: { by: 'aggregate', name: 'u', direction: 'asc' },
        facets: [
          { kind: 'unique', name: 'u', field: 'visitor.id' },
          { kind: 'query', query: { kind: 'term' }, facets: [{ kind: 'percentile', percents: [50, 99.9] }] },
        ],
      },
      { edges: [0, 2, 4, 6], isDate: false, other: ['before', 'after', 'between'], mincount: 0 },
    ]);
  });

  it.each([
    ['count', { by: 'count', direction: 'desc' }],
    ['index', { by: 'index', direction: 'asc' }],
    ['index desc', { by: 'index', direction: 'desc' }],
    [{ count: 'asc' }, { by: 'count', direction: 'asc' }],
  ])('reads the sort %j', (sort, read) => {
    expect(readFacets({ facet: { a: { type: 'terms', field: 'x', sort } } })).toMatchObject([{ sort: read }]);
  });

  const day = (of: number): number => Date.UTC(2026, 10, of);

  it.each([
    [{ start: 0, end: 5, gap: 2, hardend: true }, [0, 2, 4, 5], false],
    [{ start: '0', end: '1', gap: '0.25' }, [0, 0.25, 0.5, 0.75, 1], false],
    [{ start: 0, end: 1, gap: 0.1 }, Array.from({ length: 11 }, (_, index) => index * 0.1), false],
    [{ start: 'NOW/DAY-2DAYS', end: 'NOW/DAY', gap: '+1DAY' }, [day(19), day(20), day(21)], true],
    [{ start: '2026-11-20', end: '2026-11-21T12:00:00Z', gap: '+1DAY' }, [day(20), day(21), day(22)], true],
    [
      { start: '2026-11-30', end: '2027-01-02', gap: '+1MONTH' },
      [day(30), Date.UTC(2026, 11, 30), Date.UTC(2027, 0, 30)],
      true,
    ],
  ])('makes the edges of %j', (range, edges, isDate) => {
    expect(readFacets({ facet: { r: { type: 'range', field: 'a', ...range } } }, { nowMs })).toMatchObject([
      { edges, isDate },
    ]);
  });

  it.each([
    ['{', 'json: is not JSON'],
    ['[]', 'json: needs an object, got []'],
    ['{"facets":{}}', 'json.facets: is not known here; known are facet'],
    ['{"facet":[]}', 'facet: needs an object, got []'],
  ])('refuses %s', (text, message) => {
    expect(parseFacets(text)).toMatchObject({ kind: 'error', message: expect.stringContaining(message) });
  });

  const terms = { type: 'terms', field: 'x' };
  const range = { type: 'range', field: 'x', start: 0, end: 10, gap: 1 };

  it.each([
    [{ a: 5 }, 'facet.a: needs an object, got 5'],
    [{ a: { field: 'x' } }, 'facet.a.type: needs terms, query or range, got undefined'],
    [{ a: { type: 'heatmap' } }, 'facet.a.type: needs terms, query or range, got "heatmap"'],
    [{ a: { type: 'terms' } }, 'facet.a.field: is missing'],
    [{ a: { ...terms, field: '' } }, 'facet.a.field: needs the name of a field'],
    [{ a: { ...terms, limit: -1 } }, 'facet.a.limit: needs a whole number from 0 to 10000, got -1'],
    [{ a: { ...terms, limit: 10_001 } }, 'facet.a.limit: needs a whole number'],
    [{ a: { ...terms, limit: '5' } }, 'facet.a.limit: needs a whole number'],
    [{ a: { ...terms, offset: 1.5 } }, 'facet.a.offset: needs a whole number'],
    [{ a: { ...terms, mincount: 0 } }, 'facet.a.mincount: needs a whole number from 1'],
    [{ a: { ...terms, missing: 'yes' } }, 'facet.a.missing: needs true or false'],
    [{ a: { ...terms, prefix: 3 } }, 'facet.a.prefix: needs a text'],
    [{ a: { ...terms, allBuckets: true } }, 'facet.a.allBuckets: is not known here'],
    [{ a: { ...terms, sort: 'u desc' } }, 'facet.a.sort: needs count, index or an aggregate'],
    [{ a: { ...terms, sort: 'count down' } }, 'facet.a.sort: needs a name with asc or desc'],
    [{ a: { ...terms, sort: {} } }, 'facet.a.sort: needs a name with asc or desc'],
    [{ a: { ...terms, sort: 5 } }, 'facet.a.sort: needs an object, got 5'],
    [
      { a: { ...terms, sort: 'p asc', facet: { p: 'percentile(x,1,2)' } } },
      'facet.a.sort: "p" has several figures',
    ],
    [
      { a: { ...terms, sort: 'b asc', facet: { b: terms } } },
      'facet.a.sort: needs count, index or an aggregate',
    ],
    [
      { a: { ...terms, facet: { b: { ...terms, limit: 'x' } } } },
      'facet.a.facet.b.limit: needs a whole number',
    ],
    [{ a: { type: 'query', q: 'x:(' } }, 'facet.a.q: at position 3'],
    [{ a: { type: 'query' } }, 'facet.a.q: is missing'],
    [{ a: { ...range, gap: 0 } }, 'facet.a.gap: needs a number above 0'],
    [{ a: { ...range, gap: undefined } }, 'facet.a.gap: needs a number above 0'],
    [{ a: { ...range, gap: 1e-300 } }, 'facet.a.gap: makes more than 10000 buckets'],
    [{ a: { ...range, start: 1e300, end: 2e300 } }, 'facet.a.gap: does not lead from'],
    [{ a: { ...range, start: Number.POSITIVE_INFINITY } }, 'facet.a.start: needs a number'],
    [{ a: { ...range, end: 0 } }, 'facet.a.end: must be above start, got 0 and 0'],
    [{ a: { ...range, end: 10_001 } }, 'facet.a.gap: makes more than 10000 buckets'],
    [{ a: { ...range, start: 'NOW' } }, 'facet.a.end: start and end must both be'],
    [
      { a: { ...range, start: 'NOW-1DAY', end: 'NOW' } },
      'facet.a.gap: needs date math such as +1HOUR, got 1',
    ],
    [{ a: { ...range, start: 'NOW-1DAY', end: 'NOW', gap: '+1HOUR/DAY' } }, 'facet.a.gap: needs date math'],
    [{ a: { ...range, start: 'NOW-1DAY', end: 'NOW', gap: '-1HOUR' } }, 'facet.a.gap: does not lead'],
    [{ a: { ...range, start: 'NOW-1DAYS1', end: 'NOW' } }, 'facet.a.start: date math is made of steps'],
    [{ a: { ...range, other: 'left' } }, 'facet.a.other: needs before, after, between, all or none'],
    [{ a: 'unique' }, 'facet.a: needs unique, sum'],
    [{ a: 'unique()' }, 'facet.a: needs unique, sum'],
    [{ a: 'median(x)' }, 'facet.a: needs unique, sum'],
    [{ a: 'sum(x,y)' }, 'facet.a: sum takes one field'],
    [{ a: 'percentile(x)' }, 'facet.a: percentile takes a field and 1 to 20 numbers'],
    [{ a: 'percentile(x,101)' }, 'facet.a: a percentile is a number from 0 to 100, got "101"'],
    [{ count: terms }, 'facet.count: a name has 1 to 128 characters'],
    [{ ['__proto__']: terms }, 'facet.__proto__: a name has 1 to 128 characters'],
    [{ ['x'.repeat(129)]: terms }, 'a name has 1 to 128 characters'],
    [nested(facetLimits.nestingMax + 1), 'facets may be nested 4 deep'],
  ])('refuses %j by its path', (facet, message) => {
    expect(messageOf(facet)).toContain(message);
  });

  it('lets the most facets through and refuses one more', () => {
    const many = (count: number): unknown =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, 'sum(x)']));
    expect(readFacets({ facet: many(facetLimits.facetsMax) })).toHaveLength(100);
    expect(messageOf(many(facetLimits.facetsMax + 1))).toBe(
      'facet.f100: a request may have 100 facets, and this is one more',
    );
    expect(messageOf(nested(facetLimits.nestingMax))).toBe('no error');
  });

  it('refuses a field that there is not', () => {
    const fields = new Set(['event.type']);
    const facet = { a: { type: 'terms', field: 'type', facet: { u: 'unique(nobody)' } } };
    expect(readFacets({ facet }, { fields })).toMatchObject({
      message: 'facet.a.facet.u: there is no field "nobody"',
    });
  });
});
