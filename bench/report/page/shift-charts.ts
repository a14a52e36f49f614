/** The shift function of each operation: log ratios at the quantiles, pair by pair, with their common band. */
import { decodeHistogram, type Trial } from '../../record/index.ts';
import { quantileUs, shiftBand, shiftQuantiles } from '../../stats/index.ts';
import { type Reported, usedTrials } from '../reported.ts';
import { type Chart, fragment, rounded } from './model.ts';

const pairsMin = 4;

export function shiftCharts(reported: Reported): Chart[] {
  const [base, candidate] = [usedTrials(reported, 'B'), usedTrials(reported, 'C')];
  const ops = Object.keys(base[0]?.ops ?? {});
  return ops.flatMap((op) => {
    const rows = base.flatMap((trial) => {
      const other = candidate.find(({ pair }) => pair === trial.pair);
      const row = other === undefined ? undefined : ratiosOf(trial, other, op);
      return row === undefined ? [] : [row];
    });
    return rows.length < pairsMin ? [] : [chartOf(op, rows)];
  });
}

function ratiosOf(base: Trial, candidate: Trial, op: string): number[] | undefined {
  const quantiles = [base, candidate].map((trial) => {
    const hdr = trial.ops[op]?.response.hdr;
    if (hdr === undefined || hdr === null) return undefined;
    const histogram = decodeHistogram(hdr, `trial ${trial.trialId}: ${op}`);
    return shiftQuantiles.map((quantile) => Math.max(1, quantileUs(histogram, quantile) ?? 1));
  });
  const [of, by] = [quantiles[1], quantiles[0]];
  return of === undefined || by === undefined
    ? undefined
    : of.map((value, at) => Math.log(value / (by[at] as number)));
}

function chartOf(op: string, rows: readonly (readonly number[])[]): Chart {
  const { points } = shiftBand(rows);
  const percent = (ratio: number): number | null => rounded(Math.expm1(ratio) * 100);
  return {
    ...{ kind: 'chart', id: fragment('shift', op), title: op },
    x: { label: 'percentile of the response', kind: 'number' },
    y: { label: 'change', unit: '%' },
    xs: shiftQuantiles.map((quantile) => Math.round(quantile * 100)),
    series: [
      { label: 'lower', values: points.map(({ lower }) => percent(lower)), faint: true },
      { label: 'upper', values: points.map(({ upper }) => percent(upper)), faint: true, band: true },
      { label: 'change', values: points.map((point) => percent(point.mean)) },
    ],
    levels: [{ y: 0, label: 'no difference', dashed: true }],
  };
}
