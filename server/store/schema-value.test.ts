import { describe, expect, it } from 'vitest';
import type { IndexedField } from './schema-fields.ts';
import { fieldValues } from './schema-value.ts';

const field = (kind: IndexedField['kind'], multi = false, name = 'a.b'): IndexedField => ({
  name,
  kind,
  multi,
});
const of = (value: unknown, kind: IndexedField['kind'], multi = false) =>
  fieldValues({ a: { b: value } }, field(kind, multi));

describe('a value of a declared field', () => {
  it.each([
    ['keyword', 'x', ['x'], 0],
    ['keyword', 7, ['7'], 0],
    ['keyword', false, ['false'], 0],
    ['keyword', '', [], 1],
    ['keyword', 'x'.repeat(513), [], 1],
    ['keyword', { c: 1 }, [], 1],
    ['text', 'x'.repeat(513), ['x'.repeat(513)], 0],
    ['number', 7.5, [7.5], 0],
    ['number', '7.5', [], 1],
    ['number', Number.POSITIVE_INFINITY, [], 1],
    ['date', 1_795_280_000_000, [1_795_280_000_000], 0],
    ['date', '2026-11-21T17:05:09Z', [Date.UTC(2026, 10, 21, 17, 5, 9)], 0],
    ['date', '2026-11-21', [Date.UTC(2026, 10, 21)], 0],
    ['date', '2026-11-21T17:05:09', [], 1],
    ['date', '2026-13-01', [], 1],
    ['date', 'yesterday', [], 1],
    ['keyword', null, [], 0],
    ['keyword', undefined, [], 0],
  ] as const)('that is a %s: %j is indexed as %j, with %i misfits', (kind, value, values, misfits) => {
    expect(of(value, kind)).toEqual({ values, misfits });
  });

  it('may be several only where the field is declared so', () => {
    expect(of([1, 'x', 2], 'number', true)).toEqual({ values: [1, 2], misfits: 1 });
    expect(of(['x', 1, 2], 'number')).toEqual({ values: [1], misfits: 2 });
  });

  it('is found in every object of an array on the way', () => {
    const document = { order: { items: [{ sku: 'a' }, {}, { sku: 'b' }] } };
    expect(fieldValues(document, field('keyword', true, 'order.items.sku'))).toEqual({
      values: ['a', 'b'],
      misfits: 0,
    });
  });

  it('is not what an object inherits, and not a member with a dot in its name', () => {
    expect(fieldValues({ a: {} }, field('keyword', true, 'a.toString'))).toEqual({ values: [], misfits: 0 });
    expect(fieldValues({ 'a.b': 1 }, field('number'))).toEqual({ values: [], misfits: 0 });
  });
});
