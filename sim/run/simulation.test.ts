import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { type Collector, startCollector } from '../../server/main/collector.ts';
import { startTestRedis, type TestRedis } from '../../server/store/redis.testing.ts';
import { type Lie, startLyingProxy } from './lying-proxy.testing.ts';
import { resolveSimOptions } from './options.ts';
import { exitCodeOf, type SimulationOutcome, simulate } from './simulation.ts';

let redis: TestRedis;
let collector: Collector;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'crowdbeat-simulation-'));
  redis = await startTestRedis();
  collector = await startCollector({ host: '127.0.0.1', port: 0, redisUrl: redis.socketPath });
});

afterAll(async () => {
  await collector?.close();
  await redis?.stop();
  rmSync(directory, { recursive: true, force: true });
});

function simulation(url: URL, flags: Record<string, unknown> = {}): Promise<SimulationOutcome> {
  return simulate({
    sim: resolveSimOptions({ visitors: 30, duration: '2s', heartbeat: '300ms', 'log-clients': 0, ...flags }),
    targetUrl: url,
    clock: systemClock,
    resultsDirectory: join(directory, 'results'),
    logDirectory: join(directory, 'logs'),
    onView: () => undefined,
    onNote: () => undefined,
    onRunning: () => undefined,
  });
}

async function audited(kind: Lie['kind'], every: number) {
  const proxy = await startLyingProxy(new URL(collector.url), { kind, every });
  try {
    const { result } = await simulation(proxy.url);
    return { lies: proxy.lies, result, audit: result.audit };
  } finally {
    await proxy.close();
  }
}

test('an honest collector passes the audit, and again on the same property with its old data', async () => {
  for (let run = 0; run < 2; run++) {
    const { result } = await simulation(new URL(collector.url));
    expect(result.audit?.reasons).toEqual([]);
    expect(result.audit?.ok).toBe(true);
    expect(result.audit?.notAsked).toEqual([]);
    for (const question of [
      'funnel',
      'ordered funnel',
      'concurrent visitors',
      'visitors from',
      'events by page',
    ])
      expect(result.audit?.checks.some(({ name }) => name.startsWith(question))).toBe(true);
    expect(result.audit?.freshness?.ms?.count).toBeGreaterThan(0);
    expect(result.audit?.freshness?.missing).toBe(0);
    expect(result.events.acked).toBe(result.events.planned);
    expect(result.audit?.checks.find(({ name }) => name === 'documents')?.expected).toBe(result.events.acked);
    expect(
      result.audit?.checks.filter(({ name }) => name.startsWith('visitors heartbeat ')).length,
    ).toBeGreaterThanOrEqual(5);
    expect(exitCodeOf(result, false)).toBe(0);
  }
});

test('a target that loses events is found out, by type and document', async () => {
  const { audit, result, lies } = await audited('lose', 40);
  expect(lies).toBeGreaterThan(0);
  expect(audit?.ok).toBe(false);
  expect(audit?.reasons.join('\n')).toContain(
    `documents: ${result.events.acked - lies} counted, ${result.events.acked} expected (${lies} missing)`,
  );
  const missing = (audit?.sessions ?? []).reduce((sum, one) => sum + one.acknowledged - one.stored, 0);
  expect(missing).toBe(Math.min(lies, missing));
  expect(audit?.sessions?.map(({ words }) => words).join('\n')).toMatch(
    /lacks number \d+|last events are missing/,
  );
  expect(exitCodeOf(result, true)).toBe(23);
});

test('a target that counts an event twice is found out', async () => {
  const { audit, lies, result } = await audited('double', 60);
  expect(lies).toBeGreaterThan(0);
  expect(audit?.reasons.join('\n')).toContain(`documents: ${result.events.acked + lies} counted`);
  expect(audit?.reasons.join('\n')).toContain('too many)');
  expect(audit?.sessions?.[0]?.words).toMatch(/^\w+ 5\d\d\d of tab 1 was never sent/);
});

test('a target that makes one visitor of two is found out in the uniques though every total is right', async () => {
  const { audit, lies } = await audited('two visitors as one', 2);
  expect(lies).toBeGreaterThan(1);
  expect(audit?.checks.filter(({ name, ok }) => name.startsWith('events ') && !ok)).toEqual([]);
  expect(audit?.reasons.join('\n')).toMatch(/visitors \w+ \d{4}-\d\d-\d\d: \d+ counted, \d+ expected/);
  expect(audit?.sessions?.[0]?.words).toMatch(/^\w+ \d+ is under the visitor everybody/);
});

test('a target that counts a visitor too many is found out', async () => {
  const { audit, lies } = await audited('extra visitor', 25);
  expect(lies).toBeGreaterThan(0);
  expect(audit?.reasons.join('\n')).toMatch(/visitors \w+ \d{4}: \d+ counted, \d+ expected \(\d+ too many\)/);
});

test('a second writer on the same property makes the run not auditable, and is named', async () => {
  let stop = false;
  const writer = (async () => {
    for (let seq = 1; !stop; seq++) {
      const event = {
        event: { type: 'click', seq },
        session: { id: 'intruder' },
        visitor: { id: 'intruder' },
      };
      await fetch(`${collector.url}/write`, { method: 'POST', body: JSON.stringify(event) });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const { result } = await simulation(new URL(collector.url), { duration: '1s' });
  stop = true;
  await writer;
  expect(result.audit).toMatchObject({ ok: false, auditable: false });
  expect(result.audit?.reasons[0]).toMatch(
    /^another writer: while the crowd was silent byType\.click went from \d+ to \d+$/,
  );
});

test('the result is written as JSON beside an interval log that names its format', async () => {
  const { result, directory: place } = await simulation(new URL(collector.url), {
    json: join(directory, 'out.json'),
  });
  expect(JSON.parse(readFileSync(join(place, 'run.json'), 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(result)),
  );
  expect(JSON.parse(readFileSync(join(directory, 'out.json'), 'utf8')).runId).toBe(result.runId);
  expect(readFileSync(join(place, 'intervals.hlog'), 'utf8')).toContain(
    '#[Histogram log format version 1.3]',
  );
  expect(result).toMatchObject({ schema: 'crowdbeat.run/1', seed: 1, visitors: { asked: 30, peak: 30 } });
  const { planned, acked, rejected, failed, dropped, unknown } = result.events;
  expect(planned).toBe(acked + rejected + failed + dropped + unknown);
  for (const metric of ['response', 'service', 'lateness', 'blocked'] as const) {
    expect(result.latencyMs[metric].count).toBe(result.events.sent);
  }
});

test('a target that is no collector is named before anything is sent', async () => {
  await expect(simulation(new URL('http://127.0.0.1:9'))).rejects.toMatchObject({
    code: 'CB_TARGET_UNREACHABLE',
  });
});

test('a run that gave up is an error at least, and a mismatch where the audit says so', async () => {
  const { result } = await simulation(new URL(collector.url), { duration: '1s' });
  const gaveUp = { ...result, end: 'gave up' } as const;
  expect(exitCodeOf(gaveUp, false)).toBe(1);
  expect(exitCodeOf({ ...gaveUp, audit: null }, false)).toBe(1);
  const audit = { ok: false, auditable: true, reasons: ['away'], checks: [] };
  expect(exitCodeOf({ ...gaveUp, audit }, false)).toBe(23);
  expect(exitCodeOf(result, false, ['result x: can’t be written'])).toBe(1);
});
