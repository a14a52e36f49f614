import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketEndMs, bucketName, granularities, minuteName, parseBucket } from './time-bucket.ts';

test('a bucket name is UTC, zero-padded, and every coarser name is its prefix', () => {
  const timeMs = Date.UTC(2026, 2, 4, 5, 6, 59, 999);
  expect(granularities.map((granularity) => bucketName(timeMs, granularity))).toEqual([
    '2026-03-04-05-06',
    '2026-03-04-05',
    '2026-03-04',
    '2026-03',
    '2026',
  ]);
});

test('what is no bucket is refused: wrong form, no such date, no such time', () => {
  for (const name of [
    '',
    '26',
    '2026-1',
    '2026-13',
    '2026-02-30',
    '2026-02-28-24',
    '2026-02-28-23-60',
    '2026-02-28T23',
  ]) {
    expect(parseBucket(name), name).toBeUndefined();
  }
});

test('for any instant: its bucket parses back, holds the instant, and the next one starts where it ends', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }),
      fc.constantFrom(...granularities),
      (timeMs, granularity) => {
        const bucket = parseBucket(bucketName(timeMs, granularity));
        expect(bucket?.granularity).toBe(granularity);
        expect(bucket?.startMs).toBeLessThanOrEqual(timeMs);
        expect(bucket?.endMs).toBeGreaterThan(timeMs);
        expect(bucketEndMs(timeMs, granularity)).toBe(bucket?.endMs);
        expect(bucketName(bucketEndMs(timeMs, granularity), granularity)).not.toBe(bucket?.name);
        expect(bucketName(bucketEndMs(timeMs, granularity) - 1, granularity)).toBe(bucket?.name);
      },
    ),
  );
});

test('a leap day and the last minute of a year are buckets like any other', () => {
  expect(parseBucket('2028-02-29')?.endMs).toBe(Date.UTC(2028, 2, 1));
  expect(parseBucket('2027-02-29')).toBeUndefined();
  expect(minuteName(Date.UTC(2026, 11, 31, 23, 59, 59))).toBe('2026-12-31-23-59');
  expect(parseBucket('2026')?.endMs).toBe(Date.UTC(2027, 0, 1));
});
