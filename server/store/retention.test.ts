import { expect, test } from 'vitest';
import { bucketExpiryMs, expiryJitterSeconds, withDefaults } from './retention.ts';

const timeMs = Date.UTC(2026, 1, 3, 4, 5, 6);

test('retention counts from the end of the bucket, in milliseconds', () => {
  const retention = withDefaults({ minute: 1000, day: 2000 });
  expect(bucketExpiryMs(timeMs, 'minute', retention)).toBe(Date.UTC(2026, 1, 3, 4, 6) + 1000);
  expect(bucketExpiryMs(timeMs, 'day', retention)).toBe(Date.UTC(2026, 1, 4) + 2000);
  expect(bucketExpiryMs(timeMs, 'hour', retention)).toBe(Date.UTC(2026, 1, 3, 5) + 62 * 86_400_000);
  expect(bucketExpiryMs(timeMs, 'year', retention)).toBe(Number.POSITIVE_INFINITY);
});

test('jitter only adds, less than an hour, the same for the same key and spread over keys', () => {
  const jitters = Array.from({ length: 1000 }, (_none, i) => expiryJitterSeconds(`key ${i}`));
  expect(Math.min(...jitters)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...jitters)).toBeLessThan(3600);
  expect(new Set(jitters).size).toBeGreaterThan(500);
  expect(expiryJitterSeconds('key 1')).toBe(jitters[1]);
});
