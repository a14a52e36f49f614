import { expect, test } from 'vitest';
import { limits } from './limits.ts';
import { formatPropertyName, parsePropertyName } from './property.ts';

test('account/property reads and writes back', () => {
  const name = parsePropertyName('shop/web site');
  expect(name).toEqual({ account: 'shop', property: 'web site' });
  expect(formatPropertyName(name as never)).toBe('shop/web site');
});

test('a property needs exactly two non-empty names within the limit', () => {
  const long = 'x'.repeat(limits.nameLengthMax + 1);
  for (const text of ['', 'shop', '/site', 'shop/', 'a/b/c', `${long}/site`, `shop/${long}`]) {
    expect(parsePropertyName(text), text).toBeUndefined();
  }
});
