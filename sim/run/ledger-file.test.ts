import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { type Collector, startCollector } from '../../server/main/collector.ts';
import { startTestRedis, type TestRedis } from '../../server/store/redis.testing.ts';
import { auditAgain } from './audit-again.ts';
import { openAuditApi } from './audit-api.ts';
import { ledgerFileName, readLedger } from './ledger-file.ts';
import { startLyingProxy } from './lying-proxy.testing.ts';
import { resolveSimOptions } from './options.ts';
import { simulate } from './simulation.ts';

let redis: TestRedis;
let collector: Collector;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'crowdbeat-ledger-'));
  redis = await startTestRedis();
  collector = await startCollector({ host: '127.0.0.1', port: 0, redisUrl: redis.socketPath });
});

afterAll(async () => {
  await collector?.close();
  await redis?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const hooks = { clock: systemClock, onNote: () => undefined, isAborted: () => false };

async function simulated(url: URL, flags: Record<string, unknown> = {}) {
  return simulate({
    sim: resolveSimOptions({ visitors: 25, duration: '2s', heartbeat: '300ms', 'log-clients': 0, ...flags }),
    targetUrl: url,
    clock: systemClock,
    resultsDirectory: join(directory, 'results'),
    logDirectory: join(directory, 'logs'),
    onView: () => undefined,
    onNote: () => undefined,
    onRunning: () => undefined,
  });
}

async function again(place: string) {
  const saved = await readLedger(join(place, ledgerFileName));
  const { api, close } = await openAuditApi({ target: new URL(collector.url), property: saved.property });
  return auditAgain(api, saved, hooks).finally(close);
}

test('an audit is repeated from the file with the same figures, and each session once more', async () => {
  const { result, directory: place } = await simulated(new URL(collector.url));
  const { report, since, leftOut } = await again(place);
  expect(report.reasons).toEqual([]);
  expect([since, leftOut]).toEqual([[], 0]);
  const sessions = report.checks.filter(({ name }) => name === 'sessions with just their own events');
  expect(sessions.map(({ expected }) => expected)).toEqual([result.visitors.started]);
  expect(report.checks.length).toBe((result.audit?.checks.length ?? 0) + 1);
});

test('when others wrote since, their figures are left out, and the own sessions are still compared', async () => {
  const { directory: place } = await simulated(new URL(collector.url));
  await simulated(new URL(collector.url), { visitors: 7, duration: '1s' });
  const { report, since, leftOut } = await again(place);
  expect(since.join('\n')).toMatch(/documents went from \d+ to \d+/);
  expect(leftOut).toBeGreaterThan(20);
  expect(report).toMatchObject({ ok: true, auditable: true });
  expect(report.checks.map(({ name }) => name)).toContain('sessions with just their own events');
});

test('what a run lost is still found by the audit that is made later, whoever wrote since', async () => {
  const proxy = await startLyingProxy(new URL(collector.url), { kind: 'lose', every: 30 });
  const { directory: place } = await simulated(proxy.url).finally(() => proxy.close());
  await simulated(new URL(collector.url), { visitors: 7, duration: '1s' });
  const { report } = await again(place);
  expect(report.ok).toBe(false);
  expect(report.reasons.join('\n')).toMatch(
    /session \S+ of visitor \S+: \d+ events stored, \d+ acknowledged: .*(?:lacks number|last events)/,
  );
});

test('without a ledger file there is none, and another file is refused by its schema', async () => {
  const { directory: place } = await simulated(new URL(collector.url), { 'ledger-file': false });
  expect(readdirSync(place).sort()).toEqual(['intervals.hlog', 'run.json']);
  const path = join(directory, 'other.json.gz');
  writeFileSync(path, gzipSync('{"schema": "crowdbeat.ledger/0"}'));
  await expect(readLedger(path)).rejects.toThrow(
    `ledger ${path}: needs the schema crowdbeat.ledger/1, got "crowdbeat.ledger/0"`,
  );
});
