import { dirname } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { parseBucket, type TimeBucket } from '../base/time-bucket.ts';
import { connectRedis } from './connection.ts';
import { countBucket } from './counts.ts';
import type { EventRecord } from './event-record.ts';
import {
  endProcess,
  pollUntil,
  spawnRedis,
  startTestRedis,
  type TestRedis,
  testEvent,
} from './redis.testing.ts';
import { commitEventsMax, PropertyStore } from './store.ts';
import { readTotals } from './totals.ts';

const property = { account: 'demo', property: 'site' };
const prefix = '{demo::site}::';
let redis: TestRedis;
let clock: ManualClock;
let store: PropertyStore;

beforeAll(async () => {
  redis = await startTestRedis('--enable-debug-command', 'yes');
});
afterAll(() => redis.stop());
beforeEach(async () => {
  clock = new ManualClock(Date.UTC(2026, 10, 21, 12, 30, 20));
  await call('FLUSHALL');
  store = newStore();
});

const newStore = (): PropertyStore => new PropertyStore(redis.connection, property, { clock });
const call = (command: string, ...args: string[]): Promise<unknown> => redis.connection.call(command, args);
const code = (expected: string) => expect.objectContaining({ code: expected });
const event = (seq: number, visitorId = 'v1'): EventRecord =>
  testEvent({ sessionId: `session of ${visitorId}`, tabId: 't', seq, visitorId, source: 'news' });
const visitorsOfMinute = async (connection = redis.connection): Promise<unknown> => {
  const minute = parseBucket('2026-11-21-12-30') as TimeBucket;
  return countBucket(connection, property, { event: 'heartbeat' }, minute, clock.wallMs(), store.retention);
};

test('after FLUSHALL nothing remembered is believed: bits, ids, sessions and names are written anew', async () => {
  await store.commit([event(1), event(1, 'v2')]);
  const generation = await call('GET', `${prefix}generation`);
  await call('FLUSHALL');
  expect(await store.commit([event(2, 'v2')])).toEqual(['accepted']);
  expect(await visitorsOfMinute()).toEqual({ count: 1 });
  expect(await readTotals(redis.connection, property)).toEqual({
    byType: { heartbeat: 1 },
    bots: {},
    sessions: 1,
    documents: 1,
  });
  expect(await call('GET', `${prefix}ids`)).toBe('1');
  expect(await call('SISMEMBER', `${prefix}registry`, 'evt:heartbeat')).toBe(1);
  expect(await call('GET', `${prefix}generation`)).not.toBe(generation);
});

test('a property dropped and begun again by another collector is noticed by its generation', async () => {
  await store.commit([event(1), event(1, 'v2')]);
  await call('DEL', ...((await call('KEYS', '*')) as string[]));
  await newStore().commit([event(1, 'v3')]);
  expect(await store.commit([event(2), event(2, 'v2')])).toEqual(['accepted', 'accepted']);
  expect(await visitorsOfMinute()).toEqual({ count: 3 });
  expect((await readTotals(redis.connection, property)).sessions).toBe(3);
});

test('another replication id, as after a failover, drops what is remembered', async () => {
  await store.commit([event(1)]);
  await call('DEL', `${prefix}evt:heartbeat::2026-11-21-12-30`);
  await call('DEBUG', 'CHANGE-REPL-ID');
  expect(await store.commit([event(2)])).toEqual(['accepted']);
  expect(await visitorsOfMinute()).toEqual({ count: 1 });
});

test('two collectors that write by turns give each visitor one id and count everything once', async () => {
  const stores = [store, newStore()];
  const events = Array.from({ length: 600 }, (_none, i) =>
    event(1 + Math.floor(i / 200), `v${(i * 7) % 200}`),
  );
  const work = stores.map(async (target, half) => {
    for (let at = half * 50; at < events.length; at += 100) {
      expect(await target.commit(events.slice(at, at + 50))).toEqual(new Array(50).fill('accepted'));
    }
  });
  await Promise.all(work);
  expect(await visitorsOfMinute()).toEqual({ count: 200 });
  expect(await call('GET', `${prefix}ids`)).toBe('200');
  const ids = await Promise.all(
    ((await call('KEYS', `${prefix}vid:*`)) as string[]).map(
      (key) => call('HVALS', key) as Promise<string[]>,
    ),
  );
  expect(new Set(ids.flat()).size).toBe(200);
  const totals = await readTotals(redis.connection, property);
  expect(totals).toEqual({ byType: { heartbeat: 600 }, bots: {}, sessions: 200, documents: 600 });
});

const written = [
  'generation',
  'totals',
  'registry',
  'ids',
  'all',
  'seg:0::docs',
  'seg:0::dir',
  'eids::2026-11-21',
  'eids::2026-11-20',
  'evt:heartbeat::2026',
  'evt:heartbeat::2026-11-21-12-30',
  'src:news::cpg:%-::2026-11',
  'sess::session of v1',
  '2026-11-21::session_session of v1',
  'session_index::2026-11-21',
];

test.each(written)('a value of a wrong type at %s is an error, and nothing is written', async (key) => {
  const wrong =
    { generation: 'LPUSH', ids: 'LPUSH', 'seg:0::dir': 'LPUSH', 'session_index::2026-11-21': 'SADD' }[key] ??
    'LPUSH';
  await call(wrong, prefix + key, 'x');
  const digest = await call('DEBUG', 'DIGEST');
  const events = [event(1), testEvent({ eventId: 'e1' })];
  await expect(store.commit(events)).rejects.toThrow(code('CB_REDIS_REPLY'));
  expect(await call('DEBUG', 'DIGEST')).toBe(digest);
  await call('DEL', prefix + key);
  expect(await store.commit(events)).toEqual(['accepted', 'accepted']);
});

test('a wrong type in the hash of a visitor id is an error too', async () => {
  await store.commit([event(1)]);
  const [key] = (await call('KEYS', `${prefix}vid:*`)) as string[];
  await call('SET', key as string, 'x');
  await expect(newStore().commit([event(2)])).rejects.toThrow(code('CB_REDIS_REPLY'));
});

test('what a failed commit would have set is set by the next one', async () => {
  await store.commit([event(1)]);
  await call('DEL', `${prefix}seg:0::dir`);
  await call('LPUSH', `${prefix}seg:0::dir`, 'x');
  const later = { ...event(2), timeMs: event(2).timeMs + 60_000 };
  await expect(store.commit([later])).rejects.toThrow(code('CB_REDIS_REPLY'));
  await call('DEL', `${prefix}seg:0::dir`);
  expect(await store.commit([later])).toEqual(['accepted']);
  const minute = parseBucket('2026-11-21-12-31') as TimeBucket;
  const reply = await countBucket(
    redis.connection,
    property,
    { event: 'heartbeat' },
    minute,
    clock.wallMs(),
    store.retention,
  );
  expect(reply).toEqual({ count: 1 });
});

test('Redis away is CB_REDIS_UNREACHABLE; back without its data, everything is written anew', async () => {
  const own = await startTestRedis();
  onTestFinished(() => own.stop());
  const target = new PropertyStore(own.connection, property, { clock });
  await target.commit([event(1)]);
  await endProcess(own.process);
  await expect(target.commit([event(2)])).rejects.toThrow(code('CB_REDIS_UNREACHABLE'));
  await expect(target.commit([event(2)])).rejects.toThrow(code('CB_REDIS_UNREACHABLE'));
  const again = spawnRedis(dirname(own.socketPath), own.socketPath);
  onTestFinished(() => endProcess(again));
  await pollUntil(
    () => own.connection.resets > 0 && own.connection.isReady(),
    'the connection did not come back',
  );
  expect(await target.commit([event(2)])).toEqual(['accepted']);
  expect(await visitorsOfMinute(own.connection)).toEqual({ count: 1 });
});

test('a connection that was lost drops what is remembered, even if the server seems the same', async () => {
  const connection = await connectRedis(redis.socketPath);
  onTestFinished(() => connection.close());
  const target = new PropertyStore(connection, property, { clock });
  await target.commit([event(1)]);
  await call('DEL', `${prefix}evt:heartbeat::2026-11-21-12-30`);
  await call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await pollUntil(() => connection.resets > 0 && connection.isReady(), 'the connection did not come back');
  expect(await target.commit([event(2)])).toEqual(['accepted']);
  expect(await visitorsOfMinute()).toEqual({ count: 1 });
});

test('a commit that timed out may be sent again: whatever happened to it, the event counts once', async () => {
  const connection = await connectRedis(redis.socketPath, { commandTimeoutMs: 200 });
  onTestFinished(() => connection.close());
  const target = new PropertyStore(connection, property, { clock });
  await target.commit([event(1)]);
  onTestFinished(() => {
    redis.process.kill('SIGCONT');
  });
  redis.process.kill('SIGSTOP');
  await expect(target.commit([event(2)])).rejects.toThrow(code('CB_REDIS_UNREACHABLE'));
  redis.process.kill('SIGCONT');
  const again = () =>
    target.commit([event(2)]).then(
      (outcomes) => outcomes.length === 1,
      () => false,
    );
  await pollUntil(again, 'the commit did not go through');
  expect((await readTotals(redis.connection, property)).byType).toEqual({ heartbeat: 2 });
});

test('more events than one script may take are a mistake of the caller', async () => {
  const events = new Array(commitEventsMax + 1).fill(testEvent());
  await expect(store.commit(events)).rejects.toThrow(/at most \d+ events, got \d+/);
  expect(await call('DBSIZE')).toBe(0);
});

test('a second commit before the first has ended is a mistake of the caller', async () => {
  const first = store.commit([event(1)]);
  await expect(store.commit([event(2)])).rejects.toThrow('one at a time');
  expect(await first).toEqual(['accepted']);
});
