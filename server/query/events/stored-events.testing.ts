/** Segments made of given documents in a real Redis, and what they must show: what `valuesAt` finds in the texts. */
import { expect } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { pathOf, valuesAt } from '../../protocol/lucene/values-at.ts';
import type { PropertyName } from '../../protocol/property.ts';
import type { RedisConnection } from '../../store/connection.ts';
import { PropertyKeys } from '../../store/keys.ts';
import { testEvent } from '../../store/redis.testing.ts';
import { PropertyStore } from '../../store/store.ts';
import { parseDocument } from './document-text.ts';
import type { Column, Scalar, Segment } from './segment.ts';
import { readUuid, uuidWords } from './uuid-words.ts';

export const segmentEvents = 65_536;

/** Commits the documents, some at a time, so that the last of them has the ordinal before `endOrdinal`. */
export async function storeDocuments(
  connection: RedisConnection,
  property: PropertyName,
  texts: readonly string[],
  endOrdinal: number,
): Promise<void> {
  const { totals } = new PropertyKeys(property);
  await connection.call('HSET', [totals, 'ordinals', String(endOrdinal - texts.length)]);
  await appendDocuments(connection, property, texts);
}

export async function appendDocuments(
  connection: RedisConnection,
  property: PropertyName,
  texts: readonly string[],
): Promise<void> {
  const store = new PropertyStore(connection, property, { clock: systemClock });
  const sizes = [1, 7, 64, 3];
  for (let at = 0, commit = 0; at < texts.length; commit++) {
    const size = sizes[commit % sizes.length] as number;
    await store.commit(texts.slice(at, at + size).map((json) => testEvent({ json })));
    at += size;
  }
}

/** All values of an event, the first one first. */
export function valuesOf(column: Column | undefined, position: number): Scalar[] {
  if (column === undefined) return [];
  if (column.kind === 'uuid') {
    const text = readUuid(column.words, position * uuidWords);
    return text === undefined ? [] : [text];
  }
  if (column.kind === 'number') {
    const value = column.values[position] as number;
    return Number.isNaN(value) ? [] : [value];
  }
  const code = column.codes[position] as number;
  const codes = code === 0 ? [] : [code, ...(column.more.get(position) ?? [])];
  return codes.map((each) => column.values[each - 1] as Scalar);
}

/** As a column shows them: each once, and no difference between 0 and -0. */
export function expectedValues(text: string, field: string): Scalar[] {
  const values = valuesAt(parseDocument(text), pathOf(field)) as Scalar[];
  return [...new Set(values)].map((value) => (value === 0 ? 0 : value));
}

/** Holds a column against the texts, its counts included. */
export function expectColumn(column: Column | undefined, texts: readonly string[], field: string): void {
  const expected = texts.map((text) => expectedValues(text, field));
  expect(texts.map((_text, position) => valuesOf(column, position))).toEqual(expected);
  expect(column === undefined).toBe(expected.every((values) => values.length === 0));
  if (column === undefined || column.kind !== 'dictionary') return;
  const counts = new Map<Scalar, number>();
  for (const values of expected) for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  expect(column.codes).toHaveLength(texts.length);
  expect(new Map(column.values.map((value, i) => [value, column.counts[i] as number]))).toEqual(counts);
  expect(column.counts).toHaveLength(column.values.length);
}

/** Holds all that a segment shows against the texts. */
export async function expectSegment(
  segment: Segment | undefined,
  texts: readonly string[],
  fields: readonly string[],
): Promise<void> {
  expect(segment?.count).toBe(texts.length);
  if (segment === undefined) return;
  const positions = texts.map((_text, position) => position).reverse();
  const documents = texts.map(parseDocument).reverse();
  expect(await segment.documents(positions)).toEqual(documents);
  for (const field of fields) expectColumn(await segment.column(field), texts, field);
}
