import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { toCsv } from './csv.ts';

describe('toCsv', () => {
  it('writes a line of names and a line per document, each ended by CRLF', () => {
    const documents = [{ event: { type: 'view', seq: 1 } }, { event: { type: 'click' }, bot: false }];
    expect(toCsv(documents, undefined)).toBe('event.type,event.seq,bot\r\nview,1,\r\nclick,,false\r\n');
  });

  it('quotes commas, quotes and line ends, and tells an empty text from a missing one', () => {
    const documents = [{ a: 'x,y', b: 'say "hi"', c: 'two\nlines', d: '', e: null }];
    expect(toCsv(documents, ['a', 'b', 'c', 'd', 'e'])).toBe(
      'a,b,c,d,e\r\n"x,y","say ""hi""","two\nlines","",\r\n',
    );
  });

  it('keeps the listed order, opens listed objects and keeps a column that no document fills', () => {
    const documents = [{ page: { path: '/a' } }, { page: { title: 'B' }, id: 2 }];
    expect(toCsv(documents, ['none', 'page', 'id'])).toBe(
      'none,page.path,page.title,id\r\n,/a,,\r\n,,B,2\r\n',
    );
  });

  it('puts several values of a field into one cell', () => {
    expect(toCsv([{ tags: ['a', 'b'], items: [{ n: 1 }, { n: 2 }] }], undefined)).toBe(
      'tags,items.n\r\n"a,b","1,2"\r\n',
    );
  });

  it('is a line of names alone without documents', () => {
    expect(toCsv([], ['a', 'b'])).toBe('a,b\r\n');
  });
});

/** Reads RFC 4180 by its grammar, character by character. */
function readCsv(text: string): string[][] {
  const lines: string[][] = [];
  let [line, cell, isQuoted]: [string[], string, boolean] = [[], '', false];
  for (let at = 0; at < text.length; at += 1) {
    const next = text[at];
    if (isQuoted && next === '"' && text[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (next === '"') isQuoted = !isQuoted;
    else if (!isQuoted && next === ',') [line, cell] = [[...line, cell], ''];
    else if (!isQuoted && next === '\r') {
      lines.push([...line, cell]);
      [line, cell] = [[], ''];
      at += 1;
    } else cell += next;
  }
  return lines;
}

test('whatever texts are written, the same are read', () => {
  const text = fc.string({ unit: fc.constantFrom('a', ',', '"', '\r', '\n', ' ', 'ü') });
  fc.assert(
    fc.property(fc.array(fc.record({ a: text, b: text })), (documents) => {
      expect(readCsv(toCsv(documents, ['a', 'b']))).toEqual([
        ['a', 'b'],
        ...documents.map(({ a, b }) => [a, b]),
      ]);
    }),
  );
});
