/**
 * Reads back everything that a property has and holds it against its own documents: totals, visitors of a
 * bucket, ids, session info and windows must all tell of exactly the events that are stored. An event that is
 * there in part shows here.
 */
import { expect } from 'vitest';
import { parseBucket, type TimeBucket } from '../base/time-bucket.ts';
import { limits } from '../protocol/limits.ts';
import type { PropertyName } from '../protocol/property.ts';
import { decodeChunk } from './chunk.ts';
import type { RedisConnection } from './connection.ts';
import { countBucket, countKnownVisitors } from './counts.ts';
import type { EventRecord } from './event-record.ts';
import { PropertyKeys } from './keys.ts';
import { testEvent } from './redis.testing.ts';
import { withDefaults } from './retention.ts';
import { readSessionInfo } from './session-info.ts';
import { readTotals } from './totals.ts';

/** What an event's document says in these tests. */
interface Told {
  readonly session: string;
  readonly visitor: string;
  readonly seq: number;
}

export const nowMs = Date.UTC(2026, 10, 21, 12, 30, 20);

/** A numbered heartbeat whose document says which one it is. */
export function toldEvent(session: string, seq: number, visitor: string): EventRecord {
  const json = JSON.stringify({ session, seq, visitor } satisfies Told);
  return testEvent({ sessionId: session, tabId: 't', seq, visitorId: visitor, source: 'news', json });
}

export const nameOf = (session: string, seq: number): string => `${session} ${seq}`;

/** Names of the stored events, each once, after everything was found to agree with them. */
export async function agreedEvents(
  connection: RedisConnection,
  property: PropertyName,
): Promise<Set<string>> {
  const documents = await readDocuments(connection, property);
  const sessions = new Map<string, Told[]>();
  for (const told of documents) sessions.set(told.session, [...(sessions.get(told.session) ?? []), told]);
  const visitors = new Set(documents.map(({ visitor }) => visitor));
  const totals = await readTotals(connection, property);
  expect(totals).toEqual({
    byType: documents.length === 0 ? {} : { heartbeat: documents.length },
    bots: {},
    sessions: sessions.size,
    documents: documents.length,
  });
  const minute = parseBucket('2026-11-21-12-30') as TimeBucket;
  for (const what of [{ event: 'heartbeat' }, { source: 'news' }])
    expect(await countBucket(connection, property, what, minute, nowMs, withDefaults(undefined))).toEqual({
      count: visitors.size,
    });
  expect(await countKnownVisitors(connection, property)).toBe(visitors.size);
  await expectDistinctIds(connection, property, visitors.size);
  await expectSessions(connection, property, sessions);
  const names = documents.map(({ session, seq }) => nameOf(session, seq));
  expect(new Set(names).size).toBe(names.length);
  return new Set(names);
}

async function readDocuments(connection: RedisConnection, property: PropertyName): Promise<Told[]> {
  const chunks = (await connection.callBuffer('HVALS', [
    new PropertyKeys(property).documents(0),
  ])) as Buffer[];
  return chunks.flatMap((chunk) => decodeChunk(chunk).map((document) => JSON.parse(document) as Told));
}

/** No two visitors share an id, and none has two. */
async function expectDistinctIds(connection: RedisConnection, property: PropertyName, visitors: number) {
  const buckets = await keysLike(connection, new PropertyKeys(property).visitorIds(0).replace(/0$/, '*'));
  const ids = await Promise.all(buckets.map((key) => connection.call('HVALS', [key]) as Promise<string[]>));
  expect(ids.flat()).toHaveLength(visitors);
  expect(new Set(ids.flat()).size).toBe(visitors);
}

async function expectSessions(
  connection: RedisConnection,
  property: PropertyName,
  sessions: ReadonlyMap<string, readonly Told[]>,
): Promise<void> {
  const keys = new PropertyKeys(property);
  expect(await keysLike(connection, keys.sessionHome('*'))).toHaveLength(sessions.size);
  for (const [session, events] of sessions) {
    const info = keys.sessionInfo('2026-11-21', session);
    const stored = await readSessionInfo(connection, info);
    expect(stored?.events).toBe(events.length);
    const { left, seen } = readWindow(String(stored?.tabs.get('t')?.window));
    const numbers = events.map(({ seq }) => seq).sort((a, b) => a - b);
    expect(seen).toEqual(numbers.filter((seq) => seq >= left));
  }
}

const keysLike = (connection: RedisConnection, pattern: string): Promise<string[]> =>
  connection.call('KEYS', [pattern]) as Promise<string[]>;

/** `7;2-3,5`: highest seen 7, without 2, 3 and 5; `left` is the lowest number that the window tells of. */
function readWindow(text: string): { readonly left: number; readonly seen: number[] } {
  const [highest = '0', missing = ''] = text.split(';');
  const left = Math.max(1, Number(highest) - limits.seqWindow + 1);
  const isMissing = (seq: number): boolean =>
    missing.split(',').some((range) => {
      const [first = '', last = first] = range.split('-');
      return range !== '' && Number(first) <= seq && seq <= Number(last);
    });
  const numbers = Array.from({ length: Number(highest) - left + 1 }, (_none, i) => left + i);
  return { left, seen: numbers.filter((seq) => !isMissing(seq)) };
}
