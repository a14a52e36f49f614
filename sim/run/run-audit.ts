/** The two ways to audit a run: heartbeats among the events, or in a session store. Looked at first, asked at the end. */
import type { Clock } from '../../server/base/clock.ts';
import { messageOf } from '../../server/base/errors.ts';
import { formatCount, formatDuration } from '../../server/base/units.ts';
import { type AuditReport, runAudit, watchForOtherWriters } from '../audit/audit.ts';
import type { CollectorApi } from '../audit/collector-api.ts';
import { type FurtherLook, furtherLook, withFurther } from '../audit/further-audit.ts';
import { type AuditSnapshot, takeSnapshot } from '../audit/snapshot.ts';
import {
  awaitDepartures,
  departureRows,
  readStore,
  runStoreAudit,
  type StoreReading,
  watchStoreForOtherWriters,
} from '../audit/store-audit.ts';
import type { TruthRecord } from '../worker/crowd-truth.ts';
import type { LedgerRecord } from '../worker/ledger.ts';
import { departureType, type StoreRecord } from '../worker/store-beats.ts';
import type { SimOptions } from './options.ts';

export interface BeforeRun {
  readonly otherWriters: readonly string[];
  readonly snapshot: AuditSnapshot;
  /** Undefined: heartbeats are events. */
  readonly store: StoreReading | undefined;
  readonly further: FurtherLook;
}

/** What the audit needs to know of a run. */
export interface AuditedRun {
  readonly seed: number;
  readonly runId: string;
  readonly before: BeforeRun;
  readonly ledger: LedgerRecord;
  readonly store: StoreRecord;
  readonly truth: TruthRecord;
  readonly sessionStore: string | undefined;
  /** How long flushers get to write that everybody has left; 0: they are not waited for. */
  readonly awaitTimeoutsMs: number;
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
  { sessionStore, crowd }: Pick<SimOptions, 'sessionStore' | 'crowd'>,
  nowMs: number,
  rows: readonly string[],
  backMs = 0,
): Promise<BeforeRun> {
  const sources = [...crowd.site.sources, ...(crowd.returningSources ?? [])];
  const further = (): Promise<FurtherLook> => furtherLook(api, { sources, rows, nowMs, backMs });
  if (sessionStore === undefined) {
    const otherWriters = await watchForOtherWriters(api);
    const snapshot = await takeSnapshot(api, nowMs, rows, backMs);
    return { otherWriters, snapshot, store: undefined, further: await further() };
  }
  const otherWriters = await watchStoreForOtherWriters(api, sessionStore);
  const store = await readStore(api, sessionStore);
  const snapshot = await takeSnapshot(api, nowMs, rows, backMs);
  const departures = await takeSnapshot(api, nowMs, departureRows, backMs);
  return {
    otherWriters,
    snapshot: { ...snapshot, uniques: { ...snapshot.uniques, ...departures.uniques } },
    store,
    further: await further(),
  };
}

/** A target that no longer answers can't be audited; that is a mismatch with its reason, not a lost result. */
export async function audited(
  api: CollectorApi,
  run: AuditedRun,
  hooks: AuditHooks,
  isHopeless = false,
  comparesSessions = false,
): Promise<AuditReport> {
  try {
    const report = await basicAudit(api, run, hooks, isHopeless);
    const { before, ledger, truth, seed, runId, sessionStore } = run;
    const ignoredTypes = sessionStore === undefined ? [] : [departureType];
    const nowMs = hooks.clock.wallMs();
    const known = { ledger, truth, seed, runId, nowMs, ignoredTypes, comparesSessions };
    return await withFurther(api, report, before.further, known);
  } catch (error) {
    return {
      ok: false,
      auditable: true,
      reasons: [`the target did not answer the audit: ${messageOf(error)}`],
      checks: [],
    };
  }
}

async function basicAudit(
  api: CollectorApi,
  run: AuditedRun,
  hooks: AuditHooks,
  isHopeless: boolean,
): Promise<AuditReport> {
  const { before, ledger, sessionStore, awaitTimeoutsMs } = run;
  const { otherWriters, snapshot, store } = before;
  if (sessionStore === undefined || store === undefined) return runAudit(api, snapshot, ledger, otherWriters);
  const mayWait = awaitTimeoutsMs > 0 && !isHopeless;
  const isAwaited = mayWait && (await allDeparted(api, sessionStore, awaitTimeoutsMs, hooks));
  const audit = { name: sessionStore, before: store, record: run.store };
  return runStoreAudit(api, snapshot, ledger, otherWriters, audit, isAwaited);
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
