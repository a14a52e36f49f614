import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readFsync, resolveServeOptions } from './cli-serve.ts';
import { lives, makeHome, Program, until } from './program.testing.ts';
import { withoutPassword } from './stack.ts';

let home: ReturnType<typeof makeHome>;

beforeEach(() => {
  home = makeHome();
});

afterEach(() => home.remove());

const serve = (...args: string[]): Program => new Program(['serve', ...args], home.path);

test('SIGTERM drains and exits 0, and the Redis it started is gone', async () => {
  const server = serve('--port', '0');
  const [, url = ''] = await server.says(/listening on (http:\S+);/);
  const [, redis = ''] = await server.says(/Redis [\d.]+ \(process (\d+)/);
  const event = { event: { type: 'view', seq: 1 }, session: { id: 's' }, visitor: { id: 'v' } };
  const reply = await fetch(`${url}/write`, { method: 'POST', body: JSON.stringify(event) });
  expect(await reply.json()).toMatchObject({ durability: 'stored', accepted: 1 });
  server.child.kill('SIGTERM');
  const { code, stdout } = await server.ended;
  expect(stdout).toMatch(/SIGTERM: finishing what is in flight/);
  expect(code).toBe(0);
  await until('Redis is gone', () => !lives(Number(redis)));
});

test('what was written is there after a restart', async () => {
  for (const expected of [0, 1]) {
    const server = serve('--port', '0');
    const [, url = ''] = await server.says(/listening on (http:\S+);/);
    const totals = (await (await fetch(`${url}/totals`)).json()) as { documents: number };
    expect(totals.documents).toBe(expected);
    if (expected === 0) {
      const event = { event: { type: 'view' }, visitor: { id: 'v' } };
      await fetch(`${url}/write`, { method: 'POST', body: JSON.stringify(event) });
    }
    server.child.kill('SIGTERM');
    await server.ended;
  }
});

test('a port that is taken is named, with the remedy, and nothing stays behind', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const port = String((other.address() as AddressInfo).port);
  const server = serve('--port', port);
  const { code, stderr, stdout } = await server.ended;
  other.close();
  expect(stderr).toContain(`port ${port} on 127.0.0.1 is in use; choose another with --port`);
  expect(code).toBe(1);
  const [, redis = '0'] = /Redis [\d.]+ \(process (\d+)/.exec(stdout) ?? [];
  expect(lives(Number(redis))).toBe(false);
});

test.each<[string[], RegExp]>([
  [['--port', '70000'], /--port: needs a whole number from 0 to 65535, got "70000"/],
  [['--port', 'http'], /--port: needs a whole number from 0 to 65535, got "http"/],
  [['--redis', 'redis://127.0.0.1:9'], /Redis .*127\.0\.0\.1:9/],
  [['--data-dir', '/dev/null/redis'], /\/dev\/null\/redis can't be its data directory/],
  [['--open', '--closed'], /--open, --closed: only one of them can be/],
  [['--nonsense'], /Unknown argument: nonsense/],
])('serve %j is refused with one sentence', async (args, message) => {
  const { code, stderr } = await serve(...args).ended;
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ {4}at /m);
  expect(code).toBe(1);
});

test('the options have defaults, and REDIS_URL is used unless --redis says otherwise', () => {
  const environment = { REDIS_URL: 'redis://127.0.0.1:7000', CROWDBEAT_HOME: '/tmp/a-home' };
  expect(resolveServeOptions({}, environment)).toMatchObject({
    port: 7070,
    host: '127.0.0.1',
    redisUrl: 'redis://127.0.0.1:7000',
  });
  expect(resolveServeOptions({ redis: '/tmp/a.sock' }, environment).redisUrl).toBe('/tmp/a.sock');
  expect(resolveServeOptions({}, { REDIS_URL: '', CROWDBEAT_HOME: '/tmp/a-home' })).toMatchObject({
    redisUrl: undefined,
    dataDir: '/tmp/a-home/.crowdbeat/redis',
  });
  expect(readFsync(undefined)).toBe('everysec');
});

test('credentials in a Redis URL are not shown', () => {
  expect(withoutPassword('redis://user:secret@127.0.0.1:6379/0')).toBe('redis://…@127.0.0.1:6379/0');
});
