/**
 * The result of a run, `crowdbeat.run/1`: what `run.json` and `--json` hold. Latencies are milliseconds;
 * counts are events. docs/results.md describes every member.
 */
import type { AuditReport } from '../audit/audit.ts';
import type { HistogramSet, LatencySummary, LatencyWindow, Metric } from '../measure/index.ts';
import { metrics } from '../measure/index.ts';
import type { SentEventType } from '../targets/event-request.ts';
import type { TruthRecord } from '../worker/crowd-truth.ts';
import { type FateCounts, type LedgerRecord, totalFates } from '../worker/ledger.ts';
import type { StoreRecord } from '../worker/store-beats.ts';
import type { Environment } from './environment.ts';
import type { LittleSummary } from './littles-law.ts';
import { describeLoad } from './load-options.ts';
import type { MachineSummary } from './machine-counters.ts';
import { describeOptions, type SimOptions } from './options.ts';
import type { HealthSummary } from './run-monitor.ts';
import { type SentTo, sentTo } from './sent-to.ts';
import { judgeObjectives, type ObjectiveResult } from './slo.ts';
import type { ValidityRule, Verdict } from './verdict.ts';

export const runSchema = 'crowdbeat.run/1';

export type RunHealth = HealthSummary & MachineSummary & { readonly little: LittleSummary };

export type Latencies = Readonly<Record<Metric, LatencySummary>>;

export interface EventCounts extends FateCounts {
  /** accepted + duplicates: what the collector says it has. */
  readonly acked: number;
}

export interface RunResult {
  readonly schema: typeof runSchema;
  readonly runId: string;
  readonly seed: number;
  readonly startedAt: string;
  readonly durationMs: number;
  /**
   * `ended`: as planned. `interrupted`: by Ctrl-C or stopSim; figures are those of the time until then.
   * `gave up`: the target acknowledged nothing for --give-up. `aborted`: cut off.
   */
  readonly end: 'ended' | 'interrupted' | 'gave up' | 'aborted';
  readonly target: string;
  readonly visitors: {
    readonly asked: number;
    readonly peak: number;
    readonly started: number;
    readonly ended: number;
  };
  readonly events: EventCounts & { readonly byType: Readonly<Record<SentEventType, EventCounts>> };
  readonly sentTo: SentTo;
  /** The whole run, ramp included. */
  readonly latencyMs: Latencies;
  readonly latencyMsByType: Readonly<Record<SentEventType, Latencies>>;
  /** After the ramp: only intervals that began at or after `ramp.overMs`. */
  readonly latencyMsAfterRamp: Latencies;
  readonly ramp: { readonly perSecond: number; readonly overMs: number };
  readonly errors: Readonly<Record<string, number>>;
  readonly rejections: Readonly<Record<string, number>>;
  /** The crowd's name, and the load model with its figures. */
  readonly crowd: string;
  readonly load: Readonly<Record<string, unknown>>;
  /** What the network of the crowd's config did to how many events; empty if nothing. */
  readonly network: Readonly<Record<string, number>>;
  readonly generator: {
    /** CPU of the whole generator process, user and system, by distinct events sent. */
    readonly cpuUsPerEvent: number;
    /** Growth of the resident set from before the first arrival to the peak, by visitors present at the peak. */
    readonly bytesPerVisitor: number;
    readonly workers: number;
    readonly valid: boolean;
    readonly reasons: readonly string[];
    /** Every rule with its limit and what was found (docs/validity.md). */
    readonly rules: readonly ValidityRule[];
    readonly health: RunHealth;
  };
  /** Of --slo; empty if nothing was asked for. */
  readonly objectives: readonly ObjectiveResult[];
  /** Null with --no-audit. */
  readonly audit: AuditReport | null;
  readonly environment: Environment;
  readonly options: Readonly<Record<string, unknown>>;
  /** Things a reader should know: logs that stopped, options without effect. */
  readonly notes: readonly string[];
}

/** What a run leaves behind, before it is judged and written down. */
export interface RunFigures {
  readonly runId: string;
  readonly startWallMs: number;
  readonly durationMs: number;
  readonly end: RunResult['end'];
  readonly targetUrl: URL;
  /** All that were asked for, those added later included. */
  readonly asked: number;
  readonly peak: number;
  readonly started: number;
  readonly ended: number;
  readonly ledger: LedgerRecord;
  readonly store: StoreRecord;
  readonly truth: TruthRecord;
  /** Events whose answer never came, and what the target says became of them. */
  readonly resolved: { readonly stored: number; readonly absent: number };
  readonly histograms: HistogramSet;
  readonly steadyFromMs: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly cpuUs: number;
  readonly memoryGrowthBytes: number;
  readonly verdict: Verdict;
  readonly health: RunHealth;
  readonly notes: readonly string[];
}

const noLatency: LatencySummary = { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, mean: 0, count: 0 };

function latencies(histograms: HistogramSet, window: LatencyWindow, type?: SentEventType): Latencies {
  const entries = metrics.map((metric) => [metric, histograms.summary(window, metric, type) ?? noLatency]);
  return Object.fromEntries(entries) as Latencies;
}

const withAcked = (fates: FateCounts): EventCounts => ({
  ...fates,
  acked: fates.accepted + fates.duplicates,
});

export function buildResult(
  figures: RunFigures,
  options: SimOptions,
  audit: AuditReport | null,
  environment: Environment,
): RunResult {
  const { ledger, histograms } = figures;
  const total = totalFates(ledger);
  const perType = <Value>(read: (type: SentEventType) => Value) =>
    Object.fromEntries(Object.keys(ledger.byType).map((type) => [type, read(type)]));
  return {
    schema: runSchema,
    runId: figures.runId,
    seed: options.seed,
    startedAt: new Date(figures.startWallMs).toISOString(),
    durationMs: Math.round(figures.durationMs),
    end: figures.end,
    target: figures.targetUrl.href,
    visitors: { asked: figures.asked, peak: figures.peak, started: figures.started, ended: figures.ended },
    events: { ...withAcked(total), byType: perType((type) => withAcked(ledger.byType[type] as FateCounts)) },
    sentTo: sentTo(ledger, figures.store, options, audit),
    latencyMs: latencies(histograms, 'whole'),
    latencyMsByType: perType((type) => latencies(histograms, 'whole', type)),
    latencyMsAfterRamp: latencies(histograms, 'steady'),
    ramp: { perSecond: options.rampPerSecond, overMs: figures.steadyFromMs },
    errors: figures.errors,
    rejections: ledger.rejections,
    crowd: options.crowd.site.name,
    load: describeLoad(options),
    network: ledger.network,
    generator: {
      cpuUsPerEvent: figures.cpuUs / Math.max(1, total.sent),
      bytesPerVisitor: Math.round(figures.memoryGrowthBytes / Math.max(1, figures.peak)),
      workers: options.workers,
      ...figures.verdict,
      health: figures.health,
    },
    objectives: judgeObjectives(options.objectives, {
      ...figures,
      freshness: audit?.freshness?.ms ?? null,
    }),
    audit,
    environment,
    options: describeOptions(options),
    notes: figures.notes,
  };
}
