import { expect, test } from 'vitest';
import { decodeChunk, encodeChunk } from './chunk.ts';

const documents = (count: number) =>
  Array.from({ length: count }, (_none, i) => JSON.stringify({ n: i, text: 'grüße ✓'.repeat(5) }));

test('the worked example of the file head', () => {
  expect(encodeChunk(['{"a":1}', '{}']).toString('hex')).toBe('0000027b2261223a317d0a7b7d');
});

test('chunks of any size give back their documents, small ones raw and others deflated', () => {
  for (const count of [1, 3, 4, 150]) {
    const chunk = encodeChunk(documents(count));
    expect(decodeChunk(chunk)).toEqual(documents(count));
    expect(chunk[0]).toBe(count < 4 ? 0 : 1);
  }
});

test('a line break between the tokens of a document does not become a border of documents', () => {
  expect(decodeChunk(encodeChunk(['{\n"a":1}', '{}']))).toEqual(['{ "a":1}', '{}']);
});

test('bytes that are no chunk are refused with a reason', () => {
  expect(() => decodeChunk(Buffer.from([0, 0]))).toThrow('needs at least 3 bytes, has 2');
  expect(() => decodeChunk(Buffer.from([7, 0, 1, 65]))).toThrow('codec must be 0 or 1, is 7');
  expect(() => decodeChunk(Buffer.from([0, 0, 2, 65]))).toThrow('says 2 documents, holds 1');
});
