import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFieldList } from './field-list.ts';
import { document, fieldName, findBySets, query, testNowMs, valueText } from './lucene.testing.ts';
import { matches } from './matches.ts';
import { parseLucene } from './parse.ts';
import { printQuery } from './print.ts';
import { isLuceneError, luceneLimits, type Query } from './query.ts';
import { parseSort } from './sort.ts';

const parse = (text: string): Query => {
  const parsed = parseLucene(text, { nowMs: testNowMs });
  if (isLuceneError(parsed)) throw new Error(`${text}\n${parsed.message}`);
  return parsed;
};

test('a query printed and parsed is the same query', () => {
  fc.assert(
    fc.property(query, (tree) => {
      expect(parse(printQuery(tree))).toEqual(tree);
    }),
    { numRuns: 2000 },
  );
});

test('a query finds what set algebra over flattened documents finds', () => {
  fc.assert(
    fc.property(query, fc.array(document, { minLength: 1, maxLength: 12 }), (tree, documents) => {
      const found = [...documents.keys()].filter((at) => matches(tree, documents[at] ?? {}));
      expect(found).toEqual([...findBySets(tree, documents)].sort((a, b) => a - b));
    }),
    { numRuns: 2000 },
  );
});

/** A clause as text, in one of the ways to write it, and whether it holds: for each of 8 imagined documents. */
interface Written {
  readonly text: string;
  /** Bit n is set if document n has it. Documents are all combinations of having a, b, c. */
  readonly holds: number;
}

const everyDocument = 0xff;
const letters: readonly Written[] = [
  { text: 'f:a', holds: 0b10101010 },
  { text: 'f:"b"', holds: 0b11001100 },
  { text: 'f:(c)', holds: 0b11110000 },
];
const letterDocuments = Array.from({ length: 8 }, (_, n) => ({
  f: [...'abc'].filter((_letter, bit) => (n >> bit) & 1),
}));

const space = fc.constantFrom(' ', '  ', '\n', '\t ');
const sign = fc.constantFrom('', '+', '-', 'NOT ', '!');

/** Each level of the grammar as the page on the language tells it: NOT, then AND, then OR, then side by side. */
const written = fc.letrec<{ unit: Written; conjunction: Written; alternatives: Written; list: Written }>(
  (tie) => ({
    unit: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constantFrom(...letters),
      tie('list').map(({ text, holds }) => ({ text: `(${text})`, holds })),
    ),
    conjunction: fc
      .tuple(
        fc.array(fc.tuple(sign, tie('unit')), { minLength: 2, maxLength: 3 }),
        fc.constantFrom(' AND ', ' && '),
      )
      .map(([parts, glue]) => ({
        text: parts.map(([signed, { text }]) => signed + text).join(glue),
        holds: parts.reduce(
          (held, [signed, { holds }]) => held & (isNegative(signed) ? ~holds : holds),
          everyDocument,
        ),
      })),
    alternatives: fc
      .tuple(
        fc.array(fc.oneof(tie('unit'), tie('conjunction')), { minLength: 2, maxLength: 3 }),
        fc.constantFrom(' OR ', ' || '),
      )
      .map(([parts, glue]) => ({
        text: parts.map(({ text }) => text).join(glue),
        holds: parts.reduce((held, { holds }) => held | holds, 0),
      })),
    list: fc
      .tuple(
        fc.array(
          fc.oneof(
            fc.tuple(sign, tie('unit')),
            fc.tuple(fc.constant(''), fc.oneof(tie('conjunction'), tie('alternatives'))),
          ),
          { minLength: 1, maxLength: 4 },
        ),
        space,
      )
      .map(([clauses, glue]) => {
        const holding = (wanted: (signed: string) => boolean): number[] =>
          clauses.filter(([signed]) => wanted(signed)).map(([, { holds }]) => holds);
        const musts = holding((signed) => signed === '+');
        const shoulds = holding((signed) => signed === '');
        const base =
          musts.length > 0
            ? musts.reduce((x, y) => x & y)
            : shoulds.length > 0
              ? shoulds.reduce((x, y) => x | y)
              : everyDocument;
        const holds = holding(isNegative).reduce((x, y) => x & ~y, base) & everyDocument;
        return { text: clauses.map(([signed, { text }]) => signed + text).join(glue), holds };
      }),
  }),
).list;

function isNegative(signed: string): boolean {
  return signed !== '' && signed !== '+';
}

test('operators, signs and clauses side by side mean what the page on the language says', () => {
  fc.assert(
    fc.property(written, ({ text, holds }) => {
      const tree = parse(text);
      const found = letterDocuments.reduce(
        (bits, letterDocument, n) => bits | (matches(tree, letterDocument) ? 1 << n : 0),
        0,
      );
      expect(found, text).toBe(holds);
    }),
    { numRuns: 2000 },
  );
});

describe('garbage', () => {
  const pieces = fc.constantFrom(
    ...'()[]{}"\\:*?~^+-!&|/<> \u3000\u0000\ud800ab1',
    ' AND ',
    ' OR ',
    'NOT ',
    ' TO ',
    'a:',
    'a:[',
    'NOW-',
    '\\u',
    'type:',
    'a:(',
  );
  const soup = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));
  const garbage = fc.oneof(
    soup,
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.tuple(fieldName, valueText).map((parts) => parts.join(':')),
  );

  test('never throws, and an error lies inside the text', () => {
    fc.assert(
      fc.property(garbage, (text) => {
        for (const parser of [parseLucene, parseSort, parseFieldList]) {
          const parsed = parser(text);
          if (!isLuceneError(parsed)) continue;
          expect(parsed.position).toBeGreaterThanOrEqual(0);
          expect(parsed.position).toBeLessThanOrEqual(text.length);
          expect(parsed.message).not.toBe('');
        }
      }),
      { numRuns: 5000 },
    );
  });

  test('injected into a good query gives a query that can be printed, or an error', () => {
    fc.assert(
      fc.property(query, garbage, fc.nat(), (tree, injected, where) => {
        const text = printQuery(tree);
        const at = where % (text.length + 1);
        const parsed = parseLucene(text.slice(0, at) + injected + text.slice(at), { nowMs: testNowMs });
        if (!isLuceneError(parsed)) expect(parse(printQuery(parsed))).toEqual(parsed);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('the time to read a text', () => {
  const size = luceneLimits.textBytesMax;
  const fill = (unit: string): string => unit.repeat(Math.floor(size / unit.length));
  const parsers = () => [parseLucene, parseSort, parseFieldList];

  /** The least CPU time of several, in microseconds: the noise of other processes only adds. */
  function leastCpuUs(text: string): number {
    let leastUs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 6; round += 1) {
      const before = process.cpuUsage();
      for (const parser of parsers()) for (let n = 0; n < 4; n += 1) parser(text);
      const { user, system } = process.cpuUsage(before);
      leastUs = Math.min(leastUs, user + system);
    }
    return leastUs;
  }

  const plainText = `a:"${'x'.repeat(size - 4)}"`;

  test.each(
    [
      '(',
      '((a:1)',
      'a:(',
      'NOT ',
      '+-',
      '\\',
      'a:\\',
      '"',
      'a:"x" ',
      'a:[',
      'a:[1 TO ',
      '*',
      'a*',
      ' ',
      '\u3000',
      'a:NOW+1DAY',
      'a ',
      'a:1 OR ',
      '1',
      '0.',
      '2026-11-21T',
      '/',
      ',',
      'a.',
      '&&',
      'é',
    ].map((unit) => [unit]),
  )('made of %j alone is bounded by a multiple of a plain text of its size', (unit) => {
    const hostile = [
      fill(unit).slice(0, size),
      `a:${fill(unit).slice(0, size - 2)}`,
      `a:[${fill(unit).slice(0, size - 3)}`,
    ];
    const dearestUs = Math.max(...hostile.map(leastCpuUs));
    expect(dearestUs).toBeLessThan(40 * Math.max(leastCpuUs(plainText), 100));
  });

  test('of date math and numbers, which patterns read, is bounded too', () => {
    for (const value of [
      `NOW${'+1DAY'.repeat(3200)}`,
      `NOW${'+'.repeat(16_000)}`,
      '1'.repeat(16_000),
      `${'1'.repeat(8000)}e${'1'.repeat(7000)}`,
    ]) {
      expect(leastCpuUs(`a:[${value} TO *]`)).toBeLessThan(40 * Math.max(leastCpuUs(plainText), 100));
    }
  });
});
