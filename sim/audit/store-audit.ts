/**
 * The audit of a run whose heartbeats went to a session store.
 *
 * Such a heartbeat is no event: it may appear nowhere among them. What it leaves is a session in the store, which
 * goes out of it only as one `sessionTimeout` event, whichever flusher writes it and whenever. So at any moment
 *
 *   sessions in the store + departures written = those before the run + visits with an acknowledged heartbeat
 *
 * which holds on a store with data, and while a flusher is at work. When the departures were waited for, the store is
 * empty, each visit has its event, and each visitor is counted in the minute, hour, day, month and year when it was
 * last heard of. Documents and sessions are compared without the departures.
 */
import type { TotalsReply } from '../../server/protocol/replies.ts';
import { botRow, wireType } from '../crowd/crowd-types.ts';
import type { FateCounts, LedgerRecord } from '../worker/ledger.ts';
import { departureType, type StoreRecord } from '../worker/store-beats.ts';
import {
  type AuditCheck,
  type AuditReport,
  check,
  differences,
  ledgerReasons,
  totalsChecks,
  uniquesChecks,
} from './audit.ts';
import type { CollectorApi } from './collector-api.ts';
import { type AuditSnapshot, totalsDrift } from './snapshot.ts';

/** One moment of a session store, with the totals of the same moment. */
export interface StoreReading {
  readonly live: number;
  /** `sessionTimeout` events, of people and of bots. */
  readonly departed: number;
  readonly totals: TotalsReply;
}

export interface StoreAudit {
  readonly name: string;
  readonly before: StoreReading;
  readonly record: StoreRecord;
}

/** What flushers write, as rows of the ledger. */
export const departureRows = [departureType, botRow(departureType)] as const;

const betweenMs = 100;
const readingsMax = 50;
const quietMs = 300;

/**
 * Between the writing of a departure and the end of its session a flusher takes a moment, in which the session is
 * both live and departed: two readings that say the same were not in it. Gives the last one if there are no such two.
 */
export async function readStore(api: CollectorApi, name: string): Promise<StoreReading> {
  let reading = await readOnce(api, name);
  for (let readings = 1; readings < readingsMax; readings++) {
    await pause(betweenMs);
    const next = await readOnce(api, name);
    if (next.live === reading.live && next.departed === reading.departed) return next;
    reading = next;
  }
  return reading;
}

async function readOnce(api: CollectorApi, name: string): Promise<StoreReading> {
  const live = await api.liveSessions(name);
  const totals = await api.totals();
  return { live, departed: departuresIn(totals), totals };
}

const departuresIn = ({ byType, bots }: TotalsReply): number =>
  (byType[departureType] ?? 0) + (bots?.[departureType] ?? 0);

/** Says what moved though the crowd was silent. Sessions that depart meanwhile are not somebody else's doing. */
export async function watchStoreForOtherWriters(api: CollectorApi, name: string): Promise<string[]> {
  const before = await readStore(api, name);
  await pause(quietMs);
  const after = await readStore(api, name);
  const drift = totalsDrift(withoutDepartures(before.totals), withoutDepartures(after.totals));
  const [was, is] = [before.live + before.departed, after.live + after.departed];
  if (was !== is) drift.push(`sessions of ${name}, live and departed, went from ${was} to ${is}`);
  return drift.map((change) => `another writer: while the crowd was silent ${change}`);
}

/**
 * Waits until the store is empty: everybody has departed, also whoever was in it before the run.
 * @param isOver asked again and again: true ends the waiting
 * @returns how many are left
 */
export async function awaitDepartures(
  api: CollectorApi,
  name: string,
  isOver: () => boolean,
): Promise<number> {
  for (;;) {
    const live = await api.liveSessions(name);
    if (live === 0 || isOver()) return live;
    await pause(betweenMs);
  }
}

/** @param isAwaited the departures were waited for: then they are all due */
export async function runStoreAudit(
  api: CollectorApi,
  snapshot: AuditSnapshot,
  ledger: LedgerRecord,
  otherWriters: readonly string[],
  store: StoreAudit,
  isAwaited: boolean,
): Promise<AuditReport> {
  const disturbances = [...otherWriters, ...(await watchStoreForOtherWriters(api, store.name))];
  const after = await readStore(api, store.name);
  const written = withoutBeats(ledger, after.departed > store.before.departed ? store.record.unwritten : 0);
  const checks = [
    ...totalsChecks(withoutDepartures(store.before.totals), withoutDepartures(after.totals), written),
    ...(await uniquesChecks(api, snapshot, written)),
    ...storeChecks(store, after, isAwaited),
    ...(await departureChecks(api, snapshot, store, isAwaited)),
  ];
  const reasons = [...disturbances, ...ledgerReasons(ledger), ...differences(checks)];
  const departed = after.departed - store.before.departed;
  const sessionStore = { live: after.live, departed };
  return { ok: reasons.length === 0, auditable: disturbances.length === 0, reasons, checks, sessionStore };
}

export function storeChecks(
  { name, before, record }: StoreAudit,
  after: StoreReading,
  isAwaited: boolean,
): AuditCheck[] {
  const expected = before.live + record.sessions;
  const departed = after.departed - before.departed;
  const both = check(`sessions of ${name}, live and departed`, expected, after.live + departed);
  if (!isAwaited) return [both];
  return [both, check(`sessions of ${name}, live`, 0, after.live), check('departures', expected, departed)];
}

/** Who departed when. Sessions from before the run that depart during it hide that, so then nothing is compared. */
async function departureChecks(
  api: CollectorApi,
  snapshot: AuditSnapshot,
  { before, record }: StoreAudit,
  isAwaited: boolean,
): Promise<AuditCheck[]> {
  if (!isAwaited || before.live > 0) return [];
  return uniquesChecks(api, snapshot, { uniques: record.departures });
}

export function withoutDepartures(totals: TotalsReply): TotalsReply {
  const { [departureType]: people = 0, ...byType } = totals.byType;
  const { [departureType]: bots = 0, ...botTypes } = totals.bots ?? {};
  return { ...totals, byType, bots: botTypes, documents: totals.documents - people - bots };
}

/** The ledger of what was written: heartbeats of the store are no events. @param further sessions by departures */
export function withoutBeats(ledger: LedgerRecord, further: number): LedgerRecord {
  const byType = Object.entries(ledger.byType).map(([row, fates]): [string, FateCounts] =>
    wireType(row) === 'heartbeat' ? [row, { ...fates, accepted: 0, duplicates: 0 }] : [row, fates],
  );
  return { ...ledger, byType: Object.fromEntries(byType), sessions: ledger.sessions + further };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
