import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { deleteProperty } from './delete-property.ts';
import { startTestRedis, type TestRedis } from './redis.testing.ts';
import { type SessionOperation, SessionStore } from './session-store.ts';
import {
  addSessionStore,
  hasSessionStore,
  listFlushedProperties,
  listSessionStores,
  sessionStoresMax,
} from './session-store-names.ts';
import { countAll, countSince, readLatest, scanSessions } from './session-store-read.ts';
import type { SessionHeartbeat } from './session-store-record.ts';

const property = { account: 'demo', property: 'site' };
const nowMs = Date.UTC(2026, 10, 21, 12, 30, 15, 17);
let redis: TestRedis;
let store: SessionStore;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await call('FLUSHALL');
  store = new SessionStore(redis.connection, property, 'stash');
});

const call = (command: string, ...args: string[]): Promise<unknown> => redis.connection.call(command, args);

function beat(sessionId: string, members: Partial<SessionHeartbeat> = {}): SessionOperation {
  const heartbeat = { sessionId, timeMs: nowMs, seq: 0, tabId: '', json: '{"n":1}', ...members };
  return { kind: 'upsert', heartbeat };
}

const end = (sessionId: string, lastUpdatedMs?: number): SessionOperation => ({
  kind: 'delete',
  sessionId,
  lastUpdatedMs,
});

/** What the store says of each session: its document's number, by session. */
async function stored(): Promise<Record<string, unknown>> {
  const all: [string, unknown][] = [];
  for await (const slice of scanSessions(redis.connection, store))
    for (const { sessionId, json } of slice) all.push([sessionId, (JSON.parse(json) as { n: number }).n]);
  expect(all.length).toBe(await countAll(redis.connection, store));
  return Object.fromEntries(all);
}

const json = (n: number): string => JSON.stringify({ n });

test('only the last heartbeat of each session is kept, with the time at which it was received', async () => {
  expect(await store.apply([beat('a'), beat('b', { json: json(2) })], nowMs)).toEqual(['created', 'created']);
  expect(await store.apply([beat('a', { json: json(3), timeMs: nowMs + 5 })], nowMs + 700)).toEqual([
    'updated',
  ]);
  expect(await stored()).toEqual({ a: 3, b: 2 });
  const [latest, other] = await readLatest(redis.connection, store, 0, 10);
  expect(latest).toEqual({
    sessionId: 'a',
    lastUpdatedMs: nowMs + 700,
    firstSeenMs: nowMs,
    timeMs: nowMs + 5,
    departures: 0,
    isDeparting: false,
    json: json(3),
  });
  expect(other).toMatchObject({ sessionId: 'b', lastUpdatedMs: nowMs });
});

test('a lower number of the same tab is stale, whatever its time says', async () => {
  const numbered = (seq: number, n: number, timeMs = nowMs) =>
    beat('a', { seq, tabId: 'tä:1', json: json(n), timeMs });
  await store.apply([numbered(10, 1)], nowMs);
  expect(await store.apply([numbered(9, 2, nowMs + 60_000)], nowMs)).toEqual(['stale']);
  expect(await store.apply([numbered(10, 3, nowMs + 60_000)], nowMs)).toEqual(['stale']);
  expect(await stored()).toEqual({ a: 1 });
  // A clock that was set back does not make a higher number older.
  expect(await store.apply([numbered(11, 4, nowMs - 60_000)], nowMs)).toEqual(['updated']);
  expect(await stored()).toEqual({ a: 4 });
});

test('between tabs, and without numbers, the time decides', async () => {
  await store.apply([beat('a', { seq: 500, tabId: '1' }), beat('b', { json: json(5) })], nowMs);
  const later = { seq: 3, tabId: '2', json: json(2), timeMs: nowMs + 1 };
  expect(await store.apply([beat('a', { ...later, timeMs: nowMs - 1 })], nowMs)).toEqual(['stale']);
  expect(await store.apply([beat('a', later)], nowMs)).toEqual(['updated']);
  expect(await store.apply([beat('b', { timeMs: nowMs - 1 })], nowMs)).toEqual(['stale']);
  expect(await store.apply([beat('b', { timeMs: nowMs, json: json(6) })], nowMs)).toEqual(['updated']);
  expect(await stored()).toEqual({ a: 2, b: 6 });
});

test('operations of one call act on each other in their order', async () => {
  const operations = [
    beat('a', { seq: 1, json: json(1) }),
    beat('a', { seq: 3, json: json(3) }),
    beat('a', { seq: 2, json: json(2) }),
    end('a'),
    end('a'),
    beat('a', { seq: 1, json: json(4) }),
    beat('b'),
    end('b'),
  ];
  expect(await store.apply(operations, nowMs)).toEqual([
    'created',
    'updated',
    'stale',
    'deleted',
    'missing',
    'created',
    'created',
    'deleted',
  ]);
  expect(await stored()).toEqual({ a: 4 });
});

test('a deletion that names a time deletes only what was last updated then', async () => {
  await store.apply([beat('a'), beat('b')], nowMs);
  await store.apply([beat('b')], nowMs + 1);
  expect(await store.apply([end('a', nowMs), end('b', nowMs), end('c', nowMs)], nowMs)).toEqual([
    'deleted',
    'kept',
    'missing',
  ]);
  expect(await stored()).toEqual({ b: 1 });
});

test('each heartbeat gives the session another time, also within one millisecond', async () => {
  const times = new Set<number>();
  for (let i = 0; i < 20; i++) {
    // A second collector's clock is a little behind.
    await store.apply([beat('a'), beat('a')], nowMs - (i % 2));
    times.add((await readLatest(redis.connection, store, 0, 1))[0]?.lastUpdatedMs ?? 0);
  }
  expect(times.size).toBe(20);
  // A clock that is far behind is believed: otherwise the session would seem to live on for that long.
  await store.apply([beat('a')], nowMs - 60_000);
  expect((await readLatest(redis.connection, store, 0, 1))[0]?.lastUpdatedMs).toBe(nowMs - 60_000);
});

test('a departure has one number, however often its heartbeat is claimed', async () => {
  await store.apply([beat('a'), beat('b')], nowMs);
  await store.apply([beat('b')], nowMs + 50);
  const first = await store.claim(nowMs + 10, 100);
  expect(first).toEqual([
    expect.objectContaining({ sessionId: 'a', departures: 1, isDeparting: true, lastUpdatedMs: nowMs }),
  ]);
  expect(await store.claim(nowMs + 10, 100)).toEqual(first);
  expect((await store.claim(nowMs + 50, 1)).map(({ sessionId }) => sessionId)).toEqual(['a']);
});

test('a session that comes back knows of its departures, in the store and after it was deleted', async () => {
  await store.apply([beat('a')], nowMs);
  await store.claim(nowMs, 10);
  await store.apply([beat('a')], nowMs + 1000);
  const came = async () => (await readLatest(redis.connection, store, 0, 1))[0];
  expect(await came()).toMatchObject({ departures: 1, isDeparting: false });
  expect(await store.claim(nowMs + 1000, 10)).toMatchObject([{ departures: 2, isDeparting: true }]);
  expect(await store.apply([end('a', nowMs + 1000)], nowMs)).toEqual(['deleted']);
  expect(await came()).toBeUndefined();
  expect(await store.apply([beat('a')], nowMs + 9000)).toEqual(['created']);
  expect(await came()).toMatchObject({ departures: 2, isDeparting: false, firstSeenMs: nowMs });
  expect(await store.claim(nowMs + 9000, 10)).toMatchObject([{ departures: 3 }]);
});

test('a session that came back while its collector died is still given the next number', async () => {
  await store.apply([beat('a')], nowMs);
  await store.claim(nowMs, 10);
  await store.apply([end('a')], nowMs);
  const memory = String(await call('GET', store.keys.gone('a')));
  // The collector died before it looked: the record begins at nothing.
  await call('DEL', store.keys.gone('a'));
  await store.apply([beat('a')], nowMs + 1);
  await call('SET', store.keys.gone('a'), memory);
  expect(await store.claim(nowMs + 1, 10)).toMatchObject([{ departures: 2, firstSeenMs: nowMs }]);
});

test('a session that was deleted without having departed leaves nothing', async () => {
  await store.apply([beat('a')], nowMs);
  await store.apply([end('a')], nowMs);
  expect(await call('DBSIZE')).toBe(0);
});

test('a store must have been added; stash of demo/site is there', async () => {
  const other = { account: 'demo', property: 'shop' };
  const named = (name: string) => new SessionStore(redis.connection, other, name);
  expect(await named('stash').apply([beat('a')], nowMs)).toBeUndefined();
  expect(await call('DBSIZE')).toBe(0);
  expect(await addSessionStore(redis.connection, other, 'sta:sh{')).toBe(true);
  expect(await addSessionStore(redis.connection, other, 'sta:sh{')).toBe(true);
  expect(await named('sta:sh{').apply([beat('a')], nowMs)).toEqual(['created']);
  expect(await named('stash').apply([beat('a')], nowMs)).toBeUndefined();
  expect(await listSessionStores(redis.connection, other)).toEqual(['sta:sh{']);
  expect(await hasSessionStore(redis.connection, other, 'stash')).toBe(false);
  expect(await listSessionStores(redis.connection, property)).toEqual(['stash']);
  for (let i = 1; i < sessionStoresMax; i++) await addSessionStore(redis.connection, other, `s${i}`);
  expect(await addSessionStore(redis.connection, other, 'one too many')).toBe(false);
});

test('deleting the property takes its stores, sessions and departures; one that is being deleted takes nothing', async () => {
  const other = { account: 'demo', property: 'shop' };
  const own = new SessionStore(redis.connection, other, 's');
  await addSessionStore(redis.connection, other, 's');
  await own.apply([beat('a'), beat('b')], nowMs);
  await own.claim(nowMs, 10);
  await own.apply([end('a')], nowMs);
  expect(await listFlushedProperties(redis.connection)).toEqual([property, other]);
  await call('SET', own.keys.generation, '!being deleted');
  const deleting = expect.objectContaining({ code: 'CB_PROPERTY_DELETING' });
  await expect(own.apply([beat('a')], nowMs)).rejects.toThrow(deleting);
  await expect(own.claim(nowMs, 10)).rejects.toThrow(deleting);
  await expect(addSessionStore(redis.connection, other, 'another')).rejects.toThrow(deleting);
  await deleteProperty(redis.connection, other);
  expect(await listFlushedProperties(redis.connection)).toEqual([property]);
  expect(await call('DBSIZE')).toBe(0);
});

test('a key of a wrong type is an error before anything is written', async () => {
  await call('SET', store.keys.seen, 'a text');
  await expect(store.apply([beat('a')], nowMs)).rejects.toThrow('WRONGTYPE');
  expect(await call('EXISTS', store.keys.docs)).toBe(0);
});

test('counts and pages of many sessions', async () => {
  const sessions = 1200;
  for (let at = 0; at < sessions; at += 100) {
    const operations = Array.from({ length: 100 }, (_none, i) => beat(`s${at + i}`, { json: json(at + i) }));
    await store.apply(operations, nowMs + at);
  }
  expect(await countAll(redis.connection, store)).toBe(sessions);
  expect(await countSince(redis.connection, store, nowMs + 900)).toBe(300);
  expect(Object.keys(await stored()).length).toBe(sessions);
  const page = await readLatest(redis.connection, store, 250, 450);
  expect(page.length).toBe(450);
  expect(new Set(page.map(({ sessionId }) => sessionId)).size).toBe(450);
  expect(page[0]?.lastUpdatedMs).toBe(nowMs + 900);
  expect(page.at(-1)?.lastUpdatedMs).toBe(nowMs + 500);
  expect((await readLatest(redis.connection, store, 1190, 50)).length).toBe(10);
});

test('sessions that are there all the time are all found while others come and go', async () => {
  for (let at = 0; at < 1000; at += 200)
    await store.apply(
      Array.from({ length: 200 }, (_none, i) => beat(`stays${at + i}`)),
      nowMs,
    );
  const found = new Set<string>();
  let round = 0;
  const deadlineMs = systemClock.monotonicMs() + 20_000;
  for await (const slice of scanSessions(redis.connection, store)) {
    for (const { sessionId } of slice) found.add(sessionId);
    round += 1;
    const comes = Array.from({ length: 300 }, (_none, i) => beat(`comes${round}-${i}`));
    const goes = Array.from({ length: 300 }, (_none, i) => end(`comes${round - 1}-${i}`));
    await store.apply([...comes, ...goes, beat('stays7')], nowMs + round);
    if (systemClock.monotonicMs() > deadlineMs) throw new Error('the scan does not end');
  }
  expect([...found].filter((id) => id.startsWith('stays')).length).toBe(1000);
});
