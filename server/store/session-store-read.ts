/**
 * What a session store holds, read in slices: no command is longer than some tenths of a millisecond, so that a
 * question about a hundred thousand sessions doesn't hold up a heartbeat.
 */
import type { RedisConnection } from './connection.ts';
import type { SessionStore } from './session-store.ts';
import { readSession, type StoredSession } from './session-store-record.ts';

export interface ListedSession extends StoredSession {
  readonly sessionId: string;
}

/** Sessions of one command, about. Documents of 500 bytes: 0.2 to 0.3 ms of Redis. */
const scanCount = 100;
const sliceSessions = 100;

/** Sessions last updated at `sinceMs` (epoch ms) or later. One command, O(log n). */
export async function countSince(
  connection: RedisConnection,
  { keys }: SessionStore,
  sinceMs: number,
): Promise<number> {
  return Number(await connection.call('ZCOUNT', [keys.seen, String(sinceMs), '+inf']));
}

export async function countAll(connection: RedisConnection, { keys }: SessionStore): Promise<number> {
  return Number(await connection.call('ZCARD', [keys.seen]));
}

/** The sessions in the order of their last update, latest first; those that ended meanwhile are left out. */
export async function readLatest(
  connection: RedisConnection,
  { keys }: SessionStore,
  start: number,
  rows: number,
): Promise<ListedSession[]> {
  const sessions: ListedSession[] = [];
  for (let at = start; at < start + rows; at += sliceSessions) {
    const last = Math.min(at + sliceSessions, start + rows) - 1;
    const ids = (await connection.call('ZRANGE', [keys.seen, String(at), String(last), 'REV'])) as string[];
    if (ids.length === 0) break;
    const records = (await connection.callBuffer('HMGET', [keys.docs, ...ids])) as (Buffer | null)[];
    for (const [index, record] of records.entries()) {
      if (record !== null) sessions.push({ ...readSession(record), sessionId: ids[index] ?? '' });
    }
    if (ids.length <= last - at) break;
  }
  return sessions;
}

/**
 * All sessions, slice by slice, in no order. Each that is there all the time comes once; one that comes or goes
 * meanwhile may be there or not; one that is updated meanwhile comes as it was when it was read.
 */
export async function* scanSessions(
  connection: RedisConnection,
  { keys }: SessionStore,
): AsyncGenerator<readonly ListedSession[]> {
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const reply = await connection.callBuffer('HSCAN', [keys.docs, cursor, 'COUNT', String(scanCount)]);
    const [next, flat] = reply as [Buffer, Buffer[]];
    cursor = next.toString();
    const slice: ListedSession[] = [];
    for (let at = 0; at + 1 < flat.length; at += 2) {
      const sessionId = String(flat[at]);
      // A scan may give an element twice.
      if (seen.has(sessionId)) continue;
      seen.add(sessionId);
      slice.push({ ...readSession(flat[at + 1] as Buffer), sessionId });
    }
    yield slice;
  } while (cursor !== '0');
}
