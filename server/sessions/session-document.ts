/** A session as replies and queries see it: its last heartbeat's document, with what the store knows in `_m1`. */
import type { ListedSession } from '../store/session-store-read.ts';

export type SessionDocument = Record<string, unknown>;

/** What the store adds as `_m1.session`. Times are epoch ms. */
export interface SessionFacts {
  /** Received; another one after each heartbeat. What a conditional deletion names. */
  readonly lastUpdated: number;
  readonly firstSeen: number;
  /** Of the last heartbeat, by the client's clock where that is within limits. */
  readonly lastSeen: number;
  /** How often it came back after it had departed; absent: never. */
  readonly reopened?: number;
  /** Only while a flusher may be at work on it: which of its departures this is, from 1. */
  readonly departure?: number;
}

export function sessionDocument(session: ListedSession): SessionDocument {
  const { lastUpdatedMs, firstSeenMs, timeMs, departures, isDeparting, json } = session;
  const document = JSON.parse(json) as SessionDocument;
  const reopened = isDeparting ? departures - 1 : departures;
  const facts: SessionFacts = {
    lastUpdated: lastUpdatedMs,
    firstSeen: firstSeenMs,
    lastSeen: timeMs,
    ...(reopened > 0 ? { reopened } : {}),
    ...(isDeparting ? { departure: departures } : {}),
  };
  const { _m1 = {} } = document;
  document['_m1'] = { ...(_m1 as object), session: facts };
  return document;
}
