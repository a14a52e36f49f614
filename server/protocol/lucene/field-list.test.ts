import { describe, expect, it } from 'vitest';
import { parseFieldList, project } from './field-list.ts';
import { isLuceneError, luceneLimits } from './query.ts';

const document = {
  event: { type: 'view', data: { a: 1 } },
  page: { path: '/x', title: 'X' },
  items: [{ price: 1, name: 'x' }, { name: 'y' }, 5],
  gone: null,
};

function shown(text: string): unknown {
  const list = parseFieldList(text);
  if (isLuceneError(list)) throw new Error(list.message);
  return project(document, list);
}

describe('a field list', () => {
  it.each([
    ['*', document],
    ['event.type,*', document],
    ['event.type', { event: { type: 'view' } }],
    ['type', { event: { type: 'view' } }],
    ['page.*', { page: { path: '/x', title: 'X' } }],
    ['page', { page: { path: '/x', title: 'X' } }],
    ['page.title event.type', { event: { type: 'view' }, page: { title: 'X' } }],
    ['event.data.a , event', { event: { type: 'view', data: { a: 1 } } }],
    ['event,event.data.a', { event: { type: 'view', data: { a: 1 } } }],
    ['items.price', { items: [{ price: 1 }] }],
    ['gone', { gone: null }],
    ['event.type.length', {}],
    ['page.none,none,__proto__,constructor', {}],
  ])('%s shows these', (text, kept) => {
    expect(shown(text)).toEqual(kept);
  });

  it.each([
    ['', 0, 'a field is missing'],
    ['a,', 2, 'must follow the comma'],
    [',a', 0, 'is written'],
    ['a,,b', 2, 'is written'],
    ['pa*', 0, 'whole members'],
    ['p*ge', 1, 'at the end'],
    ['a(b)', 1, 'is written'],
  ])('"%s" is refused at position %d', (text, position, rule) => {
    const message = expect.stringContaining(rule);
    expect(parseFieldList(text)).toMatchObject({ kind: 'error', position, message });
  });

  it('has a limit of names', () => {
    const names = Array.from({ length: luceneLimits.listedFieldsMax }, (_, index) => `f${index}`);
    expect(parseFieldList(names.join(' '))).toEqual(names);
    expect(parseFieldList([...names, 'more'].join(' '))).toMatchObject({
      kind: 'error',
      message: expect.stringContaining('256 names'),
    });
  });

  it('is refused if it names a field that there is not', () => {
    const options = { fields: new Set(['event.type']) };
    expect(parseFieldList('type,page.*', options)).toEqual(['event.type', 'page']);
    expect(parseFieldList('type,typo', options)).toMatchObject({ kind: 'error', position: 5 });
  });

  it('gives a member called __proto__ as data, and reaches no prototype with it', () => {
    const hostile = JSON.parse('{"__proto__":{"polluted":1},"a":1}') as Record<string, unknown>;
    const kept = project(hostile, ['__proto__', 'a']);
    expect(JSON.stringify(kept)).toBe('{"__proto__":{"polluted":1},"a":1}');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});
