import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLuceneError, luceneLimits } from './query.ts';
import { compareBy, parseSort, sortDocuments } from './sort.ts';

function sorted(documents: readonly Record<string, unknown>[], text: string): unknown[] {
  const specs = parseSort(text);
  if (isLuceneError(specs)) throw new Error(specs.message);
  return [...documents].sort(compareBy(specs));
}

describe('parseSort', () => {
  it('reads fields with their directions', () => {
    expect(parseSort(' _m1.receivedUTC desc , page.loadMs  asc,type asc')).toEqual([
      { field: '_m1.receivedUTC', direction: 'desc' },
      { field: 'page.loadMs', direction: 'asc' },
      { field: 'event.type', direction: 'asc' },
    ]);
  });

  it.each([
    ['', 0, 'field asc'],
    ['a', 1, 'asc or desc must follow "a"'],
    ['a up', 2, 'asc or desc must follow "a"'],
    ['a DESC', 2, 'asc or desc'],
    ['a desc b asc', 7, 'a comma must stand between'],
    ['a desc,', 7, 'field asc'],
    ['a* desc', 0, 'field asc'],
    ['a desc)', 6, 'a comma must stand'],
    [
      Array(luceneLimits.sortFieldsMax + 1)
        .fill('a asc')
        .join(','),
      96,
      '16 fields',
    ],
  ])('refuses "%s" at position %d', (text, position, rule) => {
    expect(parseSort(text)).toMatchObject({
      kind: 'error',
      position,
      message: expect.stringContaining(rule),
    });
  });

  it('refuses a field that there is not', () => {
    const options = { fields: new Set(['a']) };
    expect(parseSort('a asc', options)).toHaveLength(1);
    expect(parseSort('a asc, b asc', options)).toMatchObject({ kind: 'error', position: 7 });
  });
});

describe('compareBy', () => {
  const mixed = [
    { n: 'b' },
    { n: 10 },
    {},
    { n: 9 },
    { n: 'B' },
    { n: null },
    { n: '2026-11-21T00:00:00Z' },
    { n: true },
  ];

  it('puts numbers and dates before texts, by value, and what is missing last', () => {
    const order = [9, 10, '2026-11-21T00:00:00Z', 'B', 'b', true, undefined, null];
    expect(sorted(mixed, 'n asc').map((document) => (document as { n?: unknown }).n)).toEqual(order);
  });

  it('leaves what is missing last when it turns the order round', () => {
    const order = [true, 'b', 'B', '2026-11-21T00:00:00Z', 10, 9, undefined, null];
    expect(sorted(mixed, 'n desc').map((document) => (document as { n?: unknown }).n)).toEqual(order);
  });

  it('goes by the next field where the first is equal, and keeps equal documents as they stood', () => {
    const documents = [
      { a: 1, b: 2, id: 'x' },
      { a: 1, b: 3, id: 'y' },
      { a: 0, b: 1, id: 'z' },
      { a: 1, b: 2, id: 'w' },
    ];
    const ids = sorted(documents, 'a desc, b asc').map((document) => (document as { id: string }).id);
    expect(ids.join('')).toBe('xwyz');
  });

  it('goes by the lowest of several values ascending, by the highest descending', () => {
    const documents = [{ a: [5, 1] }, { a: [3, 4] }];
    expect(sorted(documents, 'a asc')).toEqual([{ a: [5, 1] }, { a: [3, 4] }]);
    expect(sorted(documents, 'a desc')).toEqual([{ a: [5, 1] }, { a: [3, 4] }]);
    expect(sorted([{ a: [2, 3] }, { a: [1, 9] }], 'a asc')).toEqual([{ a: [1, 9] }, { a: [2, 3] }]);
  });

  it('is the order of sortDocuments too', () => {
    const value = fc.option(fc.constantFrom(3, 1, 'a', 'b', '1970-01-01'), { nil: undefined });
    const documents = fc.array(fc.record({ a: value, b: value }));
    fc.assert(
      fc.property(documents, fc.constantFrom('asc', 'desc'), (found, direction) => {
        const specs = [
          { field: 'a', direction },
          { field: 'b', direction: 'asc' },
        ] as const;
        expect(sortDocuments(found, specs)).toEqual([...found].sort(compareBy(specs)));
      }),
    );
  });

  it('is a total order', () => {
    const value = fc.constantFrom(
      1,
      2,
      -1,
      'a',
      'b',
      '\u{1f600}',
      '\uff5e',
      '',
      true,
      null,
      [3, 'c'],
      '1970-01-01',
    );
    const triple = fc.tuple(fc.record({ a: value }), fc.record({ a: value }), fc.record({ a: value }));
    fc.assert(
      fc.property(triple, fc.constantFrom('asc', 'desc'), ([x, y, z], direction) => {
        const compare = compareBy([{ field: 'a', direction }]);
        expect(Math.sign(compare(x, y))).toBe(0 - Math.sign(compare(y, x)));
        if (compare(x, y) <= 0 && compare(y, z) <= 0) expect(compare(x, z)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
