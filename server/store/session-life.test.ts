import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import type { EventRecord } from './event-record.ts';
import { startTestRedis, type TestRedis, testEvent } from './redis.testing.ts';
import { readSessionInfo, type SessionInfo } from './session-info.ts';
import { PropertyStore } from './store.ts';

const prefix = '{demo::site}::';
const home = `${prefix}sess::session-1`;
const info = `${prefix}2026-11-21::session_session-1`;
const timeMs = Date.UTC(2026, 10, 21, 12, 30, 15);
const dayMs = 86_400_000;
const nineDays = 9 * 86_400 - 60;
let redis: TestRedis;
let clock: ManualClock;
let store: PropertyStore;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  clock = new ManualClock(timeMs + 5000);
  await redis.connection.call('FLUSHALL', []);
  store = new PropertyStore(redis.connection, { account: 'demo', property: 'site' }, { clock });
});

const call = (command: string, ...args: string[]): Promise<unknown> => redis.connection.call(command, args);
const lifeOf = async (key: string): Promise<number> => Number(await call('TTL', key));
const numbered = (seq: number, members: Partial<EventRecord> = {}): EventRecord =>
  testEvent({ sessionId: 'session-1', tabId: 'tab-1', seq, ...members });

test('a home lives nine days after its last touch, which is renewed once a day', async () => {
  await store.commit([numbered(1)]);
  expect(await lifeOf(home)).toBeGreaterThan(nineDays);
  await call('EXPIRE', home, '1000');
  await store.commit([numbered(2)]);
  expect(await lifeOf(home)).toBeLessThan(1001);
  clock.advanceMs(dayMs);
  await store.commit([numbered(3, { timeMs: timeMs + dayMs })]);
  expect(await lifeOf(home)).toBeGreaterThan(nineDays);
  expect(await call('OBJECT', 'ENCODING', home)).toBe('listpack');
});

test('the info, which holds the windows of seen numbers, never ends before the home does', async () => {
  await store.commit([numbered(1)]);
  const kept = await lifeOf(info);
  clock.advanceMs(dayMs);
  await store.commit([numbered(2, { timeMs: timeMs + dayMs })]);
  expect(Math.abs((await lifeOf(info)) - kept)).toBeLessThan(60);
  await call('EXPIRE', info, '1000');
  clock.advanceMs(dayMs);
  await store.commit([numbered(3, { timeMs: timeMs + 2 * dayMs })]);
  expect(await lifeOf(info)).toBeGreaterThan(nineDays);
  expect(await store.commit([numbered(2), numbered(4)])).toEqual(['duplicate', 'accepted']);
});

test('a number is judged by the window of its session, whatever day another collector takes it to be', async () => {
  await store.commit([numbered(1), numbered(2, { timeMs: timeMs + 1000 })]);
  const other = new PropertyStore(redis.connection, { account: 'demo', property: 'site' }, { clock });
  const later = { timeMs: timeMs + 3 * dayMs, sessionStartMs: timeMs + 3 * dayMs };
  expect(await other.commit([numbered(2, later), numbered(20_000, later), numbered(3, later)])).toEqual([
    'duplicate',
    'seq_jump',
    'accepted',
  ]);
  expect(await call('EXISTS', `${prefix}2026-11-24::session_session-1`)).toBe(0);
});

test('two tabs of a session have a window each, and the info counts them', async () => {
  const inTab = (tabId: string, seq: number): EventRecord => numbered(seq, { tabId });
  await store.commit([inTab('a', 1), inTab('b', 1), inTab('b', 2)]);
  await store.commit([inTab('c', 7), inTab('b', 3), inTab('a', 2)]);
  expect(await call('HGET', info, 'tabs')).toBe('3');
  const { tabs } = (await readSessionInfo(redis.connection, info)) as SessionInfo;
  const windows = ['a', 'b', 'c'].map((tab) => tabs.get(tab)?.window);
  expect(windows).toEqual(['2', '3', '7;1-6']);
});
