import { expect, test } from 'vitest';
import { defaultConnectionsMax } from './connection-limit.ts';

test('an eighth of the descriptors stays free for other things, and 64 of few', () => {
  expect(defaultConnectionsMax(20_000)).toBe(17_500);
  expect(defaultConnectionsMax(1024)).toBe(896);
  expect(defaultConnectionsMax(256)).toBe(192);
});

test('there is an upper limit, and there is always room for one', () => {
  expect(defaultConnectionsMax(1_048_576)).toBe(50_000);
  expect(defaultConnectionsMax(40)).toBe(1);
});

test('without an argument the limit of this process decides', () => {
  const most = defaultConnectionsMax();
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(50_000);
});
