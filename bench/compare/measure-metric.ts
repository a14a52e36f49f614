/** One metric over all pairs: its figures, its intervals and what the rule says of it, before any confirmation. */
import type { Plan, Session } from '../record/index.ts';
import {
  detectableChange,
  hodgesLehmann,
  logRatio,
  median,
  pairDeviation,
  pairsNeeded,
} from '../stats/index.ts';
import type { MetricResult } from './comparison.ts';
import { decide, decideExactly, sameAlpha } from './decide.ts';
import { marginOf, whyAdvisory } from './margins.ts';
import { absoluteFloorOf, isHigherWorse, metricRules, type Reading, readingsOf } from './metrics.ts';
import type { Pair } from './pairs.ts';

export interface Series {
  readonly reading: Reading;
  readonly higherIsWorse: boolean;
  /** Fewest requests of any trial; null where that means nothing. */
  readonly fewestSamples: number | null;
  readonly pairs: MetricResult['pairs'];
  /** Arm and pair of every figure that is missing. */
  readonly missing: readonly string[];
}

/** Every metric that any trial of the pairs has, in the order of the first trial. */
export function seriesOf(pairs: readonly Pair[], plan: Plan): Series[] {
  const read = pairs.map((pair) => ({
    ...pair,
    base: byName(readingsOf(pair.base)),
    candidate: byName(readingsOf(pair.candidate)),
  }));
  const all = byName(read.flatMap(({ base, candidate }) => [...base.values(), ...candidate.values()]));
  return [...all.values()].map((reading) => {
    const higherIsWorse =
      plan.counters[reading.name.replace(/^counter\./, '')]?.higherIsWorse ?? isHigherWorse(reading.kind);
    const missing: string[] = [];
    const samples: number[] = [];
    const rows = read.flatMap(({ pair, order, base, candidate }) => {
      const [b, c] = [base.get(reading.name), candidate.get(reading.name)];
      for (const [arm, one] of [['B', b] as const, ['C', c] as const]) {
        if (one?.value === undefined || one.value === null) missing.push(`pair ${pair} arm ${arm}`);
        if (typeof one?.samples === 'number') samples.push(one.samples);
      }
      if (typeof b?.value !== 'number' || typeof c?.value !== 'number') return [];
      const d = logRatio(b.value, c.value, higherIsWorse) ?? (b.value === c.value ? 0 : null);
      return [{ pair, order, base: b.value, candidate: c.value, d }];
    });
    return {
      reading,
      higherIsWorse,
      fewestSamples: samples.length === 0 ? null : Math.min(...samples),
      pairs: rows,
      missing,
    };
  });
}

function byName(readings: readonly Reading[]): Map<string, Reading> {
  return new Map(readings.map((reading) => [reading.name, reading]));
}

/** @param alpha one-sided, after the correction for the number of metrics */
export function measureMetric(series: Series, session: Session, alpha: number): MetricResult {
  const { reading, pairs } = series;
  const { plan, workload } = session;
  const advisory = whyAdvisory(reading, series.fewestSamples, plan, workload.mode === 'open');
  const margin = marginOf(reading, plan);
  const frame = frameOf(series, advisory, margin, alpha);
  const fault = faultOf(series);
  if (fault !== undefined)
    return { ...frame, verdict: advisory === undefined ? 'INVALID' : null, reason: fault };
  if (reading.kind === 'counter') return exactResult(frame, series, plan, advisory);
  const differences = pairs.map(({ d }) => d as number);
  const decision = decide(differences, { margin: margin.value, alpha, ...absolutesOf(frame) });
  const flagged =
    decision.outcome === 'regressed' || decision.outcome === 'improved' ? decision.outcome : null;
  return {
    ...frame,
    ...figuresOf(differences, frame, alpha),
    flagged,
    verdict: advisory !== undefined ? null : decision.outcome === 'same' ? 'SAME' : 'INCONCLUSIVE',
    reason: reasonOf(flagged, decision.belowFloor, frame),
  };
}

function reasonOf(flagged: MetricResult['flagged'], belowFloor: boolean, frame: MetricResult): string | null {
  if (flagged !== null) return frame.gated ? 'flagged; a fresh session has to confirm it' : null;
  if (!belowFloor) return null;
  const { absoluteDifference, absoluteFloor, unit } = frame;
  return `the difference of ${absoluteDifference?.toPrecision(3)} ${unit} is not above the floor of ${absoluteFloor} ${unit}`;
}

function absolutesOf(frame: MetricResult): { absoluteDifference: number; absoluteFloor: number } {
  return { absoluteDifference: frame.absoluteDifference ?? 0, absoluteFloor: frame.absoluteFloor };
}

/** Why no ratio can be made of a metric, or undefined. What wasn't measured must not pass as equal. */
function faultOf({ missing, pairs }: Series): string | undefined {
  if (missing.length > 0)
    return `not measured in ${missing.slice(0, 4).join(', ')}${missing.length > 4 ? ' …' : ''}`;
  const zero = pairs.find(({ d }) => d === null);
  return zero === undefined ? undefined : `pair ${zero.pair}: no ratio of ${zero.candidate} to ${zero.base}`;
}

type Margin = ReturnType<typeof marginOf>;

function frameOf(series: Series, advisory: string | undefined, margin: Margin, alpha: number): MetricResult {
  const { reading, pairs, higherIsWorse } = series;
  const middle = (values: readonly number[]): number | null => (values.length === 0 ? null : median(values));
  const base = middle(pairs.map((pair) => pair.base));
  return {
    ...{ name: reading.name, group: reading.group, kind: reading.kind, unit: reading.unit },
    ...{ higherIsWorse, gated: advisory === undefined, advisoryBecause: advisory ?? null },
    ...{ base, candidate: middle(pairs.map((pair) => pair.candidate)), pairs },
    ...{
      change: null,
      wide: noBounds,
      narrow: noBounds,
      alpha,
      margin: margin.value,
      marginFrom: margin.from,
    },
    absoluteDifference: middle(pairs.map((pair) => pair.candidate - pair.base)),
    absoluteFloor: absoluteFloorOf(reading, base ?? 0),
    ...{ deviation: null, detectable: null, pairsFor: { effect: margin.value, pairs: null } },
    ...{ flagged: null, confirmation: null, verdict: null, reason: null },
  };
}

const noBounds = { lower: null, upper: null };

function figuresOf(
  differences: readonly number[],
  frame: MetricResult,
  alpha: number,
): Partial<MetricResult> {
  const { higherIsWorse, margin } = frame;
  const deviation = pairDeviation(differences);
  const effect = 2 * margin;
  const pairs = pairsNeeded(deviation, effect, margin, { alpha });
  const wide = hodgesLehmann(differences, alpha);
  return {
    change: changeOf(wide.estimate, higherIsWorse),
    wide: boundsOf(wide, higherIsWorse),
    narrow: boundsOf(hodgesLehmann(differences, sameAlpha), higherIsWorse),
    deviation,
    detectable: detectableChange(deviation, differences.length, margin, { alpha }),
    pairsFor: { effect, pairs: Number.isFinite(pairs) ? pairs : null },
  };
}

function boundsOf(
  { lower, upper }: { lower: number; upper: number },
  higherIsWorse: boolean,
): MetricResult['wide'] {
  const [low, high] = higherIsWorse ? [lower, upper] : [-upper, -lower];
  const finite = (bound: number): number | null => (Number.isFinite(bound) ? Math.expm1(bound) : null);
  return { lower: finite(low), upper: finite(high) };
}

/** From a log ratio that is above 0 for worse to the fraction by which the value itself changed. */
export function changeOf(difference: number, higherIsWorse: boolean): number {
  return Math.expm1(higherIsWorse ? difference : 0 - difference);
}

function exactResult(
  frame: MetricResult,
  series: Series,
  plan: Plan,
  advisory: string | undefined,
): MetricResult {
  const tolerance =
    plan.counters[series.reading.name.replace(/^counter\./, '')]?.tolerance ?? metricRules.counter.margin;
  const outcome = decideExactly(series.pairs, tolerance, series.higherIsWorse);
  const flagged = outcome === 'regressed' || outcome === 'improved' ? outcome : null;
  const { base, candidate } = frame;
  const known = {
    regressed: 'REGRESSED',
    improved: 'IMPROVED',
    same: 'SAME',
    inconclusive: 'INCONCLUSIVE',
  } as const;
  return {
    ...frame,
    change: base !== null && candidate !== null && base > 0 ? candidate / base - 1 : null,
    flagged,
    margin: tolerance,
    verdict: advisory === undefined ? known[outcome] : null,
    reason: outcome === 'inconclusive' ? 'the count is not the same for one build: it is not exact' : null,
  };
}
