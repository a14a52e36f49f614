/** Estimates with their intervals, one below the other, as SVG that needs no script: it prints and scales. */
import type { MetricResult } from '../../compare/index.ts';
import { changeText } from '../figures.ts';
import { escapeHtml } from './html.ts';

const [nameWidth, plotWidth, valueWidth, rowHeight, headHeight] = [250, 420, 80, 26, 24] as const;

export function forestSvg(metrics: readonly MetricResult[]): string {
  const reach = reachOf(metrics);
  const x = (change: number): number => {
    const inside = Math.max(-reach, Math.min(reach, change));
    return Math.round((nameWidth + ((inside + reach) / (2 * reach)) * plotWidth) * 10) / 10;
  };
  const height = headHeight + metrics.length * rowHeight + 8;
  const rows = metrics.map((metric, at) => rowSvg(metric, headHeight + at * rowHeight + rowHeight / 2, x));
  const zero = `<line class="axis" x1="${x(0)}" x2="${x(0)}" y1="${headHeight - 4}" y2="${height - 4}"/>`;
  const ends = [-reach, 0, reach].map(
    (change) =>
      `<text class="tick" x="${x(change)}" y="14" text-anchor="middle">${changeText(change)}</text>`,
  );
  const width = nameWidth + plotWidth + valueWidth;
  const head = `<svg class="forest" viewBox="0 0 ${width} ${height}" role="img" aria-label="changes with intervals">`;
  return [head, ...ends, zero, ...rows, '</svg>'].join('');
}

function rowSvg(metric: MetricResult, y: number, x: (change: number) => number): string {
  const { name, change, wide, margin, verdict } = metric;
  const tone =
    verdict === 'REGRESSED' || verdict === 'INVALID' ? 'bad' : verdict === 'INCONCLUSIVE' ? 'warn' : 'good';
  const [left, right] = [x(1 / (1 + margin) - 1), x(margin)];
  const parts = [
    `<text class="name" x="0" y="${y + 4}">${escapeHtml(name)}</text>`,
    `<rect class="margin" x="${left}" width="${(right - left).toFixed(1)}" y="${y - 9}" height="18"/>`,
    ...(wide.lower === null || wide.upper === null
      ? []
      : [`<line class="interval ${tone}" x1="${x(wide.lower)}" x2="${x(wide.upper)}" y1="${y}" y2="${y}"/>`]),
    ...(change === null ? [] : [`<circle class="dot ${tone}" cx="${x(change)}" cy="${y}" r="4"/>`]),
    `<text class="value" x="${nameWidth + plotWidth + valueWidth}" y="${y + 4}" text-anchor="end">${changeText(change)}</text>`,
  ];
  return `<g>${parts.join('')}</g>`;
}

/** Wide enough for every bound, at least 10 %, and never so wide that one wild metric hides the others. */
function reachOf(metrics: readonly MetricResult[]): number {
  const sizes = metrics.flatMap(({ wide, change, margin }) =>
    [wide.lower, wide.upper, change, margin].map((bound) => Math.abs(bound ?? 0)),
  );
  return Math.min(1, Math.max(0.1, ...sizes) * 1.1);
}
