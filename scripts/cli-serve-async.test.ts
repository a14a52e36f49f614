import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveServeOptions } from './cli-serve.ts';
import { makeHome, Program } from './program.testing.ts';

let home: ReturnType<typeof makeHome>;

beforeEach(() => {
  home = makeHome();
});

afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    // One that a test has ended is not there any more; one whose test failed is.
    child.kill('SIGTERM');
    await ended;
  }
  home.remove();
});

const started: Program[] = [];

function serve(...args: string[]): Program {
  const server = new Program(['serve', '--port', '0', ...args], home.path);
  started.push(server);
  return server;
}

async function listening(server: Program): Promise<string> {
  const [, url = ''] = await server.says(/listening on (http:[^\s;]+)/);
  return url;
}

test('SIGTERM stores everything that was acknowledged as queued', async () => {
  const server = serve();
  const url = await listening(server);
  const events = Array.from({ length: 1000 }, (_none, i) => ({
    event: { type: i % 100 === 0 ? 'login' : 'view', seq: i + 1 },
    session: { id: 's' },
    visitor: { id: `v${i}` },
    user: { id: `u${i}` },
  }));
  const writes = [events.slice(0, 500), events.slice(500)].map((items) =>
    fetch(`${url}/write?async=true`, { method: 'POST', body: JSON.stringify(items) }).then((reply) =>
      reply.json(),
    ),
  );
  for (const reply of await Promise.all(writes))
    expect(reply).toMatchObject({ durability: 'queued', accepted: 500 });
  server.child.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);

  const again = serve();
  const urlAgain = await listening(again);
  const ask = async (path: string): Promise<unknown> => (await fetch(urlAgain + path)).json();
  expect(await ask('/totals')).toMatchObject({ documents: 1000, byType: { view: 990, login: 10 } });
  expect(await ask('/user-record?id=u900')).toMatchObject({ id: 'u900' });
  again.child.kill('SIGTERM');
  await again.ended;
});

test('--event-age and --event-ahead reach every process of the collector', async () => {
  const server = serve('--event-age', '400d', '--event-ahead', '2h', '--workers', '2');
  const url = await listening(server);
  const nowMs = Date.parse((await fetch(`${url}/ping`)).headers.get('date') ?? '');
  const days = [-399, -401, 1 / 24];
  for (const [i, day] of days.entries()) {
    const event = { event: { type: 'view', time: nowMs + day * 86_400_000 }, visitor: { id: `v${i}` } };
    const headers = { connection: 'close' };
    for (let process = 0; process < 2; process++)
      await fetch(`${url}/write`, { method: 'POST', headers, body: JSON.stringify(event) });
  }
  const count = async (timeMs: number): Promise<unknown> => {
    const bucket = new Date(timeMs).toISOString().slice(0, 10);
    return (await fetch(`${url}/count?event=view&bucket=${bucket}`)).json();
  };
  expect(await count(nowMs - 399 * 86_400_000)).toEqual({ count: 1 });
  expect(await count(nowMs - 401 * 86_400_000)).toEqual({ count: 0 });
  server.child.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
});

test.each<[{ eventAge?: string; eventAhead?: string }, RegExp]>([
  [{ eventAge: '400' }, /--event-age: needs a duration such as 5m or 400d, at most 36525d, got "400"/],
  [{ eventAge: '36526d' }, /--event-age: needs a duration/],
  [{ eventAhead: '-5m' }, /--event-ahead: needs a duration .* got "-5m"/],
])('%j is refused with one sentence', (args, message) => {
  expect(() => resolveServeOptions(args, {})).toThrow(message);
});

test('limits of event times are in milliseconds, and only those that were named', () => {
  expect(resolveServeOptions({ eventAge: '400d' }, {}).timeLimits).toEqual({ ageMs: 34_560_000_000 });
  expect(resolveServeOptions({ eventAhead: '1.5m' }, {}).timeLimits).toEqual({ aheadMs: 90_000 });
  expect(resolveServeOptions({}, {}).timeLimits).toEqual({});
});

test('--seal-delay is a duration or off; anything else is refused', () => {
  expect(resolveServeOptions({}, {}).sealDelayMs).toBe(0);
  expect(resolveServeOptions({ sealDelay: '10m' }, {}).sealDelayMs).toBe(600_000);
  expect(resolveServeOptions({ sealDelay: 'off' }, {}).sealDelayMs).toBe('off');
  expect(() => resolveServeOptions({ sealDelay: 'never' }, {})).toThrow(
    '--seal-delay: needs a duration such as 10m, at most 36525d, or off, got "never"',
  );
});

test('--seal-backlog is a whole number; anything else is refused', () => {
  expect(resolveServeOptions({}, {}).sealBacklog).toBe(16);
  expect(resolveServeOptions({ sealBacklog: '0' }, {}).sealBacklog).toBe(0);
  expect(() => resolveServeOptions({ sealBacklog: '-1' }, {})).toThrow(
    '--seal-backlog: needs a whole number from 0 to 10000, got "-1"',
  );
});
