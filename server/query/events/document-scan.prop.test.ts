import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstValue } from './column-value.ts';
import {
  decodePage,
  encodePage,
  liftedFields,
  liftedLengthMin,
  liftValues,
  putBack,
} from './document-pages.ts';
import { isDocument, parseDocument } from './document-text.ts';
import { documentText, testFields } from './documents.testing.ts';
import { PageWriter } from './page-writer.ts';
import { SegmentColumns } from './segment-columns.ts';
import { expectColumn } from './stored-events.testing.ts';

const fields = [...new Set([...testFields, ...liftedFields])];

/** Adds documents as they lie in a chunk; says of how many the shape was known. */
function added(
  texts: readonly string[],
  columns = new SegmentColumns(fields, liftedFields),
  from = 0,
): number {
  const bytes = Buffer.from(`before\n${texts.join('\n')}\nafter`);
  let known = 0;
  let at = 7;
  for (const [i, text] of texts.entries()) {
    const end = at + Buffer.byteLength(text);
    if (columns.add(from + i, bytes, at, end) === undefined) known++;
    at = end + 1;
  }
  return known;
}

/** How many of the second text's values were read without parsing, after the first was learned: all or none. */
const isKnown = (first: string, second: string): boolean => {
  const columns = new SegmentColumns(fields, liftedFields);
  const known = added([first, second], columns) === 1;
  for (const field of fields) expectColumn(columns.column(field, 2), [first, second], field);
  return known;
};

const one = '{"event":{"type":"a","time":1},"visitor":{"id":"v"}}';

describe('a document of a shape that was seen before', () => {
  it('gives the columns what parsing it gives', () => {
    fc.assert(
      fc.property(fc.array(documentText, { minLength: 1, maxLength: 12 }), (texts) => {
        const columns = new SegmentColumns(fields, liftedFields);
        const thrice = [...texts, ...texts, ...texts];
        added(thrice, columns);
        for (const field of fields) expectColumn(columns.column(field, thrice.length), thrice, field);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['other values', one, '{"event":{"type":"bc","time":-20.5},"visitor":{"id":""}}'],
    ['texts that are not ASCII', one, '{"event":{"type":"ü","time":1},"visitor":{"id":"\u{1f600}"}}'],
    ['numbers of 17 digits', one, '{"event":{"type":"a","time":52.519999999999996},"visitor":{"id":"v"}}'],
    ['arrays of as many', '{"page":{"path":["a",true,2]}}', '{"page":{"path":["b",true,0]}}'],
    [
      'null and booleans',
      '{"page":null,"a":false,"event":{"type":"x"}}',
      '{"page":null,"a":false,"event":{"type":"y"}}',
    ],
    ['white space', '{ "page" : {"path": "x" } } ', '{ "page" : {"path": "yy" } } '],
    [
      'names with dots',
      '{"visitor.id":"12345678","visitor":{"id":"abcdefgh"}}',
      '{"visitor.id":"1","visitor":{"id":"2"}}',
    ],
  ])('is not parsed: %s', (_name, first, second) => {
    expect(isKnown(first, second)).toBe(true);
  });

  it.each([
    ['another name', one, '{"event":{"type":"a","tame":1},"visitor":{"id":"v"}}'],
    ['another kind of value', one, '{"event":{"type":"a","time":"1"},"visitor":{"id":"v"}}'],
    ['an exponent', one, '{"event":{"type":"a","time":1e3},"visitor":{"id":"v"}}'],
    ['a backslash', one, '{"event":{"type":"\\u0061","time":1},"visitor":{"id":"v"}}'],
    ['something behind it', one, `${one}{}`],
    ['an end too early', one, '{"event":{"type":"a","time":1},"visitor":{"id":"v"}'],
    ['a leading zero', one, '{"event":{"type":"a","time":01},"visitor":{"id":"v"}}'],
    ['no digit after the point', one, '{"event":{"type":"a","time":1.},"visitor":{"id":"v"}}'],
    ['a sign alone', one, '{"event":{"type":"a","time":-},"visitor":{"id":"v"}}'],
    ['a control character', one, '{"event":{"type":"\u0001","time":1},"visitor":{"id":"v"}}'],
    ['a name twice', '{"event":{"type":"a","type":"b"}}', '{"event":{"type":"a","type":"b"}}'],
    ['no JSON', '{"event":{"type":"a"}', '{"event":{"type":"a"}'],
    ['no object', '["a"]', '["a"]'],
  ])('is parsed all the same: %s', (_name, first, second) => {
    expect(isKnown(first, second)).toBe(false);
  });

  it('may be one of more shapes than are learned', () => {
    const shapes = Array.from({ length: 1500 }, (_none, i) => `{"n${i}":1,"event":{"type":"t${i}"}}`);
    const columns = new SegmentColumns(fields, liftedFields);
    expect(added(shapes, columns)).toBe(0);
    const known = added(shapes, columns, shapes.length);
    expect(known).toBeGreaterThan(0);
    expect(known).toBeLessThan(shapes.length);
    expectColumn(columns.column('event.type', 3000), [...shapes, ...shapes], 'event.type');
  });
});

describe('the pages of such documents', () => {
  it('come back to the byte, with values taken out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(documentText, { minLength: 1, maxLength: 8 }), async (some) => {
        const proven = some.filter((text) => isDocument(parseDocument(text)));
        const texts = [...proven, ...proven];
        fc.pre(texts.length > 0);
        const columns = new SegmentColumns(fields, liftedFields);
        const page = new PageWriter();
        for (const [position, text] of texts.entries()) {
          const bytes = Buffer.from(text);
          const parsed = columns.add(position, bytes, 0, bytes.length);
          if (parsed === undefined)
            page.addBytes(bytes, 0, bytes.length, columns.liftedPlaces(liftedLengthMin));
          else page.addText(liftValues(parsed.text, parsed.document));
        }
        const lifted = await decodePage(await encodePage(page.take()), texts.length);
        const back = lifted.map((text, position) =>
          putBack(text, liftedFields.length, (i) =>
            firstValue(columns.column(liftedFields[i] as string, texts.length), position),
          ),
        );
        expect(back).toEqual(texts);
      }),
    );
  });

  it('hold no id of a known shape', () => {
    const text = (n: number): string =>
      `{"visitor":{"id":"3e0a6b52-7f6d-4a8e-9d7c-5b1f0000000${n}"},"event":{"time":179526421500${n}}}`;
    const columns = new SegmentColumns(fields, liftedFields);
    added([text(1)], columns);
    const page = new PageWriter();
    const bytes = Buffer.from(text(2));
    expect(columns.add(1, bytes, 0, bytes.length)).toBeUndefined();
    page.addBytes(bytes, 0, bytes.length, columns.liftedPlaces(liftedLengthMin));
    expect(page.take().toString()).toBe('{"visitor":{"id":"\u0001"},"event":{"time":\u0004}}');
    expect(page.documents).toBe(0);
  });

  it('grow as large as they must', () => {
    const page = new PageWriter();
    const long = `{"a":"${'ü'.repeat(200_000)}"}`;
    page.addText(long);
    page.addBytes(Buffer.from(long), 0, Buffer.byteLength(long), []);
    expect(page.take().toString()).toBe(`${long}\n${long}`);
  });
});
