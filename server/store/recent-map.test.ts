import { expect, test } from 'vitest';
import { RecentMap } from './recent-map.ts';

test('what is used stays, what is not goes, and the size is bounded', () => {
  const map = new RecentMap<number, number>(10);
  for (let i = 0; i < 1000; i++) {
    map.set(i, i);
    expect(map.get(0)).toBe(0);
  }
  const kept = Array.from({ length: 1000 }, (_none, i) => i).filter((i) => map.get(i) !== undefined);
  expect(kept.length).toBeLessThanOrEqual(22);
  expect(kept).toContain(999);
});

test('an entry that is deleted or cleared is gone from both halves', () => {
  const map = new RecentMap<number, number>(2);
  for (let i = 0; i < 4; i++) map.set(i, i);
  map.delete(1);
  expect(map.get(1)).toBeUndefined();
  map.clear();
  expect(map.get(3)).toBeUndefined();
});
