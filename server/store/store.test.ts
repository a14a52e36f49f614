import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { parseBucket, type TimeBucket } from '../base/time-bucket.ts';
import { decodeChunk } from './chunk.ts';
import { type Counted, countBucket, countKnownVisitors } from './counts.ts';
import type { CommitOutcome, EventRecord } from './event-record.ts';
import { startTestRedis, type TestRedis, testEvent } from './redis.testing.ts';
import type { Retention } from './retention.ts';
import { readSessionInfo } from './session-info.ts';
import { commitEventsMax, PropertyStore } from './store.ts';
import { readTotals } from './totals.ts';

const property = { account: 'demo', property: 'site' };
const prefix = '{demo::site}::';
const timeMs = Date.UTC(2026, 10, 21, 12, 30, 15);
let redis: TestRedis;
let clock: ManualClock;
let store: PropertyStore;

beforeAll(async () => {
  redis = await startTestRedis('--enable-debug-command', 'yes');
});
afterAll(() => redis.stop());
beforeEach(async () => {
  clock = new ManualClock(timeMs + 5000);
  await call('FLUSHALL');
  store = newStore();
});

const newStore = (retention: Partial<Retention> = {}): PropertyStore =>
  new PropertyStore(redis.connection, property, { clock, retention });
const call = (command: string, ...args: string[]): Promise<unknown> => redis.connection.call(command, args);
const bucket = (name: string): TimeBucket => parseBucket(name) as TimeBucket;
const count = (what: Counted, name: string): Promise<unknown> =>
  countBucket(redis.connection, property, what, bucket(name), clock.wallMs(), store.retention);
const totals = () => readTotals(redis.connection, property);
const hash = async (key: string): Promise<Record<string, string>> => {
  const flat = (await call('HGETALL', prefix + key)) as string[];
  return Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_none, i) => [flat[2 * i], flat[2 * i + 1]]),
  );
};
const info = (key: string) => readSessionInfo(redis.connection, prefix + key);
const numbered = (seq: number, members: Partial<EventRecord> = {}): EventRecord =>
  testEvent({ sessionId: 'session-1', tabId: 'tab-1', seq, ...members });
const visitor = (n: number): string => `3e0a6b52-7f6d-4a8e-9d7c-${n.toString(16).padStart(12, '0')}`;
const visitors = (from: number, to: number, members: Partial<EventRecord> = {}): EventRecord[] =>
  Array.from({ length: to - from }, (_none, i) => testEvent({ visitorId: visitor(from + i), ...members }));
const repeat = (outcome: CommitOutcome, times: number): CommitOutcome[] =>
  new Array<CommitOutcome>(times).fill(outcome);

async function commitMany(target: PropertyStore, events: readonly EventRecord[]): Promise<void> {
  for (let at = 0; at < events.length; at += commitEventsMax) {
    const part = events.slice(at, at + commitEventsMax);
    expect(await target.commit(part)).toEqual(repeat('accepted', part.length));
  }
}

describe('counts', () => {
  test('an event counts its visitor in all five granularities, for its type and its source', async () => {
    await store.commit([
      testEvent({ type: 'view', source: 'news', campaign: 'spring' }),
      testEvent({ type: 'view' }),
    ]);
    for (const name of ['2026', '2026-11', '2026-11-21', '2026-11-21-12', '2026-11-21-12-30']) {
      expect(await count({ event: 'view' }, name)).toEqual({ count: 1 });
      expect(await count({ source: 'news', campaign: 'spring' }, name)).toEqual({ count: 1 });
    }
    expect(await count({ event: 'view' }, '2026-11-21-12-31')).toEqual({ count: 0 });
    expect(await count({ source: 'news' }, '2026')).toEqual({ count: 0 });
    expect(await count({ event: 'heartbeat' }, '2026')).toEqual({ count: 0 });
  });

  test('a source without a campaign is apart from one whose campaign is called -', async () => {
    await store.commit([
      testEvent({ source: 'news' }),
      testEvent({ visitorId: 'b', source: 'news', campaign: '-' }),
    ]);
    await store.commit([testEvent({ visitorId: 'c', source: 'news', campaign: '-' })]);
    expect(await count({ source: 'news' }, '2026')).toEqual({ count: 1 });
    expect(await count({ source: 'news', campaign: '-' }, '2026')).toEqual({ count: 2 });
  });

  test('names with colons, braces and control characters neither meet nor get lost', async () => {
    const types = ['a:b', 'a::b', '{a}', 'a\n', 'a%3Ab', 'a}::evt:b', '\ud800', '\ufffd'];
    await store.commit(types.map((type) => testEvent({ type })));
    await store.commit([testEvent({ type: 'a:b', visitorId: 'b' })]);
    for (const type of types)
      expect(await count({ event: type }, '2026')).toEqual({ count: type === 'a:b' ? 2 : 1 });
    expect((await totals()).byType).toEqual(
      Object.fromEntries(types.map((type) => [type, type === 'a:b' ? 2 : 1])),
    );
  });

  test('an integer set turns into a bitmap before 512 members, with the same count and expiry', async () => {
    const key = `${prefix}evt:heartbeat::2026-11-21-12-30`;
    await commitMany(store, visitors(0, 500));
    expect(await call('TYPE', key)).toBe('set');
    expect(await call('OBJECT', 'ENCODING', key)).toBe('intset');
    const secondsToLive = Number(await call('TTL', key));
    expect(await count({ event: 'heartbeat' }, '2026-11-21-12-30')).toEqual({ count: 500 });
    await commitMany(store, visitors(480, 513));
    expect(await call('TYPE', key)).toBe('string');
    expect(await call('STRLEN', key)).toBe(128);
    expect(Math.abs(Number(await call('TTL', key)) - secondsToLive)).toBeLessThan(60);
    expect(await count({ event: 'heartbeat' }, '2026-11-21-12-30')).toEqual({ count: 513 });
    await commitMany(store, visitors(513, 1100));
    expect(await count({ event: 'heartbeat' }, '2026-11-21-12-30')).toEqual({ count: 1100 });
    expect(await call('STRLEN', key)).toBe(256);
    expect(Math.abs(Number(await call('TTL', key)) - secondsToLive)).toBeLessThan(60);
    expect(await countKnownVisitors(redis.connection, property)).toBe(1100);
  });

  test('ids beyond 2^20 go to the next segment and are counted together with the first', async () => {
    await store.commit(visitors(0, 3));
    await call('SET', `${prefix}ids`, String(2 ** 20 - 2));
    for (const target of [store, newStore()]) {
      expect(await target.commit(visitors(0, 8))).toEqual(repeat('accepted', 8));
    }
    expect(await count({ event: 'heartbeat' }, '2026-11-21')).toEqual({ count: 8 });
    expect(await call('SCARD', `${prefix}evt:heartbeat::2026-11-21`)).toBe(5);
    expect(await call('SMEMBERS', `${prefix}evt:heartbeat::2026-11-21::s1`)).toEqual(['0', '1', '2']);
    expect(await countKnownVisitors(redis.connection, property)).toBe(8);
  });

  test('a bit that is set is not sent again', async () => {
    await store.commit([testEvent()]);
    await call('DEL', `${prefix}evt:heartbeat::2026-11-21-12-30`);
    await store.commit([testEvent()]);
    expect(await count({ event: 'heartbeat' }, '2026-11-21-12-30')).toEqual({ count: 0 });
    await store.commit([testEvent({ timeMs: timeMs + 60_000 })]);
    expect(await count({ event: 'heartbeat' }, '2026-11-21-12-31')).toEqual({ count: 1 });
  });
});

describe('retention', () => {
  test('keys live until the end of their bucket, the retention and up to an hour', async () => {
    await store.commit([testEvent()]);
    const day = 86_400;
    const ends = {
      '2026-11-21-12-30': 40 + 8 * day,
      '2026-11-21-12': 1780 + 62 * day,
      '2026-11-21': 41_380 + 800 * day,
    };
    for (const [name, seconds] of Object.entries(ends)) {
      const secondsToLive = Number(await call('TTL', `${prefix}evt:heartbeat::${name}`));
      expect(secondsToLive).toBeGreaterThan(seconds - 30);
      expect(secondsToLive).toBeLessThan(seconds + 3610);
    }
    expect(await call('TTL', `${prefix}evt:heartbeat::2026-11`)).toBe(-1);
    expect(await call('TTL', `${prefix}all`)).toBe(-1);
  });

  test('a late event writes only what has not expired, and an expired bucket is answered as such', async () => {
    store = newStore({ minute: 60_000, hour: 7_200_000 });
    await store.commit([testEvent({ timeMs: timeMs - 60_000 }), testEvent({ timeMs: timeMs - 5 * 60_000 })]);
    await store.commit([testEvent({ timeMs: timeMs - 5 * 60_000, visitorId: 'b' })]);
    expect(await count({ event: 'heartbeat' }, '2026-11-21-12-29')).toEqual({ count: 1 });
    expect(await count({ event: 'heartbeat' }, '2026-11-21-12-25')).toEqual({ expired: true });
    expect(await call('EXISTS', `${prefix}evt:heartbeat::2026-11-21-12-25`)).toBe(0);
    expect(await count({ event: 'heartbeat' }, '2026-11-21-12')).toEqual({ count: 2 });
  });
});

describe('sessions', () => {
  test('counts, times, pages and facts are kept per session', async () => {
    const start = { sessionStartMs: timeMs - 3000, source: 'news', userId: 'u1' };
    await store.commit([
      numbered(1, { type: 'sessionStart', timeMs: timeMs - 3000, ...start }),
      numbered(2, { type: 'view', pagePath: '/a', timeMs: timeMs - 2000 }),
      numbered(3, { type: 'view', pagePath: '/b', timeMs }),
    ]);
    await store.commit([numbered(4, { timeMs: timeMs + 500 })]);
    await store.commit([numbered(5, { timeMs: timeMs - 9000, source: 'other', userId: 'u2' })]);
    await store.commit([numbered(6, { type: 'view', pagePath: '/late', timeMs: timeMs - 1000 })]);
    await store.commit([numbered(7, { timeMs: timeMs - 9500 })]);
    const seen = { events: 7, views: 3, heartbeats: 3 };
    const tab = { window: '7', ...seen, firstMs: timeMs - 9500, lastMs: timeMs + 500 };
    expect(await info('2026-11-21::session_session-1')).toEqual({
      visitorId: testEvent().visitorId,
      startMs: timeMs - 3000,
      ...seen,
      firstSeenMs: timeMs - 9500,
      lastSeenMs: timeMs + 500,
      entry: { timeMs: timeMs - 2000, path: '/a' },
      exit: { timeMs, path: '/b' },
      source: 'news',
      campaign: undefined,
      userId: 'u2',
      tabs: new Map([['tab-1', tab]]),
    });
    expect(await call('LRANGE', `${prefix}session_index::2026-11-21`, '0', '-1')).toEqual(['session-1']);
    expect((await totals()).sessions).toBe(1);
  });

  test('a session over midnight stays on the day it started, for every collector', async () => {
    const beforeMs = Date.UTC(2026, 10, 21, 23, 59, 59);
    clock.setWallMs(beforeMs + 5000);
    await store.commit([numbered(1, { timeMs: beforeMs, sessionStartMs: beforeMs })]);
    await store.commit([numbered(2, { timeMs: beforeMs + 3000 })]);
    await newStore().commit([
      numbered(3, { timeMs: beforeMs + 4000 }),
      numbered(4, { timeMs: beforeMs + 4001 }),
    ]);
    await newStore().commit([numbered(5, { timeMs: beforeMs + 4500, sessionStartMs: beforeMs + 4000 })]);
    expect(await info('2026-11-21::session_session-1')).toMatchObject({ events: 5, startMs: beforeMs });
    expect(await call('EXISTS', `${prefix}2026-11-22::session_session-1`)).toBe(0);
    expect((await totals()).sessions).toBe(1);
  });

  test('a session without a start belongs to the day of its first event, and a late start does not move it', async () => {
    await store.commit([numbered(2)]);
    await newStore().commit([
      numbered(1, { type: 'sessionStart', timeMs: timeMs - 86_400_000, sessionStartMs: timeMs - 86_400_000 }),
    ]);
    expect(await info('2026-11-21::session_session-1')).toMatchObject({
      events: 2,
      startMs: timeMs - 86_400_000,
      firstSeenMs: timeMs - 86_400_000,
    });
    expect((await totals()).sessions).toBe(1);
  });

  test('a start long ago does not make keys that expire at once', async () => {
    await store.commit([numbered(1, { sessionStartMs: Date.UTC(2020, 0, 1) })]);
    expect(Number(await call('TTL', `${prefix}2020-01-01::session_session-1`))).toBeGreaterThan(
      9 * 86_400 - 60,
    );
    expect(await totals()).toMatchObject({ sessions: 1, documents: 1 });
  });

  test('session info that is lost is made again in full, and the session is not listed twice', async () => {
    await store.commit([numbered(1)]);
    await call('DEL', `${prefix}2026-11-21::session_session-1`);
    expect(await store.commit([numbered(2)])).toEqual(['accepted']);
    expect(await info('2026-11-21::session_session-1')).toMatchObject({
      visitorId: testEvent().visitorId,
      events: 1,
    });
    expect((await totals()).sessions).toBe(1);
  });

  test('a home that is lost is made again, and the session is not listed twice', async () => {
    await store.commit([numbered(1)]);
    await call('DEL', `${prefix}sess::session-1`);
    expect(await newStore().commit([numbered(2)])).toEqual(['accepted']);
    expect(await call('LLEN', `${prefix}session_index::2026-11-21`)).toBe(1);
    expect(await info('2026-11-21::session_session-1')).toMatchObject({ events: 2 });
  });
});

describe('duplicates', () => {
  test('a number seen before is a duplicate, in the same batch, a later one and at another collector', async () => {
    expect(await store.commit([numbered(1), numbered(1), numbered(2)])).toEqual([
      'accepted',
      'duplicate',
      'accepted',
    ]);
    expect(await store.commit([numbered(2), numbered(3)])).toEqual(['duplicate', 'accepted']);
    expect(await newStore().commit([numbered(3), numbered(4), numbered(1)])).toEqual([
      'duplicate',
      'accepted',
      'duplicate',
    ]);
    expect(await store.commit([numbered(4)])).toEqual(['duplicate']);
    expect(await totals()).toEqual({ byType: { heartbeat: 4 }, bots: {}, sessions: 1, documents: 4 });
  });

  test('a batch of nothing but duplicates writes nothing', async () => {
    await store.commit([numbered(1)]);
    const before = await call('DEBUG', 'DIGEST');
    expect(await store.commit([numbered(1, { type: 'view', timeMs: timeMs + 600_000 })])).toEqual([
      'duplicate',
    ]);
    expect(await call('DEBUG', 'DIGEST')).toEqual(before);
  });

  test('the same number in another tab or session is another event', async () => {
    const events = [numbered(1), numbered(1, { tabId: 'tab-2' }), numbered(1, { sessionId: 'session-2' })];
    expect(await store.commit(events)).toEqual(repeat('accepted', 3));
    expect(await store.commit(events)).toEqual(repeat('duplicate', 3));
  });

  test('too old and too far ahead are said so', async () => {
    expect(await store.commit([numbered(10_001)])).toEqual(['seq_jump']);
    expect(await store.commit([numbered(2000)])).toEqual(['accepted']);
    expect(await store.commit([numbered(976), numbered(977), numbered(12_001)])).toEqual([
      'too_old',
      'accepted',
      'seq_jump',
    ]);
    expect(await store.commit([numbered(12_000)])).toEqual(['accepted']);
  });

  test('the 33rd tab of a session is refused, the 32 others go on', async () => {
    const tabs = Array.from({ length: 33 }, (_none, i) => numbered(1, { tabId: `tab-${i}` }));
    expect(await store.commit(tabs)).toEqual([...repeat('accepted', 32), 'too_many_tabs']);
    expect(await store.commit([numbered(2, { tabId: 'tab-40' }), numbered(2, { tabId: 'tab-31' })])).toEqual([
      'too_many_tabs',
      'accepted',
    ]);
  });

  test('an event with an id and no number is a duplicate today and tomorrow, and new the day after', async () => {
    const event = testEvent({ eventId: 'e1' });
    expect(await store.commit([event, event, testEvent({ eventId: 'e2' })])).toEqual([
      'accepted',
      'duplicate',
      'accepted',
    ]);
    clock.advanceMs(86_400_000);
    expect(await newStore().commit([event])).toEqual(['duplicate']);
    clock.advanceMs(86_400_000);
    expect(await store.commit([event])).toEqual(['accepted']);
    const secondsToLive = Number(await call('TTL', `${prefix}eids::2026-11-23`));
    expect(secondsToLive).toBeGreaterThan(86_400);
    expect(secondsToLive).toBeLessThanOrEqual(2 * 86_400);
  });

  test('an event with neither number nor id is always accepted', async () => {
    expect(await store.commit([testEvent(), testEvent()])).toEqual(['accepted', 'accepted']);
    expect(await store.commit([testEvent()])).toEqual(['accepted']);
    expect((await totals()).byType).toEqual({ heartbeat: 3 });
  });
});

describe('documents', () => {
  const documents = async (segment: number): Promise<Map<number, string[]>> => {
    const flat = (await redis.connection.callBuffer('HGETALL', [
      `${prefix}seg:${segment}::docs`,
    ])) as Buffer[];
    const entries = Array.from(
      { length: flat.length / 2 },
      (_none, i) => [Number(flat[2 * i]), decodeChunk(flat[2 * i + 1] as Buffer)] as const,
    );
    return new Map(entries.sort(([a], [b]) => a - b));
  };

  test('documents are stored in order under the ordinal of the first of their chunk', async () => {
    await store.commit([testEvent({ json: '{"n":0}' }), testEvent({ json: '{"n":1}' })]);
    await newStore().commit([testEvent({ json: '{"n":2}' })]);
    expect(await documents(0)).toEqual(
      new Map([
        [0, ['{"n":0}', '{"n":1}']],
        [2, ['{"n":2}']],
      ]),
    );
    const directory = (await redis.connection.callBuffer('GET', [`${prefix}seg:0::dir`])) as Buffer;
    expect(directory.toString('hex')).toBe('0000000200020001');
  });

  test('a batch over the end of a segment of ordinals is split there, without a gap', async () => {
    await call('HSET', `${prefix}totals`, 'ordinals', '65533');
    const events = Array.from({ length: 8 }, (_none, n) =>
      testEvent({ json: `{"n":${n}}`, visitorId: visitor(n) }),
    );
    expect(await store.commit(events)).toEqual(repeat('accepted', 8));
    expect([...(await documents(0)).keys()]).toEqual([65_533]);
    expect([...(await documents(0)).values()].flat()).toEqual(['{"n":0}', '{"n":1}', '{"n":2}']);
    expect([...(await documents(1)).entries()]).toEqual([
      [0, ['{"n":3}', '{"n":4}', '{"n":5}', '{"n":6}', '{"n":7}']],
    ]);
    expect((await totals()).documents).toBe(8);
    expect((await hash('totals'))['ordinals']).toBe('65541');
  });

  test('a batch that just fits into the segment is not split, one event more is', async () => {
    await store.commit(visitors(0, 1));
    await call('HSET', `${prefix}totals`, 'ordinals', '65533');
    await store.commit(visitors(0, 3));
    expect((await documents(0)).get(65_533)).toHaveLength(3);
    await call('HSET', `${prefix}totals`, 'ordinals', '65533');
    await store.commit(visitors(0, 4));
    expect((await documents(0)).get(65_533)).toHaveLength(3);
    expect((await documents(1)).get(0)).toHaveLength(1);
  });

  test('a chunk that is gone is not counted as documents', async () => {
    await store.commit(visitors(0, 3));
    await store.commit(visitors(0, 5));
    await call('HDEL', `${prefix}seg:0::docs`, '0');
    expect((await totals()).documents).toBe(5);
  });
});
