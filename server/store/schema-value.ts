/**
 * What a declared type makes of an event's value. Types never reject an event: a value that doesn't fit is in the
 * document, is found by nobody who asks for the field, and is told apart here so that it can be counted.
 */
import type { IndexedField } from './schema-fields.ts';

export interface FieldValues {
  /** Keywords and words as texts; numbers and dates (epoch ms) as numbers. */
  readonly values: readonly (string | number)[];
  /** How many values didn't fit the field. */
  readonly misfits: number;
}

const nothing: FieldValues = { values: [], misfits: 0 };
/** Longer keywords are no keywords; the document keeps all of it. */
const keywordLengthMax = 512;
const isoDate = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2}))?$/;

/**
 * The values of a field in a document, at whatever depth arrays stand: `order.items.sku` is that of every item.
 * More than one only counts if the field is `multi`; otherwise the first that fits is taken, the others are misfits.
 */
export function fieldValues(document: unknown, field: IndexedField): FieldValues {
  const found: unknown[] = [];
  collect(document, field.name.split('.'), 0, found);
  if (found.length === 0) return nothing;
  const values: (string | number)[] = [];
  let misfits = 0;
  for (const one of found) {
    const value = fitting(one, field.kind);
    if (value === undefined || (!field.multi && values.length > 0)) misfits += 1;
    else values.push(value);
  }
  return { values, misfits };
}

function collect(value: unknown, names: readonly string[], at: number, found: unknown[]): void {
  if (Array.isArray(value)) for (const item of value) collect(item, names, at, found);
  else if (at === names.length) {
    if (value !== null && value !== undefined) found.push(value);
  } else if (typeof value === 'object' && value !== null) {
    const name = names[at] as string;
    if (Object.hasOwn(value, name)) collect((value as Record<string, unknown>)[name], names, at + 1, found);
  }
}

function fitting(value: unknown, kind: IndexedField['kind']): string | number | undefined {
  switch (kind) {
    case 'keyword':
      return textOf(value, keywordLengthMax);
    case 'text':
      return textOf(value, Number.POSITIVE_INFINITY);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
    case 'date':
      return dateOf(value);
    default:
      kind satisfies never;
      return undefined;
  }
}

/** Numbers and booleans are found as the texts that JSON writes for them. */
function textOf(value: unknown, lengthMax: number): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' && value.length <= lengthMax ? value : undefined;
}

function dateOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || !isoDate.test(value)) return undefined;
  const timeMs = Date.parse(value);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
