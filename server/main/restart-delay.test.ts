import { expect, test } from 'vitest';
import { restartDelay } from './restart-delay.ts';

test('the first death is repaired at once, the next ones ever later, up to ten seconds', () => {
  const delays: number[] = [];
  let earlyDeaths = 0;
  for (let death = 0; death < 10; death++) {
    const next = restartDelay(earlyDeaths, 50);
    delays.push(next.delayMs);
    earlyDeaths = next.earlyDeaths;
  }
  expect(delays).toEqual([0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

test('a worker that lived long enough is replaced at once, whatever its predecessors did', () => {
  expect(restartDelay(7, 10_000)).toEqual({ delayMs: 0, earlyDeaths: 1 });
  expect(restartDelay(7, 9999).delayMs).toBe(6400);
});
