import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { type Collector, startCollector } from '../../server/main/collector.ts';
import { startTestRedis, type TestRedis } from '../../server/store/redis.testing.ts';
import { CrowdRun } from './crowd-run.ts';
import { resolveSimOptions } from './options.ts';
import { startRecordingTarget } from './recording-target.testing.ts';
import type { RunResult } from './result.ts';
import { simulate } from './simulation.ts';

let redis: TestRedis;
let collector: Collector;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'crowdbeat-rich-'));
  redis = await startTestRedis();
  collector = await startCollector({ host: '127.0.0.1', port: 0, redisUrl: redis.socketPath });
});

afterAll(async () => {
  await collector?.close();
  await redis?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const quick = { visitors: 60, duration: '2s', heartbeat: '300ms', 'log-clients': 0, 'client-headers': false };

async function simulated(flags: Record<string, unknown>): Promise<RunResult> {
  const { result } = await simulate({
    sim: resolveSimOptions({ ...quick, ...flags }),
    targetUrl: new URL(collector.url),
    clock: systemClock,
    resultsDirectory: join(directory, 'results'),
    logDirectory: join(directory, 'logs'),
    onView: () => undefined,
    onNote: () => undefined,
    onRunning: () => undefined,
  });
  return result;
}

/** What is received of a run, as a fingerprint. */
async function fingerprint(flags: Record<string, unknown>): Promise<{ digest: string; events: number }> {
  const target = await startRecordingTarget();
  const run = new CrowdRun({
    sim: resolveSimOptions({ ...quick, visitors: 40, duration: '1500ms', ...flags }),
    runId: 'a-fixed-run',
    targetUrl: target.url,
    clock: systemClock,
    logDirectory: join(directory, 'logs'),
    intervalLogPath: undefined,
    onView: () => undefined,
    onNote: () => undefined,
  });
  await run.run();
  await target.close();
  return { digest: target.digest.toString(), events: target.digest.count };
}

/** Visits so short that all kinds of deeds are done within seconds. */
const hasty = {
  preset: 'boutique',
  pages: {
    home: {
      path: '/',
      title: 'Home',
      reading: { medianMs: 150, sigma: 0.5 },
      next: { item: 8, exit: 1 },
      deeds: [{ event: 'login', share: 0.5 }],
    },
    item: {
      path: '/item/:n',
      title: 'Item :n',
      items: 9,
      reading: { scaleMs: 200, shape: 0.8 },
      next: { item: 4, home: 2, exit: 2 },
      deeds: [
        { event: 'click', share: 0.6, element: { type: 'button', label: 'M\u00fctze' } },
        { event: 'signup', share: 0.3 },
        { event: 'order', share: 0.3, order: { currency: 'EUR', medianRevenue: 20, sigma: 0.5 } },
        { event: 'updateUser', share: 0.3 },
        { event: 'logout', share: 0.3 },
        { event: 'wishlist', share: 0.3, data: { sku: 'hat-7' } },
      ],
    },
  },
  entry: { home: 1 },
  tabs: { share: 0.3, max: 3 },
  experiments: [{ id: 'x', variants: { A: 1, B: 1 }, pages: ['item'], goal: 'order' }],
};

const rough = {
  duplicate: { share: 0.2, withinMs: 300 },
  delay: { share: 0.2, medianMs: 200, sigma: 1, maxMs: 1000 },
  lostAtUnload: 0.5,
  clockSkew: { share: 0.3, offsetsMs: [-3_600_000, -61_000, 90_000] },
  drop: 0.05,
};

test('clicks, users, orders, experiments, tabs and bots are all accepted, and the audit holds for each type', async () => {
  const result = await simulated({ crowd: hasty });
  expect(result.rejections).toEqual({});
  expect(result.audit?.reasons).toEqual([]);
  for (const type of ['click', 'signup', 'login', 'logout', 'order', 'updateUser', 'wishlist', 'exposure'])
    expect(result.events.byType[type]?.acked, type).toBeGreaterThan(0);
  expect(result.events.byType['conversion']?.acked).toBeGreaterThan(0);
  expect(result.events.byType['bot:view']?.acked).toBeGreaterThan(0);
  const names = result.audit?.checks.map(({ name }) => name) ?? [];
  expect(names).toContain('events bot:view');
  expect(names.some((name) => name.startsWith('visitors bot:view '))).toBe(true);
  expect(names.some((name) => name.startsWith('visitors order '))).toBe(true);
});

test('a rough network: copies, late, lost and wrongly timed events, and the audit is still exact', async () => {
  const result = await simulated({ crowd: { ...hasty, network: rough } });
  expect(result.audit?.reasons).toEqual([]);
  const { copies = 0, copiesDuplicate = 0, copiesAccepted = 0, copiesUnanswered = 0 } = result.network;
  expect(copies).toBeGreaterThan(20);
  expect(copiesDuplicate + copiesAccepted + copiesUnanswered).toBe(copies);
  expect(result.network['delayed']).toBeGreaterThan(20);
  expect(result.network['lostAtUnload']).toBe(result.events.dropped);
  expect(result.events.dropped).toBeGreaterThan(0);
  expect(result.network['answersLost']).toBe(result.errors['answer lost']);
  // Whose answer was lost was stored: its second sending is a duplicate, and both are one acknowledged event.
  expect(result.events.duplicates).toBeGreaterThan(0);
  // A clock an hour behind fills a bucket of an hour before the run.
  const hours = result.audit?.checks.filter(({ name }) => /^visitors view \S{13}$/.test(name)) ?? [];
  expect(hours.length).toBeGreaterThan(1);
  expect(result.generator.reasons.join()).not.toContain('dropped');
});

test.each([['news'], ['app'], ['boutique']])('the preset %s passes the audit', async (crowd) => {
  const result = await simulated({ crowd, visitors: 200, warm: true });
  expect(result.audit?.reasons).toEqual([]);
  expect(result.crowd).toBe(crowd);
  expect(result.visitors.peak).toBe(200);
});

describe('a load model is named in the result, and the audit holds', () => {
  test('arrivals: as many as the rate says, who leave and are not followed', async () => {
    const result = await simulated({ arrivals: '100/s', crowd: hasty });
    expect(result.audit?.reasons).toEqual([]);
    expect(result.load).toMatchObject({ model: 'arrivals', process: 'poisson', perSecond: 100 });
    // Poisson: 200 with deviation 14.
    expect(Math.abs(result.visitors.started - 200)).toBeLessThan(5 * Math.sqrt(200));
  });

  test('stages: up to a number and down to none', async () => {
    const result = await simulated({ stages: '1s:80,1s:80,1s:0', duration: '4s' });
    expect(result.audit?.reasons).toEqual([]);
    expect(result.load).toMatchObject({ model: 'stages' });
    expect(result.visitors.peak).toBeGreaterThanOrEqual(78);
    expect(result.visitors.peak).toBeLessThanOrEqual(80);
    expect(result.visitors.ended).toBe(result.visitors.started);
  });

  test('warm: all are there at once, and few of them begin a session', async () => {
    const result = await simulated({ warm: true, visitors: 300 });
    expect(result.audit?.reasons).toEqual([]);
    expect(result.load).toMatchObject({ model: 'present', start: 'warm' });
    expect(result.visitors.peak).toBe(300);
    // Of 300, 3.5 end a second in the steady state, each followed by one who begins.
    expect(result.events.byType['sessionStart']?.planned).toBeLessThan(40);
  });
});

test.each<[string, Record<string, unknown>]>([
  ['a rich crowd in a rough network', { crowd: { ...hasty, network: rough } }],
  ['arrivals', { arrivals: '60/s', crowd: hasty }],
  ['evenly spaced arrivals', { arrivals: 'uniform:60/s' }],
  ['stages', { stages: '500ms:50,500ms:20,1s:60' }],
  ['a curve with a spike', { curve: 'day:2,2s', spike: 'at=500ms,x=2,for=1s' }],
  ['a warm start', { warm: true, crowd: hasty }],
])('%s: the same crowd with 1 and 3 workers', async (_name, flags) => {
  // What is lost at unload or late at the end is the same too, as long as everything that was planned is sent.
  const one = await fingerprint({ workers: 1, ...flags });
  const three = await fingerprint({ workers: 3, ...flags });
  expect(one.events).toBeGreaterThan(100);
  expect(three).toEqual(one);
});
