import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { type Collector, startCollector } from '../../server/main/collector.ts';
import { startTestRedis, type TestRedis } from '../../server/store/redis.testing.ts';
import { type Lie, startLyingProxy } from './lying-proxy.testing.ts';
import { resolveSimOptions } from './options.ts';
import { simulate } from './simulation.ts';

let redis: TestRedis;
let collector: Collector;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'crowdbeat-unanswered-'));
  redis = await startTestRedis();
  collector = await startCollector({ host: '127.0.0.1', port: 0, redisUrl: redis.socketPath });
});

afterAll(async () => {
  await collector?.close();
  await redis?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function unanswered(kind: Lie['kind'], flags: Record<string, unknown> = {}) {
  const proxy = await startLyingProxy(new URL(collector.url), { kind, every: 20 });
  const patience = { timeout: '2s', drain: '1s' };
  try {
    const { result } = await simulate({
      sim: resolveSimOptions({ visitors: 30, duration: '2s', heartbeat: '300ms', ...patience, ...flags }),
      targetUrl: proxy.url,
      clock: systemClock,
      resultsDirectory: join(directory, 'results'),
      logDirectory: join(directory, 'logs'),
      onView: () => undefined,
      onNote: () => undefined,
      onRunning: () => undefined,
    });
    return result;
  } finally {
    await proxy.close();
  }
}

test('an event that was stored and never answered for is found by a question, and the audit is exact', async () => {
  const { events, audit } = await unanswered('mute');
  expect(audit?.resolved?.stored).toBeGreaterThan(0);
  expect(audit?.resolved?.absent).toBe(0);
  expect(audit?.reasons).toEqual([]);
  expect(events).toMatchObject({ unknown: 0, dropped: 0 });
});

test('an event that never got there is surely not stored, and the audit is exact', async () => {
  const { events, audit } = await unanswered('deaf');
  expect(audit?.resolved?.absent).toBeGreaterThan(0);
  expect(audit?.resolved?.stored).toBe(0);
  expect(audit?.reasons).toEqual([]);
  expect(events.unknown).toBe(0);
  expect(events.failed).toBeGreaterThanOrEqual(audit?.resolved?.absent ?? 0);
});

test('where the target takes no questions about events they stay unresolved, and the audit says so', async () => {
  const { events, audit } = await unanswered('mute without query');
  expect(events.unknown).toBeGreaterThan(0);
  expect(audit?.ok).toBe(false);
  expect(audit?.reasons[0]).toBe(`unresolved: ${events.unknown} events were sent and never answered for`);
  expect(audit?.notAsked).toContain('events by page: the target does not answer such a question');
});
