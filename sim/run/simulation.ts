/**
 * A whole simulation against a collector that is there already: look first, run the crowd, audit, write
 * the results down. What is shown meanwhile goes through hooks; exit codes are the caller's to return.
 */
import type { Clock } from '../../server/base/clock.ts';
import { messageOf } from '../../server/base/errors.ts';
import { type ExitCode, exitCodes, strongestExitCode } from '../../server/base/exit-codes.ts';
import { type AuditReport, runAudit, watchForOtherWriters } from '../audit/audit.ts';
import { CollectorApi } from '../audit/collector-api.ts';
import { type AuditSnapshot, takeSnapshot } from '../audit/snapshot.ts';
import { CrowdRun } from './crowd-run.ts';
import { describeEnvironment } from './environment.ts';
import type { SimOptions } from './options.ts';
import { buildResult, type RunFigures, type RunResult } from './result.ts';
import { prepareRunDirectory, writeResult } from './result-files.ts';
import { newRunId } from './run-id.ts';
import type { RunView } from './run-monitor.ts';

export interface SimulationOptions {
  readonly sim: SimOptions;
  readonly targetUrl: URL;
  readonly clock: Clock;
  readonly resultsDirectory: string;
  readonly logDirectory: string;
  readonly onView: (view: RunView) => void;
  readonly onNote: (note: string) => void;
  /** Told once, when the crowd can be ended by `end` and `abort`. */
  readonly onRunning: (run: CrowdRun) => void;
}

export interface SimulationOutcome {
  readonly result: RunResult;
  readonly directory: string;
}

const questionTimeoutMs = 10_000;

/** Throws CrowdbeatError CB_TARGET_UNREACHABLE, CB_WORKER or CB_FILE. */
export async function simulate(options: SimulationOptions): Promise<SimulationOutcome> {
  const { sim, targetUrl, clock } = options;
  const runId = newRunId(clock.wallMs());
  const places = await prepareRunDirectory(options.resultsDirectory, runId);
  const api = new CollectorApi({ url: targetUrl, property: sim.property, timeoutMs: questionTimeoutMs });
  const otherWriters = sim.audit ? await watchForOtherWriters(api) : [];
  const snapshot = sim.audit ? await takeSnapshot(api, clock.wallMs()) : undefined;
  const health = await api.health();
  const run = new CrowdRun({ ...options, runId, intervalLogPath: places.intervals });
  options.onRunning(run);
  const figures = await run.run();
  const audit = snapshot === undefined ? null : await audited(api, snapshot, figures, otherWriters);
  const result = buildResult(figures, sim, audit, describeEnvironment(health));
  await writeResult(places.runJson, result);
  if (sim.jsonFile !== undefined) await writeResult(sim.jsonFile, result);
  return { result, directory: places.directory };
}

/** A target that no longer answers can't be audited; that is a mismatch with its reason, not a lost result. */
async function audited(
  api: CollectorApi,
  snapshot: AuditSnapshot,
  figures: RunFigures,
  otherWriters: readonly string[],
): Promise<AuditReport> {
  try {
    return await runAudit(api, snapshot, figures.ledger, otherWriters);
  } catch (error) {
    return {
      ok: false,
      auditable: true,
      reasons: [`the target did not answer the audit: ${messageOf(error)}`],
      checks: [],
    };
  }
}

/** The exit code that a result has earned. */
export function exitCodeOf(result: RunResult, strict: boolean): ExitCode {
  if (result.end === 'aborted') return exitCodes.interruptedTwice;
  const earned: ExitCode[] = [];
  if (result.audit !== null && !result.audit.ok) earned.push(exitCodes.auditMismatch);
  if (strict && !result.generator.valid) earned.push(exitCodes.invalid);
  return strongestExitCode(earned);
}
