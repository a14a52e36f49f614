/**
 * A comparison for the terminal: one line a metric, the verdict last, where the eye is when a command ends.
 * Gated metrics come first; those that are only shown follow under a line of their own.
 */
import type { Comparison, MetricResult } from '../compare/index.ts';
import {
  changeText,
  confidenceText,
  intervalText,
  metricVerdict,
  shaText,
  valueText,
  verdictMeaning,
} from './figures.ts';
import type { Reported } from './reported.ts';

export interface TerminalOptions {
  /** Also metrics that are never gated. */
  readonly all?: boolean;
  /** Colours, for a terminal. */
  readonly color?: boolean;
}

export function terminalTable(reported: Reported, options: TerminalOptions = {}): string {
  const { comparison } = reported;
  const { metrics, reasons, notes, pairs } = comparison;
  const gated = metrics.filter((metric) => metric.gated);
  const shown = options.all === true ? metrics.filter((metric) => !metric.gated) : [];
  const rows = [headRow(gated[0] ?? shown[0]), ...gated.map(rowOf), ...shown.map(rowOf)];
  const lines = [
    headline(reported),
    ...(metrics.length === 0 ? [] : aligned(rows)),
    ...(options.all === true || metrics.length === gated.length
      ? []
      : [`${metrics.length - gated.length} more are only shown, with --all`]),
    ...pairs.dropped.map(({ pair, reasons: why }) => `dropped pair ${pair}: ${why.join('; ')}`),
    ...notes.map((note) => `note: ${note}`),
    ...reasons.map((reason) => `reason: ${reason}`),
    verdictLine(comparison, options.color === true),
  ];
  return `${lines.join('\n')}\n`;
}

function headline({ comparison, stored }: Reported): string {
  const { base, candidate, pairs, envClass } = comparison;
  const workload = stored?.session.workload;
  const steal = (stored?.trials ?? []).flatMap(({ host }) => (host.stealPct === null ? [] : [host.stealPct]));
  return [
    `compare ${shaText(base)} -> ${shaText(candidate)}`,
    `${pairs.used} of ${pairs.planned} pairs`,
    ...(workload === undefined ? [] : [`${workload.name}, ${loadText(workload)}`]),
    `machine ${envClass.replace(/^sha256:/, '').slice(0, 8)}`,
    ...(steal.length === 0 ? [] : [`steal at most ${Math.max(...steal).toFixed(1)}%`]),
  ].join(', ');
}

function loadText({
  mode,
  ratePerSec,
}: {
  readonly mode: string;
  readonly ratePerSec: number | null;
}): string {
  return ratePerSec === null ? `${mode} loop` : `${mode} loop ${Math.round(ratePerSec)}/s`;
}

function headRow(first: MetricResult | undefined): string[] {
  return [
    'metric',
    'base',
    'candidate',
    'change',
    confidenceText(first?.alpha ?? 0.005),
    'margin',
    'verdict',
  ];
}

function rowOf(metric: MetricResult): string[] {
  const { name, unit, base, candidate, change, wide, margin } = metric;
  return [
    name,
    valueText(base, unit),
    valueText(candidate, unit),
    changeText(change),
    intervalText(wide),
    `${Number((margin * 100).toFixed(1))}%`,
    metricVerdict(metric),
  ];
}

/** The first and last columns stand left, figures right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_cell, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => {
        if (at === row.length - 1) return cell;
        return at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
      })
      .join('  '),
  );
}

const colors: Readonly<Record<Comparison['verdict'], number>> = {
  SAME: 32,
  IMPROVED: 32,
  REGRESSED: 31,
  INCONCLUSIVE: 33,
  INVALID: 35,
  NOT_COMPARABLE: 35,
};

function verdictLine({ verdict, toConfirm }: Comparison, color: boolean): string {
  const word = color ? `\u001b[${colors[verdict]}m${verdict}\u001b[0m` : verdict;
  const waiting =
    toConfirm.metrics.length === 0
      ? ''
      : ` A fresh session of ${toConfirm.pairs} pairs has to confirm ${toConfirm.metrics.join(', ')}.`;
  return `verdict: ${word}. ${verdictMeaning[verdict]}${waiting}`;
}
