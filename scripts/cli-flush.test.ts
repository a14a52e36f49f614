import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../server/base/clock.ts';
import { startTestCollector, type TestCollector } from '../server/main/collector.testing.ts';
import { departuresBySession, storedDepartures } from '../server/main/session-flusher.testing.ts';
import { flushTargetOf } from '../server/sessions/flush-client.ts';
import { readFlushConfig } from '../server/sessions/flush-config.ts';
import { flush } from '../server/sessions/flusher.ts';
import { deriveStream } from '../sim/random/random-stream.ts';
import { makeHome, Program, until } from './program.testing.ts';

const clock = new ManualClock(Date.UTC(2026, 10, 21, 12, 30, 15));
let own: TestCollector;
let home: ReturnType<typeof makeHome>;

beforeAll(async () => {
  own = await startTestCollector({ clock });
});
afterAll(() => own.stop());
beforeEach(() => {
  home = makeHome();
});
afterEach(async () => {
  home.remove();
  await own.redis.connection.call('FLUSHALL', []);
});

const timeoutSeconds = 25;

/** A flusher as a process of its own. */
function flusher(config: object = {}): Program {
  mkdirSync(home.path, { recursive: true });
  const path = join(home.path, `flush-${systemClock.monotonicMs()}.json`);
  const whole = { server: own.collector.url, session: 'stash', timeoutSeconds, pollSeconds: 0.05, ...config };
  writeFileSync(path, JSON.stringify(whole));
  return new Program(['flush', path], home.path);
}

async function heartbeats(ids: readonly string[]): Promise<void> {
  const documents = ids.map((id) => ({ event: { type: 'heartbeat' }, session: { id }, visitor: { id } }));
  const reply = await fetch(`${own.collector.url}/session/update`, {
    method: 'POST',
    body: JSON.stringify({ store: 'stash', ops: [{ upsert: documents }] }),
  });
  expect(reply.status).toBe(204);
}

const stillThere = async (): Promise<number> =>
  ((await own.get('/session/count?store=stash')).json as { count: number }).count;

const departures = async () => departuresBySession(await storedDepartures(own.redis.connection));

test('says that there is nothing to flush, then what it flushes, and ends when asked', async () => {
  const program = flusher();
  await program.says(/^nothing to flush$/m);
  await heartbeats(['a', 'b']);
  clock.advanceMs(25_000);
  await program.says(/^Preparing to flush 2 sessions$/m);
  await program.says(/^Flushed 2; 0 had been written already$/m);
  program.child.kill('SIGTERM');
  expect(await program.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(await departures()).toEqual({ a: 1, b: 1 });
});

type Step = '/session/expired' | '/write' | '/session/update';

/** Hands requests on to the collector, and calls `onStep` before and after the one that is waited for. */
async function startBetween(
  step: Step,
  when: 'before' | 'after',
  onStep: () => Promise<void>,
): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      if (request.url === step && when === 'before') {
        await onStep();
        response.destroy();
        return;
      }
      const headers = { 'content-type': String(request.headers['content-type']) };
      const url = own.collector.url + request.url;
      const reply = await fetch(url, { method: 'POST', headers, body: Buffer.concat(chunks) });
      const text = await reply.text();
      if (request.url === step) {
        await onStep();
        response.destroy();
      } else {
        response.writeHead(reply.status);
        response.end(text);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return server;
}

for (const step of ['/session/expired', '/write', '/session/update'] as const) {
  for (const when of ['before', 'after'] as const) {
    test(`killed ${when} ${step} was answered for: the next flusher leaves one event a session`, async () => {
      let victim: Program | undefined;
      const between = await startBetween(step, when, async () => {
        victim?.child.kill('SIGKILL');
        await victim?.ended;
      });
      try {
        await heartbeats(['a', 'b', 'c']);
        clock.advanceMs(25_000);
        victim = flusher({ server: `http://127.0.0.1:${(between.address() as AddressInfo).port}` });
        expect(await victim.ended).toMatchObject({ signal: 'SIGKILL' });
        const config = { server: own.collector.url, session: 'stash', timeoutSeconds };
        const next = flushTargetOf(readFlushConfig(JSON.stringify(config), 'config.json'));
        expect((await flush(next, 25_000, () => {})).refused).toEqual([]);
        expect(await departures()).toEqual({ a: 1, b: 1, c: 1 });
        expect(await stillThere()).toBe(0);
      } finally {
        between.close();
      }
    });
  }
}

test('three flushers, of which one is killed and replaced at random moments: one event a session', async () => {
  const seed = Math.trunc(systemClock.wallMs()) % 1_000_000;
  process.stdout.write(`flushers killed at random: seed ${seed}\n`);
  const random = deriveStream(seed);
  const flushers = [flusher(), flusher(), flusher()];
  const expected: Record<string, number> = {};
  try {
    for (let wave = 0; wave < 6; wave++) {
      const ids = Array.from({ length: 60 }, (_none, i) => `w${wave}-${i}`);
      for (const id of ids) expected[id] = 1;
      await heartbeats(ids);
      clock.advanceMs(25_000);
      await pause(random.next() * 60);
      const place = Math.trunc(random.next() * 3);
      flushers[place]?.child.kill('SIGKILL');
      await flushers[place]?.ended;
      flushers[place] = flusher();
    }
    let left = -1;
    const looks = setInterval(() => void stillThere().then((count) => (left = count)), 50);
    await until('the store to be empty', () => left === 0).finally(() => clearInterval(looks));
  } finally {
    for (const { child } of flushers) child.kill('SIGTERM');
    await Promise.all(flushers.map(({ ended }) => ended));
  }
  expect(await departures()).toEqual(expected);
});

test('a configuration that does not do ends it with the key, the rule and the value', async () => {
  const { code, stderr } = await flusher({ timeoutSeconds: '25' }).ended;
  expect(stderr).toMatch(/^crowdbeat: .*flush-.*json: timeoutSeconds must be a number of seconds.*got "25"/);
  expect(code).toBe(1);
});

test('a store that is not there ends the flusher; a collector that is away is waited for', async () => {
  const wrong = await flusher({ session: 'stach' }).ended;
  expect([wrong.code, wrong.stderr]).toEqual([
    1,
    expect.stringMatching(/POST \/session\/expired: 404 the property has no session store "stach"/),
  ]);
  const away = flusher({ server: 'http://127.0.0.1:9' });
  await away.says(/does not answer.*; trying again/);
  away.child.kill('SIGTERM');
  expect((await away.ended).code).toBe(0);
});

test('the command line shows, counts and changes sessions', async () => {
  const session = async (...args: string[]) => {
    const ended = await new Program(['session', ...args, '--server', own.collector.url], home.path).ended;
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    return JSON.parse(ended.stdout === '' ? 'null' : ended.stdout) as unknown;
  };
  const ops = '[{"upsert":[{"session":{"id":"a"},"page":{"path":"/shop"}}]}]';
  expect(await session('update', '--store', 'stash', '--ops', ops)).toMatchObject({ created: 1 });
  expect(await session('query', '--store', 'stash', '--q', 'page.path:"/shop"')).toMatchObject({ count: 1 });
  expect(await session('count', '--store', 'stash', '--within-ms', '60000')).toEqual({ count: 1 });
  expect(await session('list')).toMatchObject([{ name: 'stash' }]);
});
