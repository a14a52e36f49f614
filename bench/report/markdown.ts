/**
 * A comparison as Markdown, for the summary of a CI step and for a comment. The first line is a hidden key, by which
 * a comment is found and edited instead of written again.
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

/** A comment holds at most 65,536 characters. */
export const commentLengthMax = 65_000;

/** The line by which the comment of a workload is found again. */
export function stickyKey(workloadName: string): string {
  return `<!-- crowdbeat bench: ${workloadName.replace(/[^\w.+-]/g, '_')} -->`;
}

export function markdown(reported: Reported): string {
  const { comparison, stored } = reported;
  const gated = comparison.metrics.filter((metric) => metric.gated);
  const shown = comparison.metrics.filter((metric) => !metric.gated);
  const text = [
    stickyKey(stored?.session.workload.name ?? 'results'),
    `### ${comparison.verdict}: ${shaText(comparison.base)} → ${shaText(comparison.candidate)}`,
    '',
    verdictMeaning[comparison.verdict],
    '',
    ...comparison.reasons.map((reason) => `- ${cell(reason)}`),
    ...(comparison.reasons.length === 0 ? [] : ['']),
    ...table(gated),
    ...details('Only shown, never gated', table(shown)),
    ...details('Pairs and guards', guardLines(comparison)),
    ...details('Machine and workload', sessionLines(reported)),
  ].join('\n');
  return text.length <= commentLengthMax ? `${text}\n` : `${shortened(text)}\n`;
}

function shortened(text: string): string {
  const note = '\n\n…shortened; the whole is in compare.json';
  return `${text.slice(0, commentLengthMax - note.length)}${note}`;
}

function table(metrics: readonly MetricResult[]): string[] {
  const [first] = metrics;
  if (first === undefined) return [];
  return [
    `| metric | base | candidate | change | ${confidenceText(first.alpha)} | margin | verdict |`,
    '| --- | ---: | ---: | ---: | ---: | ---: | --- |',
    ...metrics.map((metric) => {
      const { name, unit, base, candidate, change, wide, margin, verdict } = metric;
      const said = cell(metricVerdict(metric));
      const cells = [
        `\`${cell(name)}\``,
        valueText(base, unit),
        valueText(candidate, unit),
        changeText(change),
        intervalText(wide),
        `${Number((margin * 100).toFixed(1))}%`,
        verdict === 'REGRESSED' || verdict === 'IMPROVED' || verdict === 'INVALID' ? `**${said}**` : said,
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
  ];
}

function details(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [`<details><summary>${title}</summary>`, '', ...lines, '', '</details>', ''];
}

function guardLines({ pairs, notes, session, confirmedBy, tool }: Comparison): string[] {
  return [
    `- ${pairs.used} of ${pairs.planned} pairs used, ${pairs.dropped.length} dropped, ${pairs.unfinished} unfinished`,
    ...pairs.dropped.map(({ pair, reasons }) => `- pair ${pair}: ${cell(reasons.join('; '))}`),
    ...notes.map((note) => `- ${cell(note)}`),
    `- session \`${session}\`${confirmedBy === null ? '' : `, confirmed by \`${confirmedBy}\``}, crowdbeat ${tool}`,
  ];
}

function sessionLines({ comparison, stored }: Reported): string[] {
  if (stored === null) return [];
  const { env, workload, seed } = stored.session;
  const load = workload.ratePerSec === null ? workload.mode : `${workload.mode}, ${workload.ratePerSec}/s`;
  return [
    `- ${cell(env.cpuModel)}, ${env.nproc} cores, ${env.memMiB} MiB, ${env.virt}, kernel ${env.kernel}, Node ${env.node}, ` +
      `${env.server.name} ${env.server.version ?? 'of unknown version'}`,
    `- class \`${comparison.envClass}\``,
    `- workload ${cell(workload.name)} (${load}), warm-up ${workload.warmupS} s, window ${workload.measureS} s, seed ${seed}`,
  ];
}

/** Text of records goes into tables and lists as text: no column of its own, no tag, no line break. */
function cell(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[|`]/g, (sign) => `\\${sign}`)
    .replace(/\s+/g, ' ');
}
