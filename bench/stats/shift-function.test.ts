import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { deriveStream } from '../../sim/random/random-stream.ts';
import { shiftBand, shiftQuantiles } from './shift-function.ts';
import { forEachFlip } from './sign-flips.ts';

const fixture = JSON.parse(
  readFileSync(new URL('../compare/fixtures/decisions.json', import.meta.url), 'utf8'),
) as { band: { rows: number[][]; critical: number; mean: number[]; lower: number[]; upper: number[] } };

test('means are those of an independent program, and the band is wider than its shortcut made it', () => {
  const { rows, critical, mean, lower, upper } = fixture.band;
  const band = shiftBand(rows);
  expect(band.critical).toBeGreaterThan(critical);
  for (const [at, point] of band.points.entries()) {
    expect(point.mean).toBeCloseTo(mean[at]!, 7);
    const width = (upper[at]! - lower[at]!) * (band.critical / critical);
    expect(point.upper - point.lower).toBeCloseTo(width, 6);
  }
});

test('the critical value is the one found by flipping whole rows and computing every t anew', () => {
  const { rows } = fixture.band;
  const pairs = rows.length;
  const tOf = (column: readonly number[]): number => {
    const centre = column.reduce((sum, value) => sum + value, 0) / pairs;
    const spread = column.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (pairs - 1);
    return Math.abs(centre) / Math.sqrt(spread / pairs);
  };
  const columns = rows[0]!.map((_value, at) => rows.map((row) => row[at]!));
  const centred = columns.map((column) =>
    column.map((v) => v - column.reduce((sum, x) => sum + x, 0) / pairs),
  );
  const greatest = Array.from({ length: 2 ** pairs }, (_, signs) =>
    Math.max(
      ...centred.map((column) => tOf(column.map((value, pair) => ((signs >> pair) & 1 ? -value : value)))),
    ),
  ).sort((a, b) => a - b);
  expect(shiftBand(rows).critical).toBeCloseTo(greatest[Math.ceil(0.95 * greatest.length) - 1]!, 6);
});

test('the quantiles go from 1 to 99 in steps of 5', () => {
  expect(shiftQuantiles).toHaveLength(21);
  expect([shiftQuantiles[0], shiftQuantiles[1], shiftQuantiles[10], shiftQuantiles[20]]).toEqual([
    0.01, 0.05, 0.5, 0.99,
  ]);
});

test('up to 14 pairs every exchange is taken once; above, a sample that begins with what was measured', () => {
  const seen = new Set<string>();
  forEachFlip(5, 0, (signs) => seen.add(signs.join()));
  expect(seen.size).toBe(32);
  const sampled: string[] = [];
  forEachFlip(20, 3, (signs) => sampled.push(signs.join()));
  expect(sampled).toHaveLength(2 ** 14);
  expect(sampled[0]).toBe(new Array(20).fill(1).join());
  expect(new Set(sampled).size).toBeGreaterThan(16_000);
});

test('with no difference the band leaves zero out somewhere in about one session of twenty', () => {
  const stream = deriveStream(99, 1);
  const noise = (): number => stream.next() + stream.next() + stream.next() - 1.5;
  let outside = 0;
  for (let session = 0; session < 300; session += 1) {
    const rows = Array.from({ length: 8 }, () => Array.from({ length: 5 }, noise));
    if (shiftBand(rows).points.some(({ lower, upper }) => lower > 0 || upper < 0)) outside += 1;
  }
  // 15 expected, with a deviation of 3.8.
  expect(outside).toBeLessThan(30);
  expect(outside).toBeGreaterThan(2);
});

test('pairs that agree to the last digit have a band of no width', () => {
  const { points } = shiftBand([[0.1], [0.1], [0.1]]);
  expect(points[0]!.lower).toBeCloseTo(0.1, 9);
  expect(points[0]!.upper).toBeCloseTo(0.1, 9);
});
