/**
 * Service level objectives: `--slo 'view.p99<50ms,error<0.1%'`.
 *
 *   objectives = objective { "," objective }
 *   objective  = [ type "." ] [ metric "." ] percentile  op duration      p50 p90 p99.9 … max mean; response by default
 *              | [ type "." ] "error"                    op share         not acknowledged, of those planned
 *              | "retry"                                 op share         attempts that failed, of all attempts
 *              | [ type "." ] "rate"                     op rate          acknowledged events a second, whole run
 *              | "freshness." percentile                 op duration      from acknowledgement to being in an answer
 *   op = "<" | "<=" | ">" | ">="      metric = response | service | lateness | blocked
 *
 * Latencies are those after the ramp, or of the whole run if it ended before. An objective without a sample is missed.
 */
import { CrowdbeatError } from '../../server/base/errors.ts';
import { formatLatencyMs, parseDurationMs, parseRatePerSecond } from '../../server/base/units.ts';
import { type HistogramSet, type LatencySummary, type Metric, metrics } from '../measure/index.ts';
import { type FateCounts, type LedgerRecord, totalFates } from '../worker/ledger.ts';

type Op = '<' | '<=' | '>' | '>=';

export interface Objective {
  readonly text: string;
  /** Undefined: all types together. */
  readonly type: string | undefined;
  readonly figure:
    | { readonly kind: 'latency'; readonly metric: Metric; readonly stat: Stat }
    | { readonly kind: 'freshness'; readonly stat: Stat }
    | { readonly kind: 'error' | 'retry' | 'rate' };
  readonly op: Op;
  /** Milliseconds, a share from 0 to 1, or events a second. */
  readonly limit: number;
}

/** A percentile from 0 to 100, or what it says. */
export type Stat = number | 'max' | 'mean';

export interface ObjectiveResult {
  readonly objective: string;
  readonly ok: boolean;
  /** In the unit of the limit; null without samples. */
  readonly actual: number | null;
  /** What it was, for people. */
  readonly words: string;
}

const objectivePattern = /^([^<>]+?)\s*(<=|>=|<|>)\s*(\S+)$/;
const percentilePattern = /^p(\d{1,2}(?:\.\d{1,3})?)$/;

/** Undefined if the text is no list of objectives. */
export function readObjectives(raw: unknown): readonly Objective[] | undefined {
  if (typeof raw !== 'string') return undefined;
  const read = raw.split(',').map((text) => readObjective(text.trim()));
  return read.every((one) => one !== undefined) ? read : undefined;
}

function readObjective(text: string): Objective | undefined {
  const [, name = '', op = '', value = ''] = objectivePattern.exec(text) ?? [];
  const named = readName(name);
  if (named === undefined) return undefined;
  const limit = readLimit(named.figure.kind, value);
  return limit === undefined ? undefined : { text, ...named, op: op as Op, limit };
}

function readName(name: string): Pick<Objective, 'type' | 'figure'> | undefined {
  // The dot of p99.9 is not one between words.
  const words = name.split(/\.(?!\d)/);
  const last = words.pop() ?? '';
  const before = words.at(-1);
  if (last === 'retry') return words.length === 0 ? { type: undefined, figure: { kind: last } } : undefined;
  if (last === 'error' || last === 'rate')
    return { type: words.length === 0 ? undefined : words.join('.'), figure: { kind: last } };
  const stat = readStat(last);
  if (stat === undefined) return undefined;
  if (before === 'freshness')
    return words.length === 1 ? { type: undefined, figure: { kind: 'freshness', stat } } : undefined;
  const metric = metrics.find((one) => one === before);
  if (metric !== undefined) words.pop();
  const type = words.length === 0 ? undefined : words.join('.');
  return { type, figure: { kind: 'latency', metric: metric ?? 'response', stat } };
}

function readStat(text: string): Stat | undefined {
  if (text === 'max' || text === 'mean') return text;
  const digits = percentilePattern.exec(text)?.[1];
  if (digits === undefined) return undefined;
  return digits === '999' ? 99.9 : Number(digits);
}

function readLimit(kind: Objective['figure']['kind'], value: string): number | undefined {
  if (kind === 'latency' || kind === 'freshness') return parseDurationMs(value);
  if (kind === 'rate') return parseRatePerSecond(value);
  const [, digits, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(value) ?? [];
  if (digits === undefined) return undefined;
  const share = percent === '%' ? Number(digits) / 100 : Number(digits);
  return share <= 1 ? share : undefined;
}

/** Refuses types that the crowd never sends: such an objective would only be missed when the run is over. */
export function checkObjectives(objectives: readonly Objective[], rows: readonly string[]): void {
  for (const { type, text } of objectives) {
    if (type === undefined || rows.includes(type)) continue;
    throw new CrowdbeatError(
      'CB_OPTION',
      `--slo: needs one of the crowd's types (${rows.join(', ')}) in ${JSON.stringify(text)}, got "${type}"`,
    );
  }
}

export interface ObjectiveFigures {
  readonly histograms: HistogramSet;
  readonly ledger: LedgerRecord;
  readonly durationMs: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly freshness: LatencySummary | null;
}

export function judgeObjectives(
  objectives: readonly Objective[],
  figures: ObjectiveFigures,
): ObjectiveResult[] {
  return objectives.map((objective) => {
    const actual = figureOf(objective, figures) ?? null;
    const { text, op, limit } = objective;
    const ok = actual !== null && holds(actual, op, limit);
    return { objective: text, ok, actual, words: wordsOf(objective, actual) };
  });
}

function holds(actual: number, op: Op, limit: number): boolean {
  if (op === '<') return actual < limit;
  if (op === '<=') return actual <= limit;
  return op === '>' ? actual > limit : actual >= limit;
}

function figureOf({ type, figure }: Objective, figures: ObjectiveFigures): number | undefined {
  const { ledger, histograms } = figures;
  if (figure.kind === 'latency') return latencyMs(histograms, figure.metric, figure.stat, type);
  if (figure.kind === 'freshness') return freshnessMs(figures.freshness, figure.stat);
  const fates = type === undefined ? totalFates(ledger) : ledger.byType[type];
  if (fates === undefined || fates.planned === 0) return undefined;
  if (figure.kind === 'error') return 1 - acknowledged(fates) / fates.planned;
  if (figure.kind === 'rate') return acknowledged(fates) / (figures.durationMs / 1000);
  const failed = Object.values(figures.errors).reduce((sum, count) => sum + count, 0);
  return failed / Math.max(1, failed + fates.sent);
}

const acknowledged = ({ accepted, duplicates }: FateCounts): number => accepted + duplicates;

function latencyMs(
  histograms: HistogramSet,
  metric: Metric,
  stat: Stat,
  type: string | undefined,
): number | undefined {
  const window = histograms.summary('steady', 'response') === undefined ? 'whole' : 'steady';
  const histogram = histograms.histogram(window, metric, type);
  if (histogram === undefined || histogram.count === 0) return undefined;
  if (typeof stat === 'number') return histogram.percentileUs(stat) / 1000;
  return histogram.summary()?.[stat];
}

/** Of freshness the usual percentiles are kept; another one is answered by the next higher of them. */
function freshnessMs(summary: LatencySummary | null, stat: Stat): number | undefined {
  if (summary === null) return undefined;
  if (typeof stat === 'string') return summary[stat];
  const kept = [
    [50, summary.p50],
    [90, summary.p90],
    [99, summary.p99],
    [99.9, summary.p999],
  ] as const;
  return kept.find(([percentile]) => percentile >= stat)?.[1] ?? summary.max;
}

function wordsOf({ figure }: Objective, actual: number | null): string {
  if (actual === null) return 'no samples';
  if (figure.kind === 'rate') return `${actual.toFixed(1)}/s`;
  if (figure.kind === 'error' || figure.kind === 'retry') return `${Number((actual * 100).toPrecision(3))} %`;
  return formatLatencyMs(actual);
}
