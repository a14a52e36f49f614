/** A session of a benchmark as a page: its comparison, its pairs, its shapes, its history, its machine. */
import { type Comparison, historyOf, type MetricResult } from '../../compare/index.ts';
import { type IndexEntry, readIntervalLog, type SessionPlaces, type Trial } from '../../record/index.ts';
import {
  changeText,
  confidenceText,
  intervalText,
  metricVerdict,
  shaText,
  valueText,
  verdictMeaning,
} from '../figures.ts';
import { armWords, type OperationLatency, operationLatencies, type Reported } from '../reported.ts';
import { milliseconds, percentileChart, timelineOf } from './curves.ts';
import { forestSvg } from './forest.ts';
import { memberRows } from './json-rows.ts';
import {
  type Block,
  type Chart,
  fragment,
  type Page,
  rounded,
  type Section,
  type Table,
  type Tone,
} from './model.ts';
import { shiftCharts } from './shift-charts.ts';

export interface SessionPageInput {
  readonly reported: Reported;
  /** Where interval logs of its trials may lie. */
  readonly places: SessionPlaces | null;
  /** Every session that ended, oldest first. */
  readonly entries: readonly IndexEntry[];
}

const tones: Readonly<Record<Comparison['verdict'], Tone>> = {
  SAME: 'good',
  IMPROVED: 'good',
  REGRESSED: 'bad',
  INCONCLUSIVE: 'warn',
  INVALID: 'bad',
  NOT_COMPARABLE: 'bad',
};

export function sessionPage({ reported, places, entries }: SessionPageInput): Page {
  const { comparison } = reported;
  const latencies = operationLatencies(reported);
  return {
    title: `crowdbeat compare ${shaText(comparison.base)} → ${shaText(comparison.candidate)}`,
    headline: `${comparison.verdict}. ${verdictMeaning[comparison.verdict]}`,
    tone: tones[comparison.verdict],
    sections: [
      verdictSection(comparison),
      pairsSection(comparison),
      ...percentileSections(latencies),
      ...shiftSections(reported),
      ...timeSections(reported, places),
      historySection(comparison, entries),
      guardSection(reported),
      machineSection(reported),
    ],
  };
}

function verdictSection(comparison: Comparison): Section {
  const { metrics, reasons, notes } = comparison;
  const ordered = [...metrics.filter(({ gated }) => gated), ...metrics.filter(({ gated }) => !gated)];
  const columns = [
    'metric',
    'base',
    'candidate',
    'change',
    confidenceText(ordered[0]?.alpha ?? 0.005),
    'margin',
    'verdict',
  ];
  const table: Table = {
    ...{ kind: 'table', id: 'metrics', columns, numeric: [1, 2, 3, 4, 5] },
    rows: ordered.map((metric) => [
      metric.name,
      valueText(metric.base, metric.unit),
      valueText(metric.candidate, metric.unit),
      changeText(metric.change),
      intervalText(metric.wide),
      `${Number((metric.margin * 100).toFixed(1))}% (${metric.marginFrom})`,
      metric.gated ? metricVerdict(metric) : `advisory: ${metric.advisoryBecause ?? ''}`,
    ]),
    tones: ordered.map(({ verdict }) => (verdict === null ? 'plain' : tones[verdict])),
  };
  const said = [...reasons.map((text) => ['reason', text]), ...notes.map((text) => ['note', text])];
  const blocks: Block[] = [
    ...(said.length === 0
      ? []
      : [{ kind: 'table', id: 'reasons', columns: ['', 'said'], rows: said } as Table]),
    ...(metrics.length === 0
      ? []
      : [
          {
            kind: 'drawing',
            id: 'forest',
            title: 'Change of each gated metric, with its interval and margin',
            svg: forestSvg(ordered.filter(({ gated }) => gated)),
          } as const,
        ]),
    table,
  ];
  const about =
    'The dot is the estimate over all pairs, the line its interval. A regression is a line that lies wholly beyond the ' +
    'margin, and comes out so again in a fresh session.';
  return { id: 'verdict', title: 'Verdict', about, blocks };
}

function pairsSection({ metrics }: Comparison): Section {
  return {
    id: 'pairs',
    title: 'Differences of the pairs',
    about:
      'Each dot is one pair of trials: how much the candidate differed from the base. Dots of the two orders should mix; ' +
      'where they part, whichever came second was treated otherwise. The filled area is the interval.',
    blocks: metrics.filter(({ gated, pairs }) => gated && pairs.length > 0).map(pairChart),
  };
}

function pairChart(metric: MetricResult): Chart {
  const { name, pairs, change, wide, margin } = metric;
  const percent = (order: 'BC' | 'CB'): (number | null)[] =>
    pairs.map((pair) =>
      pair.order === order && pair.base > 0 ? rounded((pair.candidate / pair.base - 1) * 100) : null,
    );
  const level = (y: number | null, label: string, dashed: boolean) =>
    y === null ? [] : [{ y: rounded(y * 100) as number, label, dashed }];
  return {
    ...{ kind: 'chart', id: fragment('pair', name), title: name },
    x: { label: 'pair', kind: 'number' },
    y: { label: 'change', unit: '%' },
    xs: pairs.map(({ pair }) => pair),
    series: [
      { label: 'base first', values: percent('BC'), dots: true },
      { label: 'candidate first', values: percent('CB'), dots: true },
    ],
    levels: [
      ...level(change, 'estimate', false),
      ...level(margin, 'margin', true),
      ...level(1 / (1 + margin) - 1, 'margin', true),
    ],
    areas:
      wide.lower === null || wide.upper === null ? [] : [{ from: wide.lower * 100, to: wide.upper * 100 }],
  };
}

function percentileSections(latencies: readonly OperationLatency[]): Section[] {
  const ops = [...new Set(latencies.map(({ op }) => op))];
  if (ops.length === 0) return [];
  const chart = (op: string): Chart =>
    percentileChart(
      fragment('percentiles', op),
      op,
      latencies
        .filter((latency) => latency.op === op)
        .map(({ kind, arm, histogram }) => ({
          label: `${armWords[arm]} ${kind}`,
          histogram,
          faint: kind === 'service',
        })),
    );
  const about =
    'All used trials of each arm together. Response counts from the moment a request was meant to be sent, service ' +
    '(dashed) from its sending; the gap is waiting.';
  return [{ id: 'percentiles', title: 'Response and service by percentile', about, blocks: ops.map(chart) }];
}

function shiftSections(reported: Reported): Section[] {
  const charts = shiftCharts(reported);
  if (charts.length === 0) return [];
  const about =
    'How much slower the candidate is at each percentile, with a band that holds for all of them at once. A flat line above ' +
    'zero is a slower everything; a line that rises at the end is a longer tail.';
  return [{ id: 'shift', title: 'Shift function', about, blocks: charts }];
}

/** By second, where the trials kept their interval logs: one after the other, as they were measured. */
function timeSections({ stored }: Reported, places: SessionPlaces | null): Section[] {
  const begin = Date.parse(stored?.session.startedAt ?? '');
  const parts = [...(stored?.trials ?? [])]
    .sort((a, b) => Date.parse(a.t0) - Date.parse(b.t0))
    .flatMap((trial) => {
      const { intervals } = readIntervalLog(places?.hlog(trial.trialId) ?? '');
      if (intervals.length === 0) return [];
      const timeline = timelineOf(intervals, 40);
      const offsetS = (Date.parse(trial.t0) - begin) / 1000;
      const p99 = timeline.bins('').map((bin) => milliseconds(bin, 0.99));
      return [{ arm: trial.arm, xs: timeline.startS.map((s) => Math.round(s + offsetS)), p99 }];
    });
  if (parts.length === 0) return [];
  const chart: Chart = {
    ...{ kind: 'chart', id: 'time-p99', title: 'Response p99, trial after trial' },
    x: { label: 'time of the session', kind: 'seconds' },
    y: { label: 'p99', unit: 'ms', log: true },
    xs: parts.flatMap(({ xs }) => xs),
    series: (['B', 'C'] as const).map((arm) => ({
      label: armWords[arm],
      values: parts.flatMap((part) => part.p99.map((value) => (part.arm === arm ? value : null))),
    })),
  };
  return [{ id: 'time', title: 'Over time', about: 'Every trial, with its warm-up.', blocks: [chart] }];
}

function historySection(
  { envClass, workloadHash, metrics }: Comparison,
  entries: readonly IndexEntry[],
): Section {
  const alike = entries.filter((entry) => entry.envClass === envClass && entry.workloadHash === workloadHash);
  const gated = new Set(metrics.filter((metric) => metric.gated).map(({ name }) => name));
  const blocks = historyOf(alike)
    .filter(({ metric }) => gated.has(metric))
    .map(
      ({ metric, points, changes }): Chart => ({
        ...{ kind: 'chart', id: fragment('history', metric), title: metric },
        x: { label: 'when', kind: 'date' },
        y: { label: metric, unit: metrics.find(({ name }) => name === metric)?.unit ?? '' },
        xs: points.map(({ startedAt }) => Math.round(Date.parse(startedAt) / 1000)),
        series: [{ label: 'median', values: points.map(({ value }) => rounded(value)), dots: true }],
        marks: changes.map(({ at, change }) => ({
          x: Math.round(Date.parse(points[at]?.startedAt ?? '') / 1000),
          label: changeText(change),
        })),
      }),
    );
  const about =
    `${alike.length} sessions of this class of machine and this workload. A mark is a change point: the level changed there ` +
    'for good, as far as the later sessions show.';
  return { id: 'history', title: 'History', about, blocks };
}

function guardSection({ comparison, stored }: Reported): Section {
  const { dropped } = comparison.pairs;
  const trials = stored?.trials ?? [];
  const columns = [
    'trial',
    'sent',
    'errors',
    'send lag p99 us',
    'loop busy',
    'loop delay us',
    'steal',
    'memory MiB',
    'steady',
    'outcome',
  ];
  const table: Table = {
    ...{ kind: 'table', id: 'trials', columns, numeric: [1, 2, 3, 4, 5, 6, 7] },
    rows: trials.map((trial) =>
      trialRow(trial, dropped.find(({ pair }) => pair === trial.pair)?.reasons ?? []),
    ),
    tones: trials.map(({ pair }) => (dropped.some((one) => one.pair === pair) ? 'warn' : 'plain')),
  };
  const about =
    `${comparison.pairs.used} of ${comparison.pairs.planned} pairs were used. A trial that was disturbed is thrown out with its ` +
    'pair, whatever it found; the rules look at the generator, the machine and the books only.';
  return { id: 'guards', title: 'Trials and guards', about, blocks: trials.length === 0 ? [] : [table] };
}

function trialRow(trial: Trial, reasons: readonly string[]): string[] {
  const { rate, generator, host, server, steady } = trial;
  const own = reasons.filter((reason) => reason.startsWith(`${trial.trialId}:`));
  return [
    trial.trialId,
    String(rate.sent),
    String(rate.errors + rate.timeouts),
    String(Math.round(generator.sendLag.p99 ?? generator.sendLag.max)),
    `${(generator.elu * 100).toFixed(0)}%`,
    String(Math.round(generator.loopDelayP99Us)),
    host.stealPct === null ? '-' : `${host.stealPct.toFixed(1)}%`,
    server.rssPeakMiB === null ? '-' : server.rssPeakMiB.toFixed(0),
    steady === null ? '-' : steady.ok ? 'yes' : 'no',
    own.length > 0 ? own.join('; ') : reasons.length > 0 ? 'dropped with its pair' : 'used',
  ];
}

function machineSection({ comparison, stored }: Reported): Section {
  const { session } = stored ?? {};
  const parts = {
    environment: session?.env,
    workload: session?.workload,
    plan: session?.plan,
    base: session?.arms.B ?? comparison.base,
    candidate: session?.arms.C ?? comparison.candidate,
  };
  const blocks = Object.entries(parts).flatMap(([name, value]): Table[] => {
    const rows = memberRows(value, '');
    return rows.length === 0
      ? []
      : [{ kind: 'table', id: fragment('detail', name), columns: [name, 'value'], rows }];
  });
  const about = `Session ${comparison.session}, crowdbeat ${comparison.tool}.`;
  return { id: 'details', title: 'Machine, workload and builds', about, blocks };
}
