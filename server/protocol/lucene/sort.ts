/** `sort`: which field goes first, and the order of documents that follows. */
import { pointOf, textOf } from './literal.ts';
import { type FieldNames, fieldOf, type LuceneError, luceneLimits } from './query.ts';
import { catchFault, type Scanner } from './scanner.ts';
import { compareText } from './text-order.ts';
import { type Document, pathOf, valuesAt } from './values-at.ts';

export interface SortSpec {
  readonly field: string;
  readonly direction: 'asc' | 'desc';
}

export interface SortOptions {
  /** The fields that there are; any other is refused. */
  readonly fields?: FieldNames;
}

/** Reads `_m1.receivedUTC desc, page.loadMs asc`. The direction must be given, in small letters. Never throws. */
export function parseSort(text: string, options: SortOptions = {}): readonly SortSpec[] | LuceneError {
  return catchFault(text, (scanner) => {
    const specs: SortSpec[] = [];
    do {
      if (specs.length === luceneLimits.sortFieldsMax) {
        scanner.fail(`a sort may have ${luceneLimits.sortFieldsMax} fields, and this is one more`);
      }
      specs.push(parseSpec(scanner, options.fields));
      scanner.skipSpace();
    } while (scanner.take(','));
    if (scanner.peek() !== undefined) scanner.fail('a comma must stand between two fields of a sort');
    return specs;
  });
}

function parseSpec(scanner: Scanner, fields: FieldNames | undefined): SortSpec {
  scanner.skipSpace();
  const { text, start, starred } = scanner.word(',');
  if (text === '' || starred) scanner.fail('a sort is written field asc, or field desc', start);
  const field = fieldOf(text);
  if (fields !== undefined && !fields.has(field)) {
    scanner.fail(`there is no field ${JSON.stringify(text.slice(0, 80))}`, start);
  }
  scanner.skipSpace();
  const directionAt = scanner.at;
  const direction = scanner.word(',').text;
  if (direction !== 'asc' && direction !== 'desc') {
    scanner.fail(`asc or desc must follow ${JSON.stringify(text.slice(0, 80))}`, directionAt);
  }
  return { field, direction };
}

/** What a field of a document sorts by; undefined if it has no value. */
export type SortKey = number | string | undefined;

/**
 * The order of documents: field by field. Numbers and dates (by value) stand before texts (by code point);
 * `desc` turns that round; documents without a value stand last either way. Of several values the lowest
 * counts ascending and the highest descending. Equal documents compare as 0, so a stable sort keeps them.
 */
export function compareBy(specs: readonly SortSpec[]): (a: Document, b: Document) => number {
  const keysOf = sortKeysBy(specs);
  const compare = compareKeysBy(specs);
  return (a, b) => compare(keysOf(a), keysOf(b));
}

/** The documents in that order, as a new list; looks into each document once, not once per comparison. */
export function sortDocuments<T extends Document>(documents: readonly T[], specs: readonly SortSpec[]): T[] {
  const keysOf = sortKeysBy(specs);
  const compare = compareKeysBy(specs);
  return documents
    .map((document) => ({ document, keys: keysOf(document) }))
    .sort((a, b) => compare(a.keys, b.keys))
    .map(({ document }) => document);
}

/** A document's keys, one per field of the sort. Whoever keeps the first rows of many needs no more than these. */
export function sortKeysBy(specs: readonly SortSpec[]): (document: Document) => readonly SortKey[] {
  const fields = specs.map(({ field, direction }) => ({ path: pathOf(field), direction }));
  return (document) => fields.map(({ path, direction }) => sortKeyOf(document, path, direction));
}

/** The order of what `sortKeysBy` gives. */
export function compareKeysBy(
  specs: readonly SortSpec[],
): (a: readonly SortKey[], b: readonly SortKey[]) => number {
  return (a, b) => {
    for (const [index, { direction }] of specs.entries()) {
      const order = compareKeys(a[index], b[index], direction);
      if (order !== 0) return order;
    }
    return 0;
  };
}

export function sortKeyOf(
  document: Document,
  path: readonly string[],
  direction: SortSpec['direction'],
): SortKey {
  let best: SortKey;
  for (const value of valuesAt(document, path)) {
    const key = pointOf(value) ?? textOf(value);
    if (compareKeys(key, best, direction) < 0) best = key;
  }
  return best;
}

export function compareKeys(a: SortKey, b: SortKey, direction: SortSpec['direction']): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  const order = compareGiven(a, b);
  return direction === 'asc' ? order : -order;
}

function compareGiven(a: number | string, b: number | string): number {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1;
  return typeof b === 'number' ? 1 : compareText(a, b);
}
