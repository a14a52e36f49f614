/** The two ways to audit a run: heartbeats among the events, or in a session store. Looked at first, asked at the end. */
import type { Clock } from '../../server/base/clock.ts';
import { messageOf } from '../../server/base/errors.ts';
import { formatCount, formatDuration } from '../../server/base/units.ts';
import { type AuditReport, runAudit, watchForOtherWriters } from '../audit/audit.ts';
import type { CollectorApi } from '../audit/collector-api.ts';
import { type AuditSnapshot, takeSnapshot } from '../audit/snapshot.ts';
import {
  awaitDepartures,
  departureRows,
  readStore,
  runStoreAudit,
  type StoreReading,
  watchStoreForOtherWriters,
} from '../audit/store-audit.ts';
import type { SimOptions } from './options.ts';
import type { RunFigures } from './result.ts';

export interface BeforeRun {
  readonly otherWriters: readonly string[];
  readonly snapshot: AuditSnapshot;
  /** Undefined: heartbeats are events. */
  readonly store: StoreReading | undefined;
}

export interface AuditHooks {
  readonly clock: Clock;
  readonly onNote: (note: string) => void;
  /** True: nobody wants to wait any longer. */
  readonly isAborted: () => boolean;
}

/**
 * What the target says before the first event.
 * @param rows the ledger's
 * @param backMs how far back some visitors' clocks are
 */
export async function lookBefore(
  api: CollectorApi,
  { sessionStore }: SimOptions,
  nowMs: number,
  rows?: readonly string[],
  backMs = 0,
): Promise<BeforeRun> {
  if (sessionStore === undefined) {
    const otherWriters = await watchForOtherWriters(api);
    return { otherWriters, snapshot: await takeSnapshot(api, nowMs, rows, backMs), store: undefined };
  }
  const otherWriters = await watchStoreForOtherWriters(api, sessionStore);
  const store = await readStore(api, sessionStore);
  const snapshot = await takeSnapshot(api, nowMs, rows, backMs);
  const departures = await takeSnapshot(api, nowMs, departureRows, backMs);
  return {
    otherWriters,
    snapshot: { ...snapshot, uniques: { ...snapshot.uniques, ...departures.uniques } },
    store,
  };
}

/** A target that no longer answers can't be audited; that is a mismatch with its reason, not a lost result. */
export async function audited(
  api: CollectorApi,
  before: BeforeRun,
  figures: RunFigures,
  sim: SimOptions,
  hooks: AuditHooks,
): Promise<AuditReport> {
  const { otherWriters, snapshot, store } = before;
  const { ledger, store: record } = figures;
  try {
    if (sim.sessionStore === undefined || store === undefined)
      return await runAudit(api, snapshot, ledger, otherWriters);
    const mayWait = sim.awaitTimeoutsMs > 0 && figures.end !== 'gave up' && figures.end !== 'aborted';
    const isAwaited = mayWait && (await allDeparted(api, sim.sessionStore, sim.awaitTimeoutsMs, hooks));
    const audit = { name: sim.sessionStore, before: store, record };
    return await runStoreAudit(api, snapshot, ledger, otherWriters, audit, isAwaited);
  } catch (error) {
    return {
      ok: false,
      auditable: true,
      reasons: [`the target did not answer the audit: ${messageOf(error)}`],
      checks: [],
    };
  }
}

/** False if somebody put an end to the waiting. When only the time is over, whoever is left is a fault. */
async function allDeparted(
  api: CollectorApi,
  name: string,
  waitMs: number,
  { clock, onNote, isAborted }: AuditHooks,
): Promise<boolean> {
  onNote(`waiting until all sessions of ${name} have departed, ${formatDuration(waitMs)} at most …`);
  const endMs = clock.monotonicMs() + waitMs;
  const left = await awaitDepartures(api, name, () => isAborted() || clock.monotonicMs() >= endMs);
  if (left > 0) onNote(`${formatCount(left)} sessions of ${name} have not departed`);
  return !isAborted();
}
