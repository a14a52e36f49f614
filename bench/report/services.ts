/** A comparison in the formats of services that keep a history: figures of the candidate, smaller is better. */
import type { MetricResult } from '../compare/index.ts';
import { changeText, intervalText, metricVerdict } from './figures.ts';
import type { Reported } from './reported.ts';

/**
 * For github-action-benchmark, tool `customSmallerIsBetter`: `[{name, unit, value, range, extra}]`. Metrics of which
 * more is better are left out, since the file has one direction.
 */
export function githubActionBenchmark({ comparison }: Reported): string {
  const entries = comparison.metrics.flatMap((metric) => {
    const { name, unit, candidate, higherIsWorse, deviation } = metric;
    if (candidate === null || !higherIsWorse) return [];
    const range = deviation === null ? {} : { range: `± ${(deviation * 100).toFixed(1)}%` };
    const extra = `${changeText(metric.change)} ${intervalText(metric.wide)} ${metricVerdict(metric)}`;
    return [{ name, unit, value: candidate, ...range, extra }];
  });
  return `${JSON.stringify(entries, null, 2)}\n`;
}

/** Bencher's metric format: `{benchmark: {measure: {value, lower_value, upper_value}}}`. */
export function bencherMetricFormat({ comparison }: Reported): string {
  const benchmarks: Record<string, Record<string, Readonly<Record<string, number>>>> = {};
  for (const metric of comparison.metrics) {
    if (metric.candidate === null) continue;
    const measures = benchmarks[metric.group] ?? {};
    measures[measureOf(metric)] = { value: metric.candidate, ...boundsOf(metric) };
    benchmarks[metric.group] = measures;
  }
  return `${JSON.stringify(benchmarks, null, 2)}\n`;
}

/** The group is the benchmark, so the rest of the name is the measure: `p50.response`. */
function measureOf({ name, group }: MetricResult): string {
  return name.startsWith(`${group}.`) ? name.slice(group.length + 1) : name;
}

/** Where the base's figure would be moved to by the bounds of the change. */
function boundsOf({ base, wide }: MetricResult): Readonly<Record<string, number>> {
  if (base === null) return {};
  return {
    ...(wide.lower === null ? {} : { lower_value: base * (1 + wide.lower) }),
    ...(wide.upper === null ? {} : { upper_value: base * (1 + wide.upper) }),
  };
}
