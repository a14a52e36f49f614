import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ColumnBuilder } from './column-builder.ts';
import { decodeColumn, encodeColumn } from './column-codec.ts';
import { documentText, testFields } from './documents.testing.ts';
import type { Column, Scalar } from './segment.ts';
import { SegmentColumns } from './segment-columns.ts';
import { expectColumn, valuesOf } from './stored-events.testing.ts';

function addBytes(columns: SegmentColumns, position: number, text: string): void {
  const bytes = Buffer.from(text);
  columns.add(position, bytes, 0, bytes.length);
}

function columnsOf(texts: readonly string[]): SegmentColumns {
  const columns = new SegmentColumns(testFields);
  for (const [position, text] of texts.entries()) addBytes(columns, position, text);
  return columns;
}

const uuidOf = (n: number): string => `3e0a6b52-7f6d-4a8e-9d7c-${(n + 1).toString(16).padStart(12, '0')}`;

function built(values: readonly (Scalar | readonly Scalar[] | undefined)[]): ColumnBuilder {
  const builder = new ColumnBuilder();
  for (const [position, value] of values.entries())
    for (const each of value === undefined ? [] : Array.isArray(value) ? value : [value])
      builder.add(position, each);
  return builder;
}

const shownValues = (column: Column | undefined, count: number): Scalar[][] =>
  Array.from({ length: count }, (_none, position) => valuesOf(column, position));

const numbers = (count: number): number[] => Array.from({ length: count }, (_none, i) => i * 1.5);
const uuids = (count: number): string[] => Array.from({ length: count }, (_none, i) => uuidOf(i));

describe('columns', () => {
  it('show what valuesAt finds, of all documents and of the first few', () => {
    fc.assert(
      fc.property(fc.array(documentText, { minLength: 1, maxLength: 30 }), fc.nat(30), (texts, cut) => {
        const columns = columnsOf(texts);
        for (const count of [Math.min(cut, texts.length), texts.length])
          for (const field of testFields)
            expectColumn(columns.column(field, count), texts.slice(0, count), field);
      }),
    );
  });

  it('stay as they were shown while the segment grows', () => {
    fc.assert(
      fc.property(fc.array(documentText, { minLength: 2, maxLength: 30 }), fc.nat(28), (texts, cut) => {
        const count = 1 + (cut % (texts.length - 1));
        const columns = columnsOf(texts.slice(0, count));
        const before = testFields.map((field) => columns.column(field, count));
        for (let at = count; at < texts.length; at++) addBytes(columns, at, texts[at] as string);
        for (const [i, field] of testFields.entries()) expectColumn(before[i], texts.slice(0, count), field);
      }),
    );
  });

  it('come back from their bytes as they were', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(documentText, { maxLength: 30 }), async (texts) => {
        const columns = columnsOf(texts);
        for (const field of testFields) {
          const column = columns.column(field, texts.length);
          expect(await decodeColumn(await encodeColumn(column))).toEqual(column);
        }
      }),
    );
  });
});

describe('the kind of a column', () => {
  it.each([
    ['255 distinct numbers', numbers(255), 'dictionary'],
    ['256 distinct numbers', numbers(256), 'number'],
    ['256 distinct numbers and none', [...numbers(256), undefined], 'number'],
    ['many equal numbers', Array.from({ length: 3000 }, (_none, i) => i % 255), 'dictionary'],
    ['numbers and one text', [...numbers(300), '7'], 'dictionary'],
    ['numbers and an event with two', [...numbers(300), [1, 2]], 'dictionary'],
    ['numbers and an event with the same twice', [...numbers(300), [1, 1]], 'number'],
    ['1,024 distinct uuids', uuids(1024), 'dictionary'],
    ['1,025 distinct uuids', uuids(1025), 'uuid'],
    ['uuids and one in capitals', [...uuids(1100), uuidOf(5000).toUpperCase()], 'dictionary'],
    ['uuids and the nil one', [...uuids(1100), '00000000-0000-0000-0000-000000000000'], 'dictionary'],
    ['uuids and a boolean', [true, ...uuids(1100)], 'dictionary'],
    ['an event with two and many uuids', [uuids(2), ...uuids(1100)], 'dictionary'],
  ] as const)('of %s follows from the values', async (_name, values, kind) => {
    const count = values.length;
    const column = built(values).column(count);
    expect(column?.kind).toBe(kind);
    const expected = values.map((value) =>
      value === undefined ? [] : Array.isArray(value) ? [...new Set(value)] : [value],
    );
    expect(shownValues(column, count)).toEqual(expected);
    expect(await decodeColumn(await encodeColumn(column))).toEqual(column);
  });

  it('may be another for the first events than for all, with the same values', () => {
    const builder = built([...numbers(300), 'text']);
    expect(shownValues(builder.column(300), 300)).toEqual(numbers(300).map((number) => [number]));
  });
});

describe('numbers', () => {
  it('come back exactly, whole or not, near or far apart, and as none', async () => {
    const number = fc.oneof(fc.constant(Number.NaN), fc.integer(), fc.double(), fc.maxSafeInteger());
    const base = fc.constantFrom(0, 1_795_264_215_000, -5, Number.MAX_SAFE_INTEGER - 2 ** 32);
    const near = fc.tuple(base, fc.array(fc.nat(2 ** 31 - 1))).map(([b, all]) => all.map((n) => b + 2 * n));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.array(number), near), async (values) => {
        const column: Column = { kind: 'number', values: Float64Array.from(values) };
        expect(await decodeColumn(await encodeColumn(column))).toEqual(column);
      }),
    );
  });

  it.each([
    ['that span 32 bits', [0, 0xfffffffe], 2],
    ['that span one more', [0, 0xffffffff], 3],
    ['of which one has a fraction', [0, 0.5], 3],
  ])('%s are stored as kind %3$s', async (_name, values, kind) => {
    const bytes = await encodeColumn({ kind: 'number', values: Float64Array.from(values) });
    expect(bytes[1]).toBe(kind);
    expect(await decodeColumn(bytes)).toEqual({ kind: 'number', values: Float64Array.from(values) });
  });

  it('know their range, and dates theirs', () => {
    expect(built([3, -2, undefined, 'x']).range).toEqual({ min: -2, max: 3 });
    const dates = built(['2026-11-21', '2026-11-20T00:00:00Z', true]);
    expect(dates.range).toEqual({ min: Date.UTC(2026, 10, 20), max: Date.UTC(2026, 10, 21) });
    expect(built(['x', true]).range).toBeUndefined();
  });
});

describe('bytes that are no column', () => {
  it.each([
    ['nothing', []],
    ['another version', [2, 0]],
    ['another kind', [1, 9]],
  ])('are refused: %s', async (_name, bytes) => {
    await expect(decodeColumn(Buffer.from(bytes))).rejects.toThrow(/column: /);
  });

  it('are refused: a dictionary that was cut off', async () => {
    const column = built(['a', 'b']).column(2);
    const bytes = await encodeColumn(column);
    await expect(decodeColumn(bytes.subarray(0, bytes.length - 2))).rejects.toThrow();
  });

  it('the drawing of a uuid is true', async () => {
    const column: Column = { kind: 'uuid', words: new Uint32Array([0x3e0a6b52, 0x7f6d4a8e, 0x9d7c5b1f, 1]) };
    const bytes = await encodeColumn(column);
    expect(bytes.toString('hex')).toBe('01043e0a6b527f6d4a8e9d7c5b1f00000001');
    expect(valuesOf(column, 0)).toEqual(['3e0a6b52-7f6d-4a8e-9d7c-5b1f00000001']);
  });
});
