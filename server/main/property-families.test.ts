import { afterEach, expect, test } from 'vitest';
import { deleteProperty } from '../store/delete-property.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';

let collector: TestCollector | undefined;
afterEach(() => collector?.stop());

const headers = { 'content-type': 'application/json', 'x-crowdbeat-property': 'shop/all' };

/** Every key of the property, found by its hash tag and not by what any list of ours says. */
async function keysOf(test: TestCollector, tag: string): Promise<string[]> {
  const found: string[] = [];
  let cursor = '0';
  do {
    const args = [cursor, 'MATCH', '*', 'COUNT', '1000'];
    const [next, keys] = (await test.redis.connection.call('SCAN', args)) as [string, string[]];
    cursor = next;
    found.push(...keys.filter((key) => key.startsWith(`${tag}::`)));
  } while (cursor !== '0');
  return found;
}

/** `{shop::all}::user:u1::visitors` is of the family `user:*::visitors`. */
const familyOf = (key: string): string =>
  key
    .slice('{shop::all}::'.length)
    .replace(/^(\d{4}-\d\d-\d\d)/, 'DAY')
    .replace(/::\d{4}(-\d\d)*$/, '::TIME')
    .replace(/session_(?!index|stores).*/, 'session_*')
    .replaceAll(/(?<=:)(?!:)[^:]*\d[^:]*/g, '*');

test('a property with keys of every kind leaves none when it is deleted', async () => {
  collector = await startTestCollector();
  const post = (path: string, body: object, more: Record<string, string> = {}) =>
    fetch(collector?.collector.url + path, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: JSON.stringify(body),
    });
  const session = { id: 's1' };
  const visitor = { id: 'v1' };
  const source = { name: 'mail', campaign: 'c1' };
  const items = [
    { event: { type: 'view', seq: 1 }, session, visitor, source },
    { event: { type: 'signup', seq: 2 }, session, visitor, user: { id: 'u1' } },
    { event: { type: 'login', seq: 3 }, session, visitor, user: { id: 'u1' } },
    { event: { type: 'view', id: 'e1' }, visitor },
  ];
  expect((await post('/write', { items })).status).toBe(200);
  const bot = { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' };
  expect((await post('/write', { event: { type: 'view' }, visitor: { id: 'b1' }, source }, bot)).status).toBe(
    200,
  );
  const families = new Set((await keysOf(collector, '{shop::all}')).map(familyOf));
  for (const family of [
    'generation',
    'totals',
    'registry',
    'ids',
    'all',
    'vid:*',
    'sess::*',
    'DAY::session_*',
  ])
    expect([...families]).toContain(family);
  for (const family of ['evt:view::TIME', 'session_index::TIME', 'eids::TIME', 'seg:*::docs', 'seg:*::dir'])
    expect([...families]).toContain(family);
  for (const family of ['bot:view::TIME', 'user:*', 'user:*::visitors', 'visitor:*::users'])
    expect([...families]).toContain(family);
  await deleteProperty(collector.redis.connection, { account: 'shop', property: 'all' });
  expect(await keysOf(collector, '{shop::all}')).toEqual([]);
});
