import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { endProcess, pollUntil, spawnRedis } from '../store/redis.testing.ts';
import { type JsonReply, startTestCollector, type TestCollector } from './collector.testing.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function start(...options: Parameters<typeof startTestCollector>): Promise<TestCollector> {
  const test = await startTestCollector(...options);
  opened.push(() => test.stop());
  return test;
}

const event = (seq: number) => ({ event: { type: 'view', seq }, session: { id: 's' }, visitor: { id: 'v' } });
const bad = { event: { type: 'view' } };
const form = 'application/x-www-form-urlencoded';

async function post(test: TestCollector, query: string, body: unknown, type = 'application/json') {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { 'content-type': type };
  const reply = await fetch(`${test.collector.url}/write${query}`, { method: 'POST', headers, body: text });
  return { status: reply.status, json: (await reply.json()) as Record<string, unknown> };
}
const documents = async (test: TestCollector): Promise<number> =>
  ((await test.get('/totals')).json as { documents: number }).documents;

describe('async=true', () => {
  it('is answered as queued in the URL, the form and the envelope, and stored soon after', async () => {
    const test = await start();
    const items = JSON.stringify([event(3)]);
    for (const [query, body, type] of [
      ['?async=true', event(1), 'application/json'],
      ['', { items: [event(2)], async: true }, 'application/json'],
      ['', new URLSearchParams({ items, async: 'true' }).toString(), form],
      ['?async=true', `${JSON.stringify(event(4))}\n`, 'application/x-ndjson'],
    ] as const)
      expect(await post(test, query, body, type)).toEqual({
        status: 200,
        json: { durability: 'queued', accepted: 1, duplicates: 0, rejected: 0, results: [] },
      });
    await pollUntil(async () => (await documents(test)) === 4, 'the queued events were not stored');
  });

  it('rejects at once what is no event, and 400 if nothing else is left', async () => {
    const test = await start();
    expect(await post(test, '?async=true', [event(1), bad])).toMatchObject({
      status: 200,
      json: {
        durability: 'queued',
        accepted: 1,
        rejected: 1,
        results: [{ index: 1, reason: 'missing_visitor' }],
      },
    });
    expect(await post(test, '?async=true', bad)).toMatchObject({ status: 400, json: { rejected: 1 } });
    await pollUntil(async () => (await documents(test)) === 1, 'the queued event was not stored');
  });

  it('is said once, or in the same words', async () => {
    const test = await start();
    const items = JSON.stringify([event(1)]);
    for (const [query, body, type] of [
      ['?async=yes', event(1), 'application/json'],
      ['?async=', event(1), 'application/json'],
      ['?async=true', { items: [event(1)], async: false }, 'application/json'],
      ['', { items: [event(1)], async: 'true' }, 'application/json'],
      ['?async=false', new URLSearchParams({ items, async: 'true' }).toString(), form],
      ['?publish=2', event(1), 'application/json'],
    ] as const)
      expect(await post(test, query, body, type), query).toMatchObject({
        status: 400,
        json: { code: 'bad_parameter' },
      });
    expect(await documents(test)).toBe(0);
    expect(await post(test, '?async=false', { items: [event(1)], async: false })).toMatchObject({
      json: { durability: 'stored' },
    });
  });

  it('is refused with 503 when the queue is full, and what was queued is drained when the collector closes', async () => {
    const test = await start({ queueEventsMax: 10, redis: { commandTimeoutMs: 30_000 } });
    await test.write(event(1));
    test.redis.process.kill('SIGSTOP');
    let reply: Awaited<ReturnType<typeof post>>;
    let queued = 0;
    do {
      reply = await post(test, '?async=true', event(queued + 2));
      if (reply.status === 200) queued += 1;
    } while (reply.status === 200);
    expect(reply).toMatchObject({ status: 503, json: { code: 'queue_full' } });
    expect(queued).toBe(10);
    const closed = test.collector.close();
    test.redis.process.kill('SIGCONT');
    await closed;
    const keys = (await test.redis.connection.call('HGET', ['{demo::site}::totals', 'ordinals'])) as string;
    expect(Number(keys)).toBe(1 + queued);
  });

  it('logs what failed after it was acknowledged', async () => {
    const test = await start();
    await test.write(event(1));
    test.redis.process.kill('SIGSTOP');
    expect(await post(test, '?async=true', [event(2), event(3)])).toMatchObject({ status: 200 });
    await endProcess(test.redis.process);
    const isLogged = () => test.logged.some((line) => line.includes('async write: 2 events'));
    await pollUntil(isLogged, `nothing was logged: ${test.logged}`);
    const metrics = await (await fetch(`${test.collector.url}/metrics`)).text();
    expect(metrics).toMatch(/^crowdbeat_async_events_total\{outcome="queued"\} 2$/m);
    expect(metrics).toMatch(/^crowdbeat_async_events_total\{outcome="failed"\} 2$/m);
    const back = spawnRedis(dirname(test.redis.socketPath), test.redis.socketPath);
    opened.push(() => endProcess(back));
    await pollUntil(
      async () => (await test.write(event(2))).status === 200,
      'the collector did not come back',
    );
  });
});

describe('publish=false', () => {
  it('checks the events, stores none of them, and says so', async () => {
    const test = await start();
    const twice = async (): Promise<JsonReply['json']> =>
      (await post(test, '?publish=false', { items: [event(1), bad, event(1)] })).json;
    const said = {
      durability: 'none',
      accepted: 2,
      duplicates: 0,
      rejected: 1,
      results: [
        { index: 1, status: 'rejected', reason: 'missing_visitor', message: 'visitor.id is missing' },
      ],
    };
    expect(await twice()).toEqual(said);
    expect(await twice()).toEqual(said);
    expect(await post(test, '', { items: [event(1)], publish: false, async: true })).toMatchObject({
      status: 200,
      json: { durability: 'none' },
    });
    expect(await post(test, '?publish=false', bad)).toMatchObject({ status: 400 });
    const login = { event: { type: 'login' }, visitor: { id: 'v' }, user: { id: 'u' } };
    expect(await post(test, '?publish=false', login)).toMatchObject({ status: 200 });
    expect(await documents(test)).toBe(0);
    expect((await test.get('/user-record?id=u')).status).toBe(404);
    expect(await post(test, '?publish=true', event(1))).toMatchObject({ json: { durability: 'stored' } });
  });
});

describe('a back-fill', () => {
  it('of 1,000 lines of NDJSON, plain or gzip, is stored whole and once, in the buckets of its times', async () => {
    const dayMs = 86_400_000;
    const oldMs = Date.parse('2026-01-15T10:30:00Z');
    const clock = { ...systemClock, wallMs: () => oldMs + 300 * dayMs };
    const test = await start({ clock, timeLimits: { ageMs: 400 * dayMs } });
    const lines = Array.from({ length: 1000 }, (_none, i) =>
      JSON.stringify({
        event: { type: 'view', seq: Math.floor(i / 50) + 1, time: oldMs + i * 1000 },
        session: { id: `s${i % 50}`, start: oldMs },
        visitor: { id: `v${i % 50}` },
      }),
    ).join('\n');
    const send = async (body: string | Uint8Array<ArrayBuffer>, encoding: Record<string, string>) => {
      const headers = { 'content-type': 'application/x-ndjson', ...encoding };
      const reply = await fetch(`${test.collector.url}/write`, { method: 'POST', headers, body });
      return (await reply.json()) as unknown;
    };
    expect(await send(lines, {})).toMatchObject({ accepted: 1000, duplicates: 0, rejected: 0 });
    const zipped = new Uint8Array(gzipSync(lines));
    expect(await send(zipped, { 'content-encoding': 'gzip' })).toMatchObject({
      accepted: 0,
      duplicates: 1000,
    });
    expect((await test.get('/totals')).json).toMatchObject({
      byType: { view: 1000 },
      sessions: 50,
      documents: 1000,
    });
    expect((await test.get('/count?event=view&bucket=2026-01-15')).json).toEqual({ count: 50 });
  });
});
