/**
 * The audit of a run that is over, from its ledger file. The same questions, over the same ranges.
 *
 * Who wrote to the property since changes totals, funnels, and every bucket that had not ended when the run did. Then these
 * are left out. What is left must still be equal: buckets that had ended, and each session with its number of events.
 */
import { parseBucket } from '../../server/base/time-bucket.ts';
import type { TotalsReply } from '../../server/protocol/replies.ts';
import type { AuditReport } from '../audit/audit.ts';
import type { CollectorApi } from '../audit/collector-api.ts';
import { totalsDrift } from '../audit/snapshot.ts';
import { withoutDepartures } from '../audit/store-audit.ts';
import type { SavedLedger } from './ledger-file.ts';
import { type AuditHooks, audited } from './run-audit.ts';

export interface RepeatedAudit {
  readonly report: AuditReport;
  /** What was written to the property since the run, in words. */
  readonly since: readonly string[];
  /** Figures that this changed, and that were left out. */
  readonly leftOut: number;
}

export async function auditAgain(
  api: CollectorApi,
  saved: SavedLedger,
  hooks: AuditHooks,
): Promise<RepeatedAudit> {
  // Ranges end where those of the run's own audit did.
  const clock = { ...hooks.clock, monotonicMs: () => hooks.clock.monotonicMs(), wallMs: () => saved.endedMs };
  const report = await audited(api, saved.run, { ...hooks, clock }, false, true);
  if (saved.after === null || report.checks.length === 0) return { report, since: [], leftOut: 0 };
  const own = (totals: TotalsReply): TotalsReply =>
    saved.run.sessionStore === undefined ? totals : withoutDepartures(totals);
  const since = totalsDrift(own(saved.after), own(await api.totals()));
  if (since.length === 0) return { report, since, leftOut: 0 };
  const isOut = (name: string): boolean => isTotal(name) || isOpenAfter(name, saved.endedMs);
  const out = report.checks.filter(({ name }) => isOut(name)).map(({ name }) => `${name}: `);
  const reasons = report.reasons.filter((reason) => !out.some((start) => reason.startsWith(start)));
  const checks = report.checks.filter(({ name }) => !isOut(name));
  if (checks.length === 0)
    reasons.push('nothing can be compared any more: others wrote to the property since');
  const left = { ...report, auditable: checks.length > 0, ok: reasons.length === 0, reasons, checks };
  return { report: left, since, leftOut: out.length };
}

const totalsPattern =
  /^(?:events \S+|documents|sessions|sessions of .*|departures|funnel .*|ordered funnel .*|events by .*)$/;

const isTotal = (name: string): boolean => totalsPattern.test(name);

/** True of a bucket that could still take events when the run was over. */
function isOpenAfter(name: string, endedMs: number): boolean {
  const bucket = /^(?:concurrent )?visitors(?: .*)? (\d{4}[-\d]*)$/.exec(name)?.[1];
  const parsed = bucket === undefined ? undefined : parseBucket(bucket);
  return parsed !== undefined && parsed.endMs > endedMs;
}
