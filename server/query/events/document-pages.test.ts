import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstValue } from './column-value.ts';
import { decodePage, encodePage, liftedFields, liftValues, putBack, withoutMarks } from './document-pages.ts';
import { isDocument, parseDocument } from './document-text.ts';
import { documentText } from './documents.testing.ts';
import { SegmentColumns } from './segment-columns.ts';

const id = '3e0a6b52-7f6d-4a8e-9d7c-5b1f00000001';

describe('values that are taken out of a document', () => {
  it('leave a control character, as drawn', () => {
    const text = `{"visitor":{"id":"${id}"},"n":1}`;
    expect(liftValues(text, parseDocument(text))).toBe('{"visitor":{"id":"\u0001"},"n":1}');
  });

  it('are put back from the columns to the same text, to the byte', () => {
    fc.assert(
      fc.property(fc.array(documentText, { minLength: 1, maxLength: 20 }), (texts) => {
        const columns = new SegmentColumns(liftedFields);
        const proven = texts.filter((text) => isDocument(parseDocument(text)));
        for (const [position, text] of proven.entries()) columns.addText(position, text);
        for (const [position, text] of proven.entries()) {
          const lifted = liftValues(text, parseDocument(text));
          const back = putBack(lifted, liftedFields.length, (i) =>
            firstValue(columns.column(liftedFields[i] as string, proven.length), position),
          );
          expect(back).toBe(text);
        }
      }),
    );
  });

  it('are found in the wrong place and put back all the same', () => {
    const text = `{"page":{"path":"/${id}"},"visitor":{"id":"${id}"}}`;
    const lifted = liftValues(text, parseDocument(text));
    expect(lifted).toBe(`{"page":{"path":"/\u0001"},"visitor":{"id":"${id}"}}`);
    expect(putBack(lifted, 1, () => id)).toBe(text);
  });

  it('what is no document keeps no control character that could be taken for one', () => {
    expect(withoutMarks('\u0001a\u0005\u0006')).toBe(' a \u0006');
  });
});

describe('a page', () => {
  it('comes back as it was', async () => {
    const texts = ['{"a":"ü"}', '{}', '{"b":[1,2]}'];
    expect(await decodePage(await encodePage(Buffer.from(texts.join('\n'))), 3)).toEqual(texts);
  });

  it('that holds another number of documents is refused', async () => {
    await expect(decodePage(await encodePage(Buffer.from('{}\n{}')), 3)).rejects.toThrow(
      'needs 3 documents, holds 2',
    );
  });
});
