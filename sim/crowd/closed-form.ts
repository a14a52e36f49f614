/**
 * What a crowd must come to on average, computed from the site without any drawing. Tests hold the
 * simulated crowd against it, and a run can state its planned rate beforehand.
 *
 * With entry probabilities e and transition probabilities P, the expected number of times a visit sees
 * each page kind is v = e + P^T v (Menasce and Almeida, "visit ratios"). The cap of four hours on a
 * session is left out; of the built-in shop's visits it ends far less than one in a million.
 */
import { clampedLogNormalMean, logNormalMean, weibullMean } from '../random/distributions.ts';
import { exit, type ReadingTime, type Site } from './site.ts';
import { gapMsMax, pageLoad } from './visit-timing.ts';

export interface ExpectedVisit {
  /** Expected views per visit of each page kind, by name. */
  readonly visitRatios: Readonly<Record<string, number>>;
  readonly pagesPerVisit: number;
  /** Share of visits that see one page only. */
  readonly bounceShare: number;
  /** From sessionStart until leaving. */
  readonly sessionMs: number;
}

export function expectedVisit(site: Site): ExpectedVisit {
  const names = Object.keys(site.pages);
  const entry = shares(site.entry, names);
  const next = names.map((name) => shares(site.pages[name]?.next ?? {}, [...names, exit]));
  // (I - P^T) v = e
  const matrix = names.map((_to, row) =>
    names.map((_from, column) => (row === column ? 1 : 0) - (next[column]?.[row] ?? 0)),
  );
  const ratios = solve(matrix, entry);
  const readingMs = names.map((name) => {
    const reading = site.pages[name]?.reading;
    return reading === undefined ? 0 : readingMeanMs(reading);
  });
  return {
    visitRatios: Object.fromEntries(names.map((name, index) => [name, ratios[index] ?? 0])),
    pagesPerVisit: sum(ratios),
    bounceShare: sum(entry.map((share, index) => share * (next[index]?.[names.length] ?? 0))),
    sessionMs: meanPageLoadMs() + sum(ratios.map((ratio, index) => ratio * (readingMs[index] ?? 0))),
  };
}

/**
 * Events of a visit: its start, its views, and its heartbeats, which with a uniform phase are exactly
 * session length / interval on average. `heartbeatMs` 0 means none.
 */
export function expectedEventsPerVisit(site: Site, heartbeatMs: number): number {
  const visit = expectedVisit(site);
  return 1 + visit.pagesPerVisit + (heartbeatMs > 0 ? visit.sessionMs / heartbeatMs : 0);
}

/** Long-run events per second of `slots` slots, by renewal-reward: events per visit over visit and gap. */
export function expectedEventsPerSecond(site: Site, heartbeatMs: number, slots: number): number {
  const cycleMs = expectedVisit(site).sessionMs + gapMsMax / 2;
  return (slots * expectedEventsPerVisit(site, heartbeatMs) * 1000) / cycleMs;
}

export function readingMeanMs(reading: ReadingTime): number {
  return 'sigma' in reading
    ? logNormalMean(reading.medianMs, reading.sigma)
    : weibullMean(reading.scaleMs, reading.shape);
}

function meanPageLoadMs(): number {
  return clampedLogNormalMean(pageLoad.medianMs, pageLoad.sigma, pageLoad.minMs, pageLoad.maxMs);
}

function shares(weights: Readonly<Record<string, number>>, names: readonly string[]): number[] {
  const total = sum(Object.values(weights));
  return names.map((name) => (weights[name] ?? 0) / total);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Solves A x = b by Gauss-Jordan elimination. No pivoting is needed: I - P^T of a chain that always
 * reaches its exit is an M-matrix, whose pivots stay positive in any order.
 */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0]);
  for (let pivot = 0; pivot < rows.length; pivot += 1) {
    const pivotRow = rows[pivot] ?? [];
    const scale = pivotRow[pivot] ?? 1;
    const scaled = pivotRow.map((value) => value / scale);
    rows[pivot] = scaled;
    for (let other = 0; other < rows.length; other += 1) {
      if (other === pivot) continue;
      const factor = rows[other]?.[pivot] ?? 0;
      rows[other] = (rows[other] ?? []).map((value, column) => value - factor * (scaled[column] ?? 0));
    }
  }
  return rows.map((row) => row[rows.length] ?? 0);
}
