/**
 * The last comparison as Prometheus text, for a Pushgateway or the textfile collector: gauges only. Quantiles here
 * are for dashboards; nothing is concluded from them.
 */
import { verdicts } from '../record/index.ts';
import { quantileUs } from '../stats/index.ts';
import { armWords, operationLatencies, type Reported } from './reported.ts';

type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly (readonly [labels: Labels, value: number | null | undefined])[];
}

const quantiles = [0.5, 0.9, 0.99, 0.999];

export function prometheusText(reported: Reported): string {
  return familiesOf(reported)
    .flatMap(({ name, help, samples }) => {
      const lines = samples.flatMap(([labels, value]) =>
        value === null || value === undefined ? [] : [`${name}${labelText(labels)} ${value}`],
      );
      return lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines];
    })
    .concat('')
    .join('\n');
}

function familiesOf(reported: Reported): Family[] {
  const { comparison, stored } = reported;
  const { metrics, pairs } = comparison;
  const workload: Labels = { workload: stored?.session.workload.name ?? '' };
  const steal = (stored?.trials ?? []).flatMap(({ host }) => (host.stealPct === null ? [] : [host.stealPct]));
  return [
    {
      name: 'crowdbeat_bench_verdict',
      help: '1 for the verdict of the last comparison, 0 for the others.',
      samples: verdicts.map((verdict) => [{ ...workload, verdict }, verdict === comparison.verdict ? 1 : 0]),
    },
    {
      name: 'crowdbeat_bench_change_ratio',
      help: 'Candidate by base less 1, estimated over the pairs.',
      samples: metrics.map(({ name, change }) => [{ ...workload, metric: name }, change]),
    },
    ...(['lower', 'upper'] as const).map(
      (side): Family => ({
        name: `crowdbeat_bench_change_${side}_ratio`,
        help: `The ${side} bound of the change.`,
        samples: metrics.map(({ name, wide }) => [{ ...workload, metric: name }, wide[side]]),
      }),
    ),
    {
      name: 'crowdbeat_bench_latency_seconds',
      help: 'Latencies of all used trials together.',
      samples: operationLatencies(reported).flatMap(({ op, kind, arm, histogram }) =>
        quantiles.map((quantile): [Labels, number | undefined] => {
          const us = quantileUs(histogram, quantile);
          const labels = { ...workload, op, kind, arm: armWords[arm], quantile: String(quantile) };
          return [labels, us === undefined ? undefined : us / 1e6];
        }),
      ),
    },
    {
      name: 'crowdbeat_bench_pairs',
      help: 'Pairs of trials, by what became of them.',
      samples: [
        [{ ...workload, state: 'used' }, pairs.used],
        [{ ...workload, state: 'dropped' }, pairs.dropped.length],
        [{ ...workload, state: 'unfinished' }, pairs.unfinished],
      ],
    },
    {
      name: 'crowdbeat_bench_steal_ratio',
      help: 'The greatest share of CPU time that was stolen in any trial.',
      samples: steal.length === 0 ? [] : [[workload, Math.max(...steal) / 100]],
    },
  ];
}

function labelText(labels: Labels): string {
  const escaped = (value: string): string =>
    value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`;
}
