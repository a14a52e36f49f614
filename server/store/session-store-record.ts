/**
 * What a session store holds of one session. `P::stash:NAME::docs` is a hash of these texts by session id, and
 * `P::stash:NAME::seen` the sorted set of the ids by `lastUpdated`. Fixed widths, so that the scripts compare the
 * parts as texts and parse nothing:
 *
 *   offset  bytes
 *        0     13  lastUpdated   epoch ms, received; another one after each heartbeat: names this state of the session
 *       13     13  firstSeen     epoch ms, received
 *       26      5  departures    how often a flusher took the session for departed
 *       31      1  claimed       1: the last of these departures is of the heartbeat below
 *       32     13  time          epoch ms of the heartbeat
 *       45     10  seq           its number in its tab; 0: it has none
 *       55      3  bytes of the tab's id
 *       58      …  the tab's id, then the document, JSON with `_m1`
 *
 *   17952642150001795264205000000000179526421499000000000170012{"event":{"type":"heartbeat"…
 *   lastUpdated  firstSeen    |    |time         seq       |  |tab "2"
 *                             departures 0, not claimed    bytes of the tab's id
 *
 * The collector sends what begins at offset 32; the scripts put the first 32 bytes before it. What outlives a
 * session, in `P::stash:NAME::gone::UUID`, are the 18 bytes from offset 13.
 */
const stateBytes = 32;
const tabAt = 58;

export interface SessionHeartbeat {
  readonly sessionId: string;
  /** Epoch ms, whole, from 0 to 9999999999999. */
  readonly timeMs: number;
  /** 0: not numbered. */
  readonly seq: number;
  readonly tabId: string;
  /** One JSON object with a `_m1`. */
  readonly json: string;
}

/** A session as it is stored. Times are epoch ms. */
export interface StoredSession {
  readonly lastUpdatedMs: number;
  readonly firstSeenMs: number;
  /** Of the heartbeat, by the client's clock where that is within limits. */
  readonly timeMs: number;
  readonly departures: number;
  /** True: the last departure is of this heartbeat; a flusher may be at work on it. */
  readonly isDeparting: boolean;
  readonly json: string;
}

export const timeMsMax = 9_999_999_999_999;

/** Epoch ms in the 13 digits of a record. */
export const timeText = (ms: number): string => String(ms).padStart(13, '0');

/** The part of a record that the collector sends. */
export function heartbeatText({ timeMs, seq, tabId, json }: SessionHeartbeat): string {
  const tabBytes = String(Buffer.byteLength(tabId)).padStart(3, '0');
  return `${timeText(timeMs)}${String(seq).padStart(10, '0')}${tabBytes}${tabId}${json}`;
}

export function readSession(record: Buffer): StoredSession {
  const head = record.toString('latin1', 0, tabAt);
  const jsonAt = tabAt + Number(head.slice(55, tabAt));
  return {
    lastUpdatedMs: Number(head.slice(0, 13)),
    firstSeenMs: Number(head.slice(13, 26)),
    departures: Number(head.slice(26, 31)),
    isDeparting: head[31] === '1',
    timeMs: Number(head.slice(stateBytes, 45)),
    json: record.toString('utf8', jsonAt),
  };
}

/** Epoch ms at which the session was last updated, without reading the rest. */
export const lastUpdatedOf = (record: Buffer): number => Number(record.toString('latin1', 0, 13));
