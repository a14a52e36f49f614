import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { flushTargetOf } from '../sessions/flush-client.ts';
import { readFlushConfig } from '../sessions/flush-config.ts';
import { type FlushReport, type FlushTarget, flush } from '../sessions/flusher.ts';
import { pollUntil } from '../store/redis.testing.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';
import { departuresBySession, storedDepartures } from './session-flusher.testing.ts';

const nowMs = Date.UTC(2026, 10, 21, 12, 30, 15, 17);
const timeoutMs = 25_000;
const clock = new ManualClock(nowMs);
let own: TestCollector;
let target: FlushTarget;

beforeAll(async () => {
  own = await startTestCollector({ clock });
  target = targetAt(own.collector.url);
});
afterAll(() => own.stop());
beforeEach(() => clock.setWallMs(nowMs));
afterEach(() => own.redis.connection.call('FLUSHALL', []));

function targetAt(server: string, more: object = {}): FlushTarget {
  const config = { server, session: 'stash', timeoutSeconds: timeoutMs / 1000, ...more };
  return flushTargetOf(readFlushConfig(JSON.stringify(config), 'config.json'));
}

const departures = () => storedDepartures(own.redis.connection);
const flushNow = (at: FlushTarget = target): Promise<FlushReport> => flush(at, timeoutMs, () => {});

async function heartbeats(documents: readonly object[], headers: Record<string, string> = {}): Promise<void> {
  const reply = await fetch(`${own.collector.url}/session/update`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': '', ...headers },
    body: JSON.stringify({ store: 'stash', ops: [{ upsert: documents }] }),
  });
  expect([reply.status, await reply.text()]).toEqual([204, '']);
}

const beat = (id: string, more: object = {}) => ({
  event: { type: 'heartbeat', time: clock.wallMs(), seq: 3 },
  session: { id, start: nowMs - 60_000 },
  visitor: { id: `v-${id}` },
  page: { path: '/shop' },
  source: { name: 'newsletter' },
  ...more,
});

test('a departure is one event with the last heartbeat, its time and the length of the visit', async () => {
  await heartbeats([beat('a', { event: { type: 'heartbeat', time: nowMs - 200, seq: 7 } })]);
  expect(await flushNow()).toEqual({ written: 0, duplicates: 0, refused: [] });
  clock.advanceMs(timeoutMs);
  const said: string[] = [];
  expect(await flush(target, timeoutMs, (line) => said.push(line))).toMatchObject({ written: 1 });
  expect(said).toEqual(['Preparing to flush 1 session']);
  const stored = await departures();
  expect(stored).toEqual([
    expect.objectContaining({
      session: { id: 'a', start: nowMs - 60_000 },
      visitor: { id: 'v-a' },
      page: { path: '/shop' },
      source: { name: 'newsletter' },
    }),
  ]);
  expect(stored[0]?.event).toMatchObject({
    time: nowMs - 200,
    data: {
      departed: nowMs - 200,
      visitMs: 59_800,
      departure: 1,
      heartbeat: { event: { seq: 7 }, page: { path: '/shop' }, _m1: { receivedUTC: nowMs } },
    },
  });
  expect(await flushNow()).toEqual({ written: 0, duplicates: 0, refused: [] });
  expect((await departures()).length).toBe(1);
});

test('a heartbeat after the flush opens the session again, which is reported, and departs again', async () => {
  for (let time = 1; time <= 3; time++) {
    await heartbeats([beat('a')]);
    const reply = await own.get('/session/query?store=stash');
    const [item] = (reply.json as { items: { _m1: { session: { reopened?: number } } }[] }).items;
    expect(item?._m1.session.reopened).toBe(time === 1 ? undefined : time - 1);
    clock.advanceMs(timeoutMs);
    expect(await flushNow()).toMatchObject({ written: 1, duplicates: 0 });
  }
  const stored = await departures();
  expect(stored.map(({ event }) => event.data.departure)).toEqual([1, 2, 3]);
  expect(new Set(stored.map(({ event }) => event.id)).size).toBe(3);
});

test('a heartbeat between claim and end keeps the session, and its next departure is another one', async () => {
  await heartbeats([beat('a')]);
  clock.advanceMs(timeoutMs);
  const comesBack: FlushTarget = {
    ...target,
    async write(events, areBots) {
      const reply = await target.write(events, areBots);
      await heartbeats([beat('a', { event: { time: clock.wallMs(), seq: 4 } })]);
      return reply;
    },
  };
  expect(await flushNow(comesBack)).toMatchObject({ written: 1 });
  expect((await own.get('/session/count?store=stash')).json).toEqual({ count: 1 });
  clock.advanceMs(timeoutMs);
  expect(await flushNow()).toMatchObject({ written: 1 });
  expect(departuresBySession(await departures())).toEqual({ a: 2 });
});

test('three flushers at once write one event for each of many sessions', async () => {
  const ids = Array.from({ length: 450 }, (_none, i) => `s${i}`);
  for (let at = 0; at < ids.length; at += 50) await heartbeats(ids.slice(at, at + 50).map((id) => beat(id)));
  clock.advanceMs(timeoutMs);
  const reports = await Promise.all([flushNow(), flushNow(), flushNow()]);
  expect(reports.reduce((sum, { written }) => sum + written, 0)).toBe(450);
  expect(departuresBySession(await departures())).toEqual(Object.fromEntries(ids.map((id) => [id, 1])));
  expect((await own.get('/session/count?store=stash')).json).toEqual({ count: 0 });
});

test('a flusher that died after its write and came back three days later makes no second one', async () => {
  await heartbeats([beat('a'), beat('b')]);
  clock.advanceMs(timeoutMs);
  const dies: FlushTarget = {
    ...target,
    end: () => Promise.reject(new Error('killed')),
  };
  await expect(flushNow(dies)).rejects.toThrow('killed');
  clock.advanceMs(3 * 86_400_000);
  // What three days do to ids of events: their sets live for two days at most.
  const { connection } = own.redis;
  const idSets = (await connection.call('KEYS', ['*::eids::*'])) as string[];
  if (idSets.length > 0) await connection.call('DEL', idSets);
  expect(await flushNow()).toMatchObject({ written: 0, duplicates: 2 });
  expect(departuresBySession(await departures())).toEqual({ a: 1, b: 1 });
  expect((await own.get('/session/count?store=stash')).json).toEqual({ count: 0 });
});

test('heartbeats that make no event make the least one that the collector takes', async () => {
  const deep = { a: { b: { c: { d: { e: { f: 1 } } } } } };
  await heartbeats([
    beat('deep', { deep }),
    beat('large', { text: 'x'.repeat(32_300) }),
    beat('wrong', { visitor: { id: 7 }, session: { id: 'wrong', start: 'never' } }),
    { session: { id: 'bare' } },
  ]);
  clock.advanceMs(timeoutMs);
  expect(await flushNow()).toMatchObject({ written: 4, refused: [] });
  const stored = await departures();
  const byId = Object.fromEntries(stored.map((event) => [event.session.id, event]));
  expect(Object.keys(byId).sort()).toEqual(['bare', 'deep', 'large', 'wrong']);
  for (const id of ['deep', 'large', 'wrong'])
    expect([id, byId[id]?.event.data.heartbeat]).toEqual([id, { isReduced: true }]);
  // Without a visitor a session is one of its own.
  expect(['bare', 'wrong', 'deep'].map((id) => byId[id]?.visitor.id)).toEqual(['bare', 'wrong', 'v-deep']);
});

test('a session with as many tabs as it may have still departs, once', async () => {
  for (let tab = 0; tab < 32; tab++)
    await own.write({
      event: { type: 'view', seq: 1 },
      session: { id: 'a', start: nowMs - 60_000 },
      visitor: { id: 'v-a' },
      tab: { id: `t${tab}` },
    });
  await heartbeats([beat('a')]);
  clock.advanceMs(timeoutMs);
  const dies: FlushTarget = { ...target, end: () => Promise.reject(new Error('killed')) };
  await expect(flushNow(dies)).rejects.toThrow('killed');
  expect(await flushNow()).toMatchObject({ written: 0, duplicates: 1, refused: [] });
  const stored = await departures();
  expect(stored.map(({ event }) => event.seq)).toEqual([undefined]);
});

test('people depart as people and bots as bots', async () => {
  await heartbeats([beat('person')], { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' });
  await heartbeats([beat('robot')], { 'user-agent': 'Googlebot/2.1 (+http://www.google.com/bot.html)' });
  clock.advanceMs(timeoutMs);
  expect(await flushNow()).toMatchObject({ written: 2 });
  expect((await own.get('/totals')).json).toMatchObject({
    byType: { sessionTimeout: 1 },
    bots: { sessionTimeout: 1 },
  });
});

test('a collector with a flusher inside flushes every property that has a session store', async () => {
  const inside = await startTestCollector({ flush: { timeoutMs: 200, pollMs: 20 } });
  try {
    const post = async (path: string, body: object) => {
      const reply = await fetch(inside.collector.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': '' },
        body: JSON.stringify(body),
      });
      expect(reply.status).toBe(204);
    };
    await post('/session/add?property=demo/shop', { name: 'visits' });
    const upsert = (store: string) => ({ store, ops: [{ upsert: [{ session: { id: 'a' } }] }] });
    await post('/session/update?property=demo/shop', upsert('visits'));
    await post('/session/update', upsert('stash'));
    for (const property of ['demo/site', 'demo/shop']) {
      await pollUntil(
        async () => {
          const { json } = await inside.get(`/totals?property=${property}`);
          return (json as { byType: Record<string, number> }).byType['sessionTimeout'] === 1;
        },
        `no sessionTimeout of ${property}: ${inside.logged.join('; ')}`,
      );
    }
  } finally {
    await inside.stop();
  }
});
