/**
 * A session's info as it lies in `P::YYYY-MM-DD::session_UUID`, and what it says when read.
 *
 *   visitor, start, source, campaign, user    texts, as first told (user: as last told)
 *   entry, exit                               time of the view: f64; then the path
 *   w:TAB                                     what is known of one tab, packed, little-endian:
 *
 *     | highest number | events | views  | heartbeats | first  | last   | missing numbers |
 *     | u32            | u32    | u32    | u32        | f64    | f64    | text            |
 *
 *   tabs                                      how many of those there are
 *
 * `highest` and `missing` are the window of seen numbers (window.ts draws it); times are epoch ms. Events without a number
 * count in the tab without a name. One field a tab, because most of what is written is a heartbeat, and a
 * hash costs by the field: four fields took Redis 7.5 us to read and write, one takes 4.5 (Redis 7.0.15).
 *
 *   "w:t1" = 17, 20 events, 3 views, 12 heartbeats, from .. to .., "16"    number 16 has not come yet
 */
import type { RedisConnection } from './connection.ts';

/** Of one tab. */
export interface TabState {
  /** `highest[;missing]`: see window.ts. */
  readonly window: string;
  readonly events: number;
  readonly views: number;
  readonly heartbeats: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Of all tabs together; times are epoch ms. */
export interface SessionInfo {
  readonly visitorId: string;
  readonly startMs: number | undefined;
  readonly source: string | undefined;
  readonly campaign: string | undefined;
  readonly userId: string | undefined;
  readonly events: number;
  readonly views: number;
  readonly heartbeats: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly entry: { readonly timeMs: number; readonly path: string } | undefined;
  readonly exit: { readonly timeMs: number; readonly path: string } | undefined;
  /** By escaped tab id. */
  readonly tabs: ReadonlyMap<string, TabState>;
}

const tabStateBytes = 32;
const tabPrefix = 'w:';

export function decodeTabState(bytes: Buffer): TabState {
  const missing = bytes.toString('latin1', tabStateBytes);
  return {
    window: `${bytes.readUInt32LE(0)}${missing === '' ? '' : `;${missing}`}`,
    events: bytes.readUInt32LE(4),
    views: bytes.readUInt32LE(8),
    heartbeats: bytes.readUInt32LE(12),
    firstMs: bytes.readDoubleLE(16),
    lastMs: bytes.readDoubleLE(24),
  };
}

/** Undefined if the key is not there. Throws CB_REDIS_*. */
export async function readSessionInfo(
  connection: RedisConnection,
  key: string,
): Promise<SessionInfo | undefined> {
  const flat = (await connection.callBuffer('HGETALL', [key])) as Buffer[];
  if (flat.length === 0) return undefined;
  const fields = new Map<string, Buffer>();
  const tabs = new Map<string, TabState>();
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = String(flat[i]);
    const value = flat[i + 1] as Buffer;
    if (name.startsWith(tabPrefix)) tabs.set(name.slice(tabPrefix.length), decodeTabState(value));
    else fields.set(name, value);
  }
  const text = (name: string): string | undefined => fields.get(name)?.toString();
  const start = text('start');
  return {
    visitorId: text('visitor') ?? '',
    startMs: start === undefined ? undefined : Number(start),
    source: text('source'),
    campaign: text('campaign') === '' ? undefined : text('campaign'),
    userId: text('user'),
    ...sumOfTabs([...tabs.values()]),
    entry: decodePage(fields.get('entry')),
    exit: decodePage(fields.get('exit')),
    tabs,
  };
}

function sumOfTabs(tabs: readonly TabState[]) {
  const sum = (of: (tab: TabState) => number): number => tabs.reduce((total, tab) => total + of(tab), 0);
  return {
    events: sum(({ events }) => events),
    views: sum(({ views }) => views),
    heartbeats: sum(({ heartbeats }) => heartbeats),
    firstSeenMs: Math.min(...tabs.map(({ firstMs }) => firstMs)),
    lastSeenMs: Math.max(...tabs.map(({ lastMs }) => lastMs)),
  };
}

function decodePage(bytes: Buffer | undefined): { timeMs: number; path: string } | undefined {
  if (bytes === undefined) return undefined;
  return { timeMs: bytes.readDoubleLE(0), path: bytes.toString('utf8', 8) };
}
