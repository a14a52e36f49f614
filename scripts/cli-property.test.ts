import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../server/store/redis.testing.ts';
import { makeHome, Program } from './program.testing.ts';

let redis: TestRedis;
let home: ReturnType<typeof makeHome>;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());
beforeEach(() => {
  home = makeHome();
});
afterEach(() => home.remove());

const run = (...args: string[]) => new Program(['property', ...args], home.path).ended;

test('delete takes away one property and leaves the others, while a collector serves both', async () => {
  const server = new Program(['serve', '--port', '0', '--redis', redis.socketPath, '--open'], home.path);
  const [, url = ''] = await server.says(/listening on (http:[^\s;]+)/);
  const write = (property: string) =>
    fetch(`${url}/write?property=${property}`, {
      method: 'POST',
      body: JSON.stringify({ event: { type: 'view', seq: 1 }, session: { id: 's' }, visitor: { id: 'v' } }),
    });
  const documents = async (property: string) => {
    const reply = await fetch(`${url}/totals?property=${property}`);
    return ((await reply.json()) as { documents: number }).documents;
  };
  for (const property of ['a/gone', 'a/kept']) await write(property);
  const { code, stdout, stderr } = await run('delete', 'a/gone', '--yes', '--redis', redis.socketPath);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/crowdbeat: property a\/gone is deleted: \d+ keys\n/);
  expect([await documents('a/gone'), await documents('a/kept')]).toEqual([0, 1]);
  expect(await (await write('a/gone')).json()).toMatchObject({ accepted: 1, duplicates: 0 });
  expect(await documents('a/gone')).toBe(1);
  server.child.kill('SIGTERM');
  await server.ended;
});

test('the embedded Redis is started for it, and ended', async () => {
  const { code, stdout } = await run('delete', 'a/b', '--yes');
  expect(code).toBe(0);
  expect(stdout).toMatch(/started Redis[\s\S]*property a\/b is deleted: 0 keys/);
});

test.each<[string[], string]>([
  [['delete', 'a/b'], 'property delete: deletes all that is stored of a/b for good; say --yes'],
  [['delete', 'ab', '--yes'], 'property delete: needs account/property, got "ab"'],
  [['delete', '--yes'], 'property delete: needs account/property, got undefined'],
  [['drop', 'a/b', '--yes'], 'property: knows delete, got "drop"'],
])('property %j is refused with one sentence', async (args, message) => {
  const { code, stderr } = await run(...args);
  expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/^ {4}at /m);
  expect(code).toBe(1);
});
