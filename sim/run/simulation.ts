/**
 * A whole simulation against a collector that is there already: look first, run the crowd, audit, write
 * the results down. What is shown meanwhile goes through hooks; exit codes are the caller's to return.
 */
import { join } from 'node:path';
import type { Clock } from '../../server/base/clock.ts';
import { CrowdbeatError } from '../../server/base/errors.ts';
import { type ExitCode, exitCodes, strongestExitCode } from '../../server/base/exit-codes.ts';
import { formatPropertyName } from '../../server/protocol/property.ts';
import type { HealthReply } from '../../server/protocol/replies.ts';
import { CollectorApi } from '../audit/collector-api.ts';
import { FreshnessProbe } from '../audit/freshness.ts';
import { resolveUnknown } from '../audit/unknown-events.ts';
import { rowsOf } from '../crowd/extras.ts';
import { backMsOf } from '../crowd/network-life.ts';
import { preflight } from '../targets/preflight.ts';
import { CrowdRun } from './crowd-run.ts';
import { checkDescriptors } from './descriptors.ts';
import { describeEnvironment } from './environment.ts';
import { ledgerFileName, writeLedger } from './ledger-file.ts';
import type { SimOptions } from './options.ts';
import { buildResult, type RunResult } from './result.ts';
import { prepareRunDirectory, writeResult } from './result-files.ts';
import { audited, lookBefore } from './run-audit.ts';
import { newRunId } from './run-id.ts';
import type { RunView } from './run-monitor.ts';
import { TargetAccess } from './target-access.ts';

export interface SimulationOptions {
  readonly sim: SimOptions;
  readonly targetUrl: URL;
  readonly clock: Clock;
  readonly resultsDirectory: string;
  readonly logDirectory: string;
  readonly onView: (view: RunView) => void;
  readonly onNote: (note: string) => void;
  /** Told every two seconds how the collector is; asked on a connection of its own. */
  readonly onHealth?: (health: HealthReply | 'away') => void;
  /** Told once, when the crowd can be ended by `end` and `abort`. */
  readonly onRunning: (run: CrowdRun) => void;
  /** What `crowdbeat doctor` measured of one thread of this machine's load client; undefined: nobody asked it. */
  readonly nullServerPerSecond?: number | undefined;
  /** Life of a token. Default one hour. */
  readonly tokenTtlMs?: number | undefined;
}

export interface SimulationOutcome {
  readonly result: RunResult;
  readonly directory: string;
  /** Why the result could not be written down, a sentence a file that names it; empty if it was. */
  readonly unwritten: readonly string[];
}

const questionTimeoutMs = 10_000;
/** A target that was given up may hang; it is asked all the same, as it may have come back. */
const hopelessQuestionTimeoutMs = 2000;

/**
 * Throws CrowdbeatError CB_OPTION (too few file descriptors), CB_REFUSED (login, rights, session store), CB_FILE,
 * CB_TARGET_UNREACHABLE before the first visitor, or CB_WORKER. A full disk at the end costs the files, never the result.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationOutcome> {
  checkDescriptors(options.sim);
  const access = await openAccess(options);
  try {
    return await simulateAs(access, options);
  } finally {
    access.close();
  }
}

/**
 * Above this freshness is only asked for if an objective names it: each question makes the collector read all that came
 * since the last one, some 7 us an event, a sixth of what taking the event cost it.
 */
const freshnessVisitorsMax = 5000;

async function simulateAs(access: TargetAccess, options: SimulationOptions): Promise<SimulationOutcome> {
  const { sim, targetUrl, clock } = options;
  const runId = newRunId(clock.wallMs());
  const places = await prepareRunDirectory(options.resultsDirectory, runId);
  const apiWithin = (timeoutMs: number): CollectorApi =>
    new CollectorApi({ url: targetUrl, property: sim.property, timeoutMs, bearer: access });
  const api = apiWithin(questionTimeoutMs);
  const before = sim.audit
    ? await lookBefore(api, sim, clock.wallMs(), rowsOf(sim.crowd), backMsOf(sim.crowd.network))
    : undefined;
  const health = await api.health();
  const asksFreshness =
    sim.visitors <= freshnessVisitorsMax || sim.objectives.some(({ figure }) => figure.kind === 'freshness');
  const probe = before === undefined || !asksFreshness ? undefined : new FreshnessProbe(api, clock);
  const auditApiAt = (end: RunResult['end']): CollectorApi =>
    end === 'gave up' ? apiWithin(hopelessQuestionTimeoutMs) : api;
  const run: CrowdRun = new CrowdRun({
    ...options,
    access,
    runId,
    intervalLogPath: places.intervals,
    ...(before === undefined
      ? {}
      : {
          resolveUnknown: (events) => resolveUnknown(auditApiAt(run.endSoFar), events, () => run.isAborted),
        }),
    onSample: (event) => void probe?.look(event),
  });
  options.onRunning(run);
  const stopWatching = watchHealth(api, options.onHealth);
  const figures = await run.run().finally(stopWatching);
  const freshness = probe?.close();
  const auditApi = auditApiAt(figures.end);
  const hooks = { clock, onNote: options.onNote, isAborted: () => run.isAborted };
  const { seed, sessionStore, awaitTimeoutsMs } = sim;
  const { ledger, store, truth, resolved } = figures;
  const isHopeless = figures.end === 'gave up' || figures.end === 'aborted';
  const known = { seed, runId, ledger, store, truth, sessionStore, awaitTimeoutsMs };
  const report =
    before === undefined ? null : await audited(auditApi, { ...known, before }, hooks, isHopeless);
  const audit = report === null ? null : { ...report, resolved, ...(freshness && { freshness }) };
  const result = buildResult(figures, sim, audit, describeEnvironment(health));
  const unwritten: string[] = [];
  if (before !== undefined && sim.ledgerFile) {
    const endedMs = clock.wallMs();
    const after = await auditApi.totals().catch(() => null /* away: later nobody can say who wrote since */);
    const property = formatPropertyName(sim.property);
    const where = {
      target: targetUrl.href,
      ownCollector: sim.target === undefined,
      property,
      endedMs,
      after,
    };
    const path = join(places.directory, ledgerFileName);
    await writeLedger(path, { run: { ...known, before }, ...where }).catch((error) =>
      unwritten.push(said(error)),
    );
  }
  for (const path of [places.runJson, sim.jsonFile]) {
    if (path !== undefined) await writeResult(path, result).catch((error) => unwritten.push(said(error)));
  }
  return { result, directory: places.directory, unwritten };
}

function said(error: unknown): string {
  if (error instanceof CrowdbeatError) return error.message;
  throw error;
}

/** Logs in, and tries what the crowd will do where it may be refused. */
async function openAccess({ sim, targetUrl, tokenTtlMs }: SimulationOptions): Promise<TargetAccess> {
  const { property, sessionStore } = sim;
  const access = await TargetAccess.open({ ...sim.access, url: targetUrl, ttlMs: tokenTtlMs });
  const { token, key } = access;
  if (token === undefined && key === undefined && sessionStore === undefined) return access;
  const where = { url: targetUrl, property, sessionStore, addsStore: sim.target === undefined };
  await preflight({ ...where, token, key, timeoutMs: questionTimeoutMs }).catch((error: unknown) => {
    access.close();
    throw error;
  });
  return access;
}

const healthEveryMs = 2000;

function watchHealth(api: CollectorApi, onHealth: SimulationOptions['onHealth']): () => void {
  if (onHealth === undefined) return () => undefined;
  const timer = setInterval(
    () => void api.health().then((health) => onHealth(health ?? 'away')),
    healthEveryMs,
  );
  return () => clearInterval(timer);
}

/** The exit code that a result has earned; `unwritten` as in the outcome. */
export function exitCodeOf(result: RunResult, strict: boolean, unwritten: readonly string[] = []): ExitCode {
  if (result.end === 'aborted') return exitCodes.interruptedTwice;
  const earned: ExitCode[] = [];
  if (result.audit !== null && !result.audit.ok) earned.push(exitCodes.auditMismatch);
  // The target could not be reached: an error, unless the audit says it better.
  else if (result.end === 'gave up') earned.push(exitCodes.error);
  if (result.objectives.some(({ ok }) => !ok)) earned.push(exitCodes.sloFailed);
  if (unwritten.length > 0) earned.push(exitCodes.error);
  if (strict && !result.generator.valid) earned.push(exitCodes.invalid);
  return strongestExitCode(earned);
}
