/** The words at the end of a run: what came of it, how fast, whether to believe it, where the rest is. */
import { formatCount, formatDuration, formatLatencyMs } from '../../server/base/units.ts';
import type { AuditReport } from '../audit/audit.ts';
import type { RepeatedAudit } from './audit-again.ts';
import type { EventCounts, Latencies, RunResult } from './result.ts';
import { sentToLines } from './sent-to.ts';

const reasonsShownMax = 12;

export function summaryText(result: RunResult, directory: string): string {
  return [
    '',
    headline(result),
    '',
    ...eventLines(result),
    ...sentToLines(result.sentTo),
    '',
    ...latencyLines(result),
    '',
    generatorLine(result),
    ...objectiveLines(result),
    auditLine(result.audit),
    ...auditExtraLines(result.audit),
    ...result.notes.map((note) => `Note       ${note}`),
    `Results    ${directory}`,
    '',
  ].join('\n');
}

function headline(result: RunResult): string {
  const { visitors, durationMs, seed, target } = result;
  const how = {
    ended: 'stayed',
    interrupted: 'was ended after',
    aborted: 'was cut off after',
    'gave up': 'gave up after',
  }[result.end];
  const others =
    visitors.started > visitors.peak
      ? ` (${formatCount(visitors.started)} in all, as some left and others came)`
      : '';
  return `A crowd of ${formatCount(visitors.peak)} visitors${others} ${how} ${formatDuration(durationMs)} at ${target}, seed ${seed}.`;
}

function eventLines(result: RunResult): string[] {
  const row = (cells: readonly string[]): string =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(14) : cell.padStart(13))).join('');
  const counts = (name: string, events: EventCounts): string =>
    row([
      name,
      ...[events.planned, events.acked, events.rejected, events.failed, events.dropped, events.unknown].map(
        formatCount,
      ),
    ]);
  const lines = [
    row(['Events', 'planned', 'acknowledged', 'rejected', 'failed', 'dropped', 'unknown']),
    ...Object.entries(result.events.byType).map(([type, events]) => counts(type, events)),
    counts('all', result.events),
  ];
  const kinds = (title: string, record: Readonly<Record<string, number>>): string[] => {
    const parts = Object.entries(record).map(([kind, count]) => `${formatCount(count)} ${kind}`);
    return parts.length === 0 ? [] : [`${title}: ${parts.join(', ')}`];
  };
  return [
    ...lines,
    ...kinds('Attempts that had to be repeated', result.errors),
    ...kinds('Rejected', result.rejections),
  ];
}

function latencyLines(result: RunResult): string[] {
  const afterRamp = result.latencyMsAfterRamp.response.count > 0;
  const shown = afterRamp ? result.latencyMsAfterRamp : result.latencyMs;
  const span = afterRamp ? `after the first ${formatDuration(result.ramp.overMs)}` : 'whole run';
  const rows: [keyof Latencies, string][] = [
    ['response', 'since a visitor meant to act'],
    ['service', 'from sending to answer'],
    ['blocked', 'for a connection, or the own last act'],
    ['lateness', 'the generator’s own delay'],
  ];
  const names = ['p50', 'p90', 'p99', 'p999', 'max'] as const;
  const cells = (metric: keyof Latencies): string =>
    names.map((name) => formatLatencyMs(shown[metric][name]).padStart(10)).join('');
  return [
    `Latency ${span}:`,
    `${' '.repeat(10)}${names.map((name) => name.replace('p999', 'p99.9').padStart(10)).join('')}`,
    ...rows.map(([metric, meaning]) => `${metric.padEnd(10)}${cells(metric)}   ${meaning}`),
  ];
}

function generatorLine({ generator }: RunResult): string {
  const cost = `${generator.cpuUsPerEvent.toFixed(1)} us of CPU an event, ${generator.workers} worker${generator.workers === 1 ? '' : 's'}`;
  const verdict = generator.valid ? 'valid' : `INVALID: ${generator.reasons.join('; ')}`;
  return `Generator  ${verdict}; ${cost}`;
}

function objectiveLines({ objectives }: RunResult): string[] {
  return objectives.map(
    ({ objective, ok, words }, at) =>
      `${at === 0 ? 'Objectives ' : '           '}${ok ? 'met   ' : 'MISSED'} ${objective}: ${words}`,
  );
}

/** What came of events without an answer, how fresh answers were, and what could not be asked. */
function auditExtraLines(audit: AuditReport | null): string[] {
  if (audit === null) return [];
  const { resolved, freshness, notAsked = [] } = audit;
  const lines: string[] = [];
  if (resolved !== undefined && resolved.stored + resolved.absent > 0)
    lines.push(
      `Unanswered ${formatCount(resolved.stored)} were stored and ${formatCount(resolved.absent)} not, says the target`,
    );
  const fresh = freshness?.ms;
  if (fresh !== undefined && fresh !== null)
    lines.push(
      `Freshness  in an answer ${formatLatencyMs(fresh.p50)} after its acknowledgement (p50), ` +
        `${formatLatencyMs(fresh.max)} at most, of ${formatCount(fresh.count)} events`,
    );
  return [...lines, ...notAsked.map((why) => `Not asked  ${why}`)];
}

/** What `crowdbeat audit` says. */
export function auditText(runId: string, { report, since, leftOut }: RepeatedAudit): string {
  const others =
    since.length === 0
      ? []
      : [
          `Since      others wrote to the property (${since.join(', ')}): ${formatCount(leftOut)} figures left out`,
        ];
  return [`Run        ${runId}`, auditLine(report), ...auditExtraLines(report), ...others, ''].join('\n');
}

function auditLine(audit: AuditReport | null): string {
  if (audit === null) return 'Audit      not asked for';
  const checked = `${formatCount(audit.checks.length)} figures of the collector compared with the ledger`;
  if (audit.ok) return `Audit      ok: ${checked}, all equal`;
  const shown = audit.reasons.slice(0, reasonsShownMax).map((reason) => `           - ${reason}`);
  const more = audit.reasons.length - shown.length;
  const verdict = audit.auditable ? 'MISMATCH' : 'NOT AUDITABLE';
  return [
    `Audit      ${verdict}: ${checked}`,
    ...shown,
    ...(more > 0 ? [`           - and ${more} more`] : []),
  ].join('\n');
}
