import { expect, it } from 'vitest';
import { hasAccountRight, hasRight, parseRights, type Rights, shownRights } from './rights.ts';

it('a list is for every property, and is shown as a list again', () => {
  const rights = parseRights('["publish","get","publish"]') as Rights;
  expect(rights).toEqual({ '*': ['publish', 'get'] });
  expect(shownRights(rights)).toEqual(['publish', 'get']);
});

it('an object is by property, and is shown as it is', () => {
  const rights = parseRights('{"site":["publish"],"*":["sessionSearch"]}') as Rights;
  expect(shownRights(rights)).toEqual({ site: ['publish'], '*': ['sessionQuery'] });
  expect(hasRight(rights, 'site', 'publish')).toBe(true);
  expect(hasRight(rights, 'blog', 'publish')).toBe(false);
  expect(hasRight(rights, 'blog', 'sessionQuery')).toBe(true);
});

it('admin includes the rest, of its property or of the account', () => {
  const rights = parseRights('{"site":["admin"]}') as Rights;
  expect(hasRight(rights, 'site', 'publish')).toBe(true);
  expect(hasRight(rights, 'blog', 'publish')).toBe(false);
  expect(hasAccountRight(rights, 'admin')).toBe(false);
});

it('names that every object has are no rights and no properties', () => {
  for (const json of ['{}', '[]', '{"__proto__":["admin"]}', '{"constructor":["admin"]}']) {
    const rights = parseRights(json) as Rights;
    for (const name of ['toString', 'hasOwnProperty', 'site']) {
      expect(hasRight(rights, name, 'admin')).toBe(false);
      expect(hasRight(rights, 'site', name)).toBe(false);
    }
  }
  expect(hasRight(parseRights('{"__proto__":["get"]}') as Rights, '__proto__', 'get')).toBe(true);
});

it.each([
  '',
  'publish',
  '1',
  'null',
  '"publish"',
  '{"site":"publish"}',
  '{"a/b":[]}',
  '{"":[]}',
  '["a b"]',
  '[1]',
  '[null]',
  `["${'x'.repeat(65)}"]`,
  '["1x"]',
])('%s is refused with the rule', (json) => expect(parseRights(json)).toMatch(/^rights: /));
