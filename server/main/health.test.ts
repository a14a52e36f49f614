import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import type { HealthReply } from '../protocol/replies.ts';
import { pollUntil } from '../store/redis.testing.ts';
import { parseServerInfo, type ServerInfo } from '../store/server-info.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';
import { type HealthFacts, judgeHealth } from './health.ts';

const nowMs = Date.UTC(2026, 10, 21, 12, 30, 20);
const well: ServerInfo = parseServerInfo('redis_version:7.0.15\r\nrole:master\r\nmaxmemory:0\r\n');

const facts = (changes: Partial<HealthFacts> = {}, info: Partial<ServerInfo> = {}): HealthFacts => ({
  nowMs,
  redis: { isReady: true, awaySinceMs: undefined, lastError: undefined, info: { ...well, ...info } },
  queue: { events: 0, bytes: 0 },
  queueMax: { events: 100, bytes: 1000 },
  loopLag: { p99Ms: 2, maxMs: 9 },
  ...changes,
});

const memory = (usedBytes: number, policy = 'noeviction') => ({
  memory: { usedBytes, maxBytes: 100, policy },
});
const away = { isReady: false, awaySinceMs: nowMs - 5000, lastError: 'ECONNREFUSED', info: undefined };

describe('health', () => {
  it('has nothing to say when all is well', () => {
    expect(judgeHealth(facts())).toEqual({ status: 'PASSED', problems: [] });
    expect(judgeHealth(facts({}, memory(89))).problems).toEqual([]);
    expect(judgeHealth(facts({ queue: { events: 79, bytes: 799 } })).problems).toEqual([]);
  });

  it.each<[string, HealthFacts, RegExp]>([
    [
      'Redis is away',
      facts({ redis: away }),
      /^Redis is away since 2026-11-21T12:30:15.000Z, 5 s: ECONNREFUSED$/,
    ],
    ['Redis is silent', facts({ redis: { ...facts().redis, info: undefined } }), /does not answer/],
    ['Redis is loading', facts({}, { isLoading: true }), /loading its data/],
    [
      'the disk is full',
      facts({}, { aof: { isEnabled: true, isWriteOk: false, isRewriteOk: true } }),
      /append-only file .* refuses writes/,
    ],
    [
      'it is a replica',
      facts({}, { replication: { role: 'slave', isMasterLinkUp: false, replicas: 0 } }),
      /replica .* link to the master is down/,
    ],
    ['memory is used up', facts({}, memory(100)), /used 100 of its 100 bytes/],
    ['the queue is full', facts({ queue: { events: 1, bytes: 1000 } }), /queue is full/],
  ])('fails when %s', (_name, given, problem) => {
    const { status, problems } = judgeHealth(given);
    expect(status).toBe('FAILED');
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });

  it.each<[string, HealthFacts, RegExp]>([
    ['memory is nearly used up', facts({}, memory(90)), /90% of its memory/],
    [
      'Redis may evict',
      facts({}, memory(1, 'allkeys-lru')),
      /throw data away: maxmemory-policy is allkeys-lru/,
    ],
    ['the queue fills', facts({ queue: { events: 80, bytes: 0 } }), /queue is 80% full/],
    ['the event loop lags', facts({ loopLag: { p99Ms: 250, maxMs: 900 } }), /event loop is 250 ms late/],
  ])('passes with a warning when %s', (_name, given, problem) => {
    const { status, problems } = judgeHealth(given);
    expect(status).toBe('PASSED');
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });
});

const opened: TestCollector[] = [];
afterEach(async () => {
  for (const test of opened.splice(0)) await test.stop();
});

async function start(...args: Parameters<typeof startTestCollector>): Promise<TestCollector> {
  const test = await startTestCollector(...args);
  opened.push(test);
  return test;
}

async function health(test: TestCollector): Promise<{ status: number; json: HealthReply }> {
  const { status, json } = await test.get('/health');
  return { status, json: json as HealthReply };
}

describe('GET /health of a collector', () => {
  it('tells what Redis says of itself', async () => {
    const test = await start();
    expect(await health(test)).toMatchObject({
      status: 200,
      json: {
        overall: { status: 'PASSED' },
        problems: [],
        redis: {
          status: 'connected',
          info: { loading: false, aof: { enabled: false }, replication: { role: 'master', replicas: 0 } },
        },
        queue: { events: 0, eventsMax: 50_000 },
        eventLoop: { lagP99Ms: expect.any(Number) },
      },
    });
  });

  it('fails while Redis has no memory left, and passes when it has again', async () => {
    const test = await start({ clock: new ManualClock(nowMs) });
    await test.redis.connection.call('CONFIG', ['SET', 'maxmemory', '1']);
    const { status, json } = await health(test);
    expect([status, json.overall.status]).toEqual([503, 'FAILED']);
    expect(json.problems.join()).toMatch(/used \d+ of its 1 bytes/);
  });

  it('says since when Redis is away, and logs that it went', async () => {
    const test = await start();
    test.redis.process.kill('SIGKILL');
    await pollUntil(async () => (await health(test)).status === 503, 'health never failed');
    const { json } = await health(test);
    expect(json.redis).toMatchObject({ status: 'away', awaySince: expect.stringMatching(/^2\d{3}-.*Z$/) });
    expect(json.problems).toEqual([expect.stringMatching(/^Redis is away since /)]);
    expect(test.logged.filter((line) => line.startsWith('Redis: the connection is lost'))).toHaveLength(1);
  });

  it('fails when Redis hangs, though its connection stands', async () => {
    const test = await start();
    test.redis.process.kill('SIGSTOP');
    const { status, json } = await health(test);
    test.redis.process.kill('SIGCONT');
    expect(status).toBe(503);
    expect(json.problems.join()).toContain('does not answer');
  });
});
