import { describe, expect, it } from 'vitest';
import { facetNaive, nearestRank } from './facet-naive.ts';
import { isFacetError, readFacets } from './parse-facets.ts';

const documents = [
  { type: 'view', state: 'CA', visitor: 'v1', ms: 100, at: '2026-11-20T10:00:00Z' },
  { type: 'view', state: 'CA', visitor: 'v2', ms: 300, at: Date.UTC(2026, 10, 20, 11) },
  { type: 'view', state: 'NY', visitor: 'v1', ms: 200, at: '2026-11-21' },
  { type: 'click', state: 'WA', visitor: 'v3', at: '2026-11-25T00:00:00Z' },
  { type: 'click', visitor: 'v3', ms: [400, 500] },
];

function answer(facet: unknown): unknown {
  const facets = readFacets({ facet });
  if (isFacetError(facets)) throw new Error(facets.message);
  return facetNaive(documents, facets);
}

/** The `val` of each bucket with its count, as one line. */
function line(terms: object): string {
  const { t } = answer({ t: { type: 'terms', field: 'state', ...terms } }) as {
    t: { buckets: { val: unknown; count: number }[] };
  };
  return t.buckets.map(({ val, count }) => `${val}:${count}`).join(' ');
}

describe('facetNaive', () => {
  it('answers in the shape of Solr, with nested facets and aggregates', () => {
    const facet = {
      by_state: {
        type: 'terms',
        field: 'state',
        limit: 1,
        missing: true,
        numBuckets: true,
        facet: { u: 'unique(visitor)', slow: { type: 'query', q: 'ms:[200 TO *]' } },
      },
    };
    expect(answer(facet)).toEqual({
      count: 5,
      by_state: {
        numBuckets: 3,
        buckets: [{ val: 'CA', count: 2, u: 2, slow: { count: 1 } }],
        missing: { count: 1, u: 1, slow: { count: 1 } },
      },
    });
  });

  it.each([
    [{}, 'CA:2 NY:1 WA:1'],
    [{ sort: 'count asc' }, 'NY:1 WA:1 CA:2'],
    [{ sort: 'index desc' }, 'WA:1 NY:1 CA:2'],
    [{ sort: 'm desc', facet: { m: 'max(ms)' } }, 'CA:2 NY:1 WA:1'],
    [{ sort: 'm asc', facet: { m: 'min(ms)' } }, 'CA:2 NY:1 WA:1'],
    [{ sort: 's asc', facet: { s: 'sum(ms)' } }, 'WA:1 NY:1 CA:2'],
    [{ offset: 1, limit: 1 }, 'NY:1'],
    [{ offset: 9 }, ''],
    [{ mincount: 2 }, 'CA:2'],
    [{ prefix: 'N' }, 'NY:1'],
    [{ field: 'ms', sort: 'index' }, '100:1 200:1 300:1 400:1 500:1'],
    [{ field: 'ms', prefix: '1' }, ''],
    [{ field: 'none' }, ''],
  ])('lists the buckets of %j', (terms, expected) => {
    expect(line(terms)).toBe(expected);
  });

  it('counts by ranges of dates, with what lies outside', () => {
    const facet = {
      r: {
        type: 'range',
        field: 'at',
        start: '2026-11-20',
        end: '2026-11-22',
        gap: '+1DAY',
        other: 'all',
        facet: { s: 'sum(ms)' },
      },
    };
    expect(answer(facet)).toEqual({
      count: 5,
      r: {
        buckets: [
          { val: '2026-11-20T00:00:00Z', count: 2, s: 400 },
          { val: '2026-11-21T00:00:00Z', count: 1, s: 200 },
        ],
        before: { count: 0, s: 0 },
        after: { count: 1, s: 0 },
        between: { count: 3, s: 600 },
      },
    });
  });

  it('counts by ranges of numbers, a lower edge inside and an upper one outside', () => {
    const range = { type: 'range', field: 'ms', start: 100, end: 450, gap: 100 };
    const vals = (more: object): unknown =>
      (answer({ r: { ...range, ...more } }) as { r: { buckets: unknown } }).r.buckets;
    expect(vals({})).toEqual([100, 200, 300, 400].map((val) => ({ val, count: 1 })));
    expect(vals({ end: 800, mincount: 1 })).toHaveLength(5);
    expect(vals({ end: 800 })).toHaveLength(7);
  });

  it('takes figures of all values, and null of none', () => {
    const figures = {
      s: 'sum(ms)',
      a: 'avg(ms)',
      i: 'min(ms)',
      x: 'max(ms)',
      p: 'percentile(ms,50)',
      q: 'percentile(ms,0,90,100)',
      u: 'unique(ms)',
    };
    expect(answer(figures)).toEqual({
      count: 5,
      s: 1500,
      a: 300,
      i: 100,
      x: 500,
      p: 300,
      q: [100, 500, 500],
      u: 5,
    });
    expect(
      answer({ none: { type: 'query', q: 'a:x', facet: { ...figures, q: 'percentile(ms,1,2)' } } }),
    ).toEqual({
      count: 5,
      none: { count: 0, s: 0, a: null, i: null, x: null, p: null, q: [null, null], u: 0 },
    });
  });
});

describe('a percentile', () => {
  it('is not pushed to the next rank by the rounding of doubles', () => {
    const values = Array.from({ length: 1500 }, (_, index) => index + 1);
    expect(nearestRank(values, 2.2)).toBe(33);
  });

  const thousand = Array.from({ length: 1000 }, (_, index) => index + 1);

  it.each([
    [0, 1],
    [0.1, 1],
    [0.11, 2],
    [50, 500],
    [55, 550],
    [99, 990],
    [99.9, 999],
    [99.95, 1000],
    [100, 1000],
  ])('%d of 1 to 1000 is %d, the nearest rank', (percent, value) => {
    expect(nearestRank(thousand, percent)).toBe(value);
  });
});
