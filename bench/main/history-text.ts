/** The history of metrics for the terminal: a line a metric, with its steps. */
import type { HistorySeries } from '../compare/index.ts';

const bars = '▁▂▃▄▅▆▇█';
const shownMost = 40;

export function historyText(series: readonly HistorySeries[]): string[] {
  const nameWidth = Math.max(6, ...series.map(({ metric }) => metric.length));
  return series.flatMap((one) => {
    const values = one.points.map(({ value }) => value);
    const last = values.at(-1) ?? 0;
    const figures = `${String(values.length).padStart(4)} sessions, last ${Number(last.toPrecision(4))}`;
    const steps = one.changes.map(({ at, change, p }) => {
      const point = one.points[at];
      const sha = point?.sha?.slice(0, 7) ?? 'unknown commit';
      const sign = change > 0 ? '+' : '';
      const day = point?.startedAt.slice(0, 10) ?? 'unknown day';
      const step = `step of ${sign}${(change * 100).toFixed(1)}% at ${sha}, ${day} (p ${p.toPrecision(2)})`;
      return `${' '.repeat(nameWidth + 2)}${step}`;
    });
    return [`${one.metric.padEnd(nameWidth)}  ${sparkline(values.slice(-shownMost))}  ${figures}`, ...steps];
  });
}

function sparkline(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const level = (value: number): string =>
    bars[most === least ? 0 : Math.round(((value - least) / (most - least)) * (bars.length - 1))] as string;
  return values.map(level).join('');
}
