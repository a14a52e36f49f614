import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestCollector, type TestCollector } from '../server/main/collector.testing.ts';
import { withTwoHyphens } from './cli-query.ts';
import { makeHome, Program } from './program.testing.ts';

let own: TestCollector;
const home = makeHome();

beforeAll(async () => {
  own = await startTestCollector();
  await own.write(['view', 'view', 'click'].map((type) => ({ event: { type }, visitor: { id: 'ada' } })));
});
afterAll(async () => {
  await own.stop();
  home.remove();
});

const run = (...args: string[]) => new Program([...args, '-server', own.collector.url], home.path).ended;

test('query takes options with one hyphen, as the page of MinusOneDB writes them', async () => {
  const json = '{"facet":{"t":{"type":"terms","field":"type"}}}';
  const { code, stdout } = await run(
    'query',
    '-store',
    'index',
    '-q',
    '-type:x',
    '-rows',
    '1',
    '-json',
    json,
  );
  expect([code, JSON.parse(stdout)]).toMatchObject([
    0,
    {
      response: { numFound: 3, docs: [{ _m1key: '0-0' }] },
      facets: { t: { buckets: [{ val: 'view', count: 2 }, {}] } },
    },
  ]);
});

test('get shows events by their keys, and what is refused is said in the collector’s words', async () => {
  const got = await run('get', '0-2', '0-9');
  expect(JSON.parse(got.stdout)).toMatchObject({ docs: [{ event: { type: 'click' } }], missing: ['0-9'] });
  const { code, stderr } = await run('query', '-q', 'nope:1');
  expect([code, stderr]).toEqual([1, expect.stringContaining('there is no field "nope"')]);
});

test('other commands keep their words', () => {
  expect(withTwoHyphens(['sim', '-q', '5'])).toEqual(['sim', '-q', '5']);
  expect(withTwoHyphens(['query', '-q', '-a:*', '--rows', '5', '-x', '-fl'])).toEqual([
    'query',
    '--q=-a:*',
    '--rows=5',
    '-x',
    '-fl',
  ]);
});
