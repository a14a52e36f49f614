import { expect, test } from 'vitest';
import { ReconnectBackoff } from './reconnect-backoff.ts';

/** The delay that follows a failure at `atMs`, found by trying every millisecond. */
function delayAfter(backoff: ReconnectBackoff, atMs: number): number {
  backoff.failed(atMs);
  for (let delayMs = 1; delayMs < 10_000; delayMs += 1) if (backoff.mayTry(atMs + delayMs)) return delayMs;
  throw new Error('no end of the delay');
}

function delaysOf(seed: number, count: number): number[] {
  const backoff = new ReconnectBackoff(seed);
  return Array.from({ length: count }, (_, at) => delayAfter(backoff, at * 100_000));
}

test('delays double from 50 ms to 2 s, each cut by at most half', () => {
  const full = [50, 100, 200, 400, 800, 1600, 2000, 2000, 2000];
  for (const [at, delayMs] of delaysOf(0, full.length).entries()) {
    expect(delayMs).toBeLessThanOrEqual(full[at] ?? 0);
    expect(delayMs).toBeGreaterThanOrEqual((full[at] ?? 0) / 2);
  }
});

test('the same seed gives the same delays, another seed others, and no two in a row are cut alike', () => {
  expect(delaysOf(1, 12)).toEqual(delaysOf(1, 12));
  expect(delaysOf(1, 12)).not.toEqual(delaysOf(2, 12));
  expect(new Set(delaysOf(0, 40).slice(7)).size).toBeGreaterThan(25);
});

test('failures within a delay count once', () => {
  const once = new ReconnectBackoff(0);
  const often = new ReconnectBackoff(0);
  once.failed(0);
  for (let at = 0; at < 64; at += 1) often.failed(at / 10);
  expect(delayAfter(often, 5000)).toBe(delayAfter(once, 5000));
});

test('a success ends the delay and begins the doubling anew', () => {
  const backoff = new ReconnectBackoff(0);
  for (let at = 0; at < 5; at += 1) backoff.failed(at * 10_000);
  expect([backoff.failing, backoff.mayTry(40_001)]).toEqual([true, false]);
  backoff.succeeded();
  expect([backoff.failing, backoff.mayTry(40_001)]).toEqual([false, true]);
  expect(delayAfter(backoff, 50_000)).toBeLessThanOrEqual(50);
});
