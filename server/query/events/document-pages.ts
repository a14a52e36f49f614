/**
 * Documents of a sealed segment: pages of 512 texts, one a line, compressed with brotli. Values that columns hold as
 * well, and that no compression shortens, are taken out of the texts and put back on reading.
 *
 * In the place of a value stands one control character, which never occurs in JSON text: 01 for the first of the
 * fields below, 02 for the second. Whatever text was replaced is what the column gives back, so it does not matter
 * where in the document it stood.
 *
 *   {"visitor":{"id":"3e0a6b52-7f6d-4a8e-9d7c-5b1f00000001"},"n":1}  ->  {"visitor":{"id":"<01>"},"n":1}
 *
 * A page of heartbeats costs 4 us an event to compress, in the threads of zlib.
 */
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import { type Document, pathOf } from '../../protocol/lucene/values-at.ts';
import type { Scalar } from './segment.ts';

const compress = promisify(brotliCompress) as (bytes: Uint8Array, options: object) => Promise<Buffer>;
const decompress = promisify(brotliDecompress) as (bytes: Uint8Array) => Promise<Buffer>;

export const pageEventsDefault = 512;

/** Not more than eight: 09 and 0A are white space. */
export const liftedFields: readonly string[] = [
  'visitor.id',
  'session.id',
  'session.start',
  'event.time',
  '_m1.receivedUTC',
];

const liftedPaths = liftedFields.map(pathOf);
const marks = liftedFields.map((_field, i) => String.fromCharCode(i + 1));
/** Shorter texts are found in the wrong places, and cost a page little. */
export const liftedLengthMin = 8;

/** The text without the values that go to columns. Only of texts that are a document's JSON. */
export function liftValues(text: string, document: Document): string {
  const cuts: Cut[] = [];
  for (const [field, path] of liftedPaths.entries()) {
    const value = scalarAt(document, path);
    if (value === undefined) continue;
    const written = String(value);
    if (written.length < liftedLengthMin) continue;
    const from = text.indexOf(written);
    if (from !== -1) insertCut(cuts, { from, to: from + written.length, field });
  }
  let lifted = '';
  let at = 0;
  for (const { from, to, field } of cuts) {
    lifted += text.slice(at, from) + marks[field];
    at = to;
  }
  return lifted + text.slice(at);
}

interface Cut {
  readonly from: number;
  readonly to: number;
  readonly field: number;
}

/** In the order of the text; one that overlaps another is left out: that value stays where it is. */
function insertCut(cuts: Cut[], cut: Cut): void {
  let at = cuts.length;
  while (at > 0 && (cuts[at - 1] as Cut).from > cut.from) at--;
  const before = cuts[at - 1];
  const after = cuts[at];
  if (before !== undefined && before.to > cut.from) return;
  if (after !== undefined && after.from < cut.to) return;
  cuts.splice(at, 0, cut);
}

/** A text or number, if there is one and no array is on the way. */
function scalarAt(document: Document, path: readonly string[]): string | number | undefined {
  let value: unknown = document;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Document)[name];
  }
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}

/** @param liftedValue the value that the column of this number among the lifted fields has for the event */
export function putBack(
  text: string,
  lifted: number,
  liftedValue: (field: number) => Scalar | undefined,
): string {
  let whole = text;
  for (let i = lifted - 1; i >= 0; i--) {
    const at = whole.indexOf(marks[i] ?? '');
    if (at !== -1) whole = whole.slice(0, at) + String(liftedValue(i)) + whole.slice(at + 1);
  }
  return whole;
}

/** What is no JSON may hold control characters; none of them shall be taken for a mark. */
export function withoutMarks(text: string): string {
  let clean = text;
  for (const mark of marks) clean = clean.replaceAll(mark, ' ');
  return clean;
}

/** @param bytes documents, one a line */
export function encodePage(bytes: Buffer): Promise<Buffer> {
  return compress(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 4,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}

/** Throws an Error that names what is wrong with the bytes. */
export async function decodePage(bytes: Buffer, count: number): Promise<readonly string[]> {
  const texts = (await decompress(bytes)).toString('utf8').split('\n');
  if (texts.length !== count) throw new Error(`page: needs ${count} documents, holds ${texts.length}`);
  return texts;
}
