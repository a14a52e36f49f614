import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketName, granularities, parseBucket, type TimeBucket } from '../../base/time-bucket.ts';
import { coverRange, cutRange, periodAt } from './cover.ts';

const minuteMs = 60_000;
const borders = [
  Date.UTC(2026, 10, 21, 12, 30),
  Date.UTC(2026, 11, 31, 23, 58),
  Date.UTC(2028, 1, 28, 23, 0),
  Date.UTC(2027, 0, 1),
  0,
];
const range = fc
  .record({
    border: fc.constantFrom(...borders),
    before: fc.integer({ min: 0, max: 5000 }),
    minutes: fc.integer({ min: 0, max: 5000 }),
  })
  .map(({ border, before, minutes }) => {
    const fromMs = Math.max(0, border - before * minuteMs);
    return { fromMs, toMs: fromMs + minutes * minuteMs };
  });

/** The naive twin: for each minute the coarsest bucket that lies within the range; each bucket once. */
function naiveCover(fromMs: number, toMs: number, horizonMs: number): string[] {
  const names = new Set<string>();
  const isOpen = toMs >= horizonMs;
  for (let timeMs = fromMs; timeMs < Math.min(toMs, horizonMs); timeMs += minuteMs) {
    const holding = granularities.map(
      (granularity) => parseBucket(bucketName(timeMs, granularity)) as TimeBucket,
    );
    const inside = holding.filter(({ startMs, endMs }) => startMs >= fromMs && (isOpen || endMs <= toMs));
    names.add((inside.at(-1) as TimeBucket).name);
  }
  return [...names];
}

test('the cover of any range is the coarsest buckets that lie within it', () => {
  fc.assert(
    fc.property(range, ({ fromMs, toMs }) => {
      const names = coverRange({ fromMs, toMs }).map(({ name }) => name);
      expect(names).toEqual(naiveCover(fromMs, toMs, Number.POSITIVE_INFINITY));
    }),
  );
});

test('a range that goes beyond the horizon ends with a bucket that goes beyond it too', () => {
  fc.assert(
    fc.property(range, fc.integer({ min: 0, max: 3000 }), ({ fromMs, toMs }, minutes) => {
      const horizonMs = fromMs + minutes * minuteMs;
      const names = coverRange({ fromMs, toMs }, horizonMs).map(({ name }) => name);
      expect(names).toEqual(naiveCover(fromMs, toMs, horizonMs));
    }),
  );
});

test('a cover has no gaps: each bucket begins where the one before it ends', () => {
  const [fromMs, toMs] = [Date.UTC(2026, 10, 20, 23, 58), Date.UTC(2028, 2, 2, 1, 1)];
  const cover = coverRange({ fromMs, toMs });
  expect(cover.map(({ startMs }) => startMs)).toEqual(
    [fromMs, ...cover.map(({ endMs }) => endMs)].slice(0, -1),
  );
  expect(cover.at(-1)?.endMs).toBe(toMs);
  expect(cover.map(({ name }) => name)).toEqual([
    ...['2026-11-20-23-58', '2026-11-20-23-59'],
    ...Array.from({ length: 10 }, (_none, i) => `2026-11-${21 + i}`),
    ...['2026-12', '2027', '2028-01', '2028-02', '2028-03-01', '2028-03-02-00', '2028-03-02-01-00'],
  ]);
});

test('a range is cut at the borders of a granularity, and no further than asked', () => {
  const range = { fromMs: Date.UTC(2026, 10, 21, 22, 59), toMs: Date.UTC(2026, 10, 22, 0, 1) };
  expect(cutRange(range, 'hour', 10).map(({ fromMs, toMs }) => (toMs - fromMs) / minuteMs)).toEqual([
    1, 60, 1,
  ]);
  expect(cutRange(range, 'minute', 10)).toHaveLength(11);
});

test('days, weeks from Monday and months are found, and moved over ends of months and years', () => {
  const saturday = Date.UTC(2026, 10, 21, 12);
  const from = (by: 'day' | 'week' | 'month', moved: number) =>
    new Date(periodAt(saturday, by, moved).fromMs).toISOString().slice(0, 10);
  expect([from('day', 0), from('day', 10)]).toEqual(['2026-11-21', '2026-12-01']);
  expect([from('week', 0), from('week', 1), from('week', 6)]).toEqual([
    '2026-11-16',
    '2026-11-23',
    '2026-12-28',
  ]);
  expect([from('month', 0), from('month', 2)]).toEqual(['2026-11-01', '2027-01-01']);
});
