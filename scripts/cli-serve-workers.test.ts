import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../server/base/clock.ts';
import type { HealthReply } from '../server/protocol/replies.ts';
import { startTestRedis, type TestRedis } from '../server/store/redis.testing.ts';
import { resolveSimOptions } from '../sim/run/options.ts';
import { type SimulationOutcome, simulate } from '../sim/run/simulation.ts';
import { collectorWorkersFor } from './collector-process.ts';
import { lives, makeHome, Program, until } from './program.testing.ts';

let redis: TestRedis;
let home: ReturnType<typeof makeHome>;
let server: Program;
let url: string;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  await redis.connection.call('FLUSHALL', []);
  home = makeHome();
});
afterEach(async () => {
  server.child.kill('SIGTERM');
  await server.ended;
  home.remove();
});

async function serve(...args: string[]): Promise<void> {
  server = new Program(['serve', '--port', '0', '--redis', redis.socketPath, '--open', ...args], home.path);
  url = (await server.says(/listening on (http:[^\s;]+)/))[1] ?? '';
}

/** Connections go to the workers by turns, so a few questions on connections of their own meet all of them. */
async function workers(count: number): Promise<Map<number, HealthReply['collector']>> {
  const met = new Map<number, HealthReply['collector']>();
  for (let question = 0; question < 4 * count; question++) {
    const reply = await fetch(`${url}/health`, { headers: { connection: 'close' } });
    const { collector } = (await reply.json()) as HealthReply;
    met.set(collector.worker, collector);
  }
  return met;
}

async function crowd(flags: Record<string, unknown>, meanwhile: () => Promise<void>) {
  const directory = mkdtempSync(join(tmpdir(), 'crowdbeat-workers-'));
  let running: () => void = () => undefined;
  const isRunning = new Promise<void>((resolve) => {
    running = resolve;
  });
  const outcome: Promise<SimulationOutcome> = simulate({
    sim: resolveSimOptions({ visitors: 50, heartbeat: '300ms', 'log-clients': 0, connections: 16, ...flags }),
    targetUrl: new URL(url),
    clock: systemClock,
    resultsDirectory: join(directory, 'results'),
    logDirectory: join(directory, 'logs'),
    onView: () => undefined,
    onNote: () => undefined,
    onRunning: () => running(),
  });
  await Promise.race([isRunning, outcome]);
  await meanwhile();
  const { result } = await outcome;
  rmSync(directory, { recursive: true });
  return result;
}

const stored = async (): Promise<number> =>
  Number((await redis.connection.call('HGET', ['{demo::site}::totals', 'ordinals'])) ?? 0);

test('two processes on one port serve one property: the audit of a crowd is exact', async () => {
  await serve('--workers', '2');
  const met = await workers(2);
  expect([...met.keys()].sort()).toEqual([1, 2]);
  expect(met.get(1)).toMatchObject({ worker: 1, workers: 2 });
  expect(met.get(1)?.pid).not.toBe(met.get(2)?.pid);
  const result = await crowd({ duration: '2s' }, () => Promise.resolve());
  expect(result.audit?.reasons).toEqual([]);
  expect(result.audit?.ok).toBe(true);
  expect(result.events.acked).toBe(result.events.planned);
});

test('a worker killed during a run is replaced, said in one line, and the audit stays exact', async () => {
  await serve('--workers', '2');
  const before = await workers(2);
  const victim = before.get(2)?.pid ?? 0;
  const result = await crowd({ duration: '3s', timeout: '2s' }, async () => {
    await until('events are stored', () => lives(victim));
    while ((await stored()) < 100) await new Promise((resolve) => setTimeout(resolve, 10));
    process.kill(victim, 'SIGKILL');
  });
  expect(result.audit?.reasons).toEqual([]);
  expect(result.audit?.ok).toBe(true);
  expect(result.events.failed + result.events.unknown + result.events.dropped).toBe(0);
  const after = await workers(2);
  expect([...after.keys()].sort()).toEqual([1, 2]);
  expect(after.get(2)?.pid).not.toBe(victim);
  expect(after.get(1)?.pid).toBe(before.get(1)?.pid);
  expect(server.stderr).toBe(
    `crowdbeat: worker 2 (process ${victim}) ended by SIGKILL; another one starts now\n`,
  );
});

test('the port stays the same when every worker dies at once', async () => {
  await serve('--workers', '2');
  const before = await workers(2);
  for (const { pid } of before.values()) process.kill(pid, 'SIGKILL');
  const pids = [...before.values()].map(({ pid }) => pid);
  await until('both are gone', () => pids.every((pid) => !lives(pid)));
  // A connection on its way to a worker that dies hangs (see collector-cluster.ts): its client must not wait long.
  const answers = () =>
    fetch(`${url}/ping`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(1000) }).then(
      () => true,
      () => false,
    );
  while (!(await answers())) await new Promise((resolve) => setTimeout(resolve, 20));
  const after = await workers(2);
  expect([...after.values()].some(({ pid }) => pids.includes(pid))).toBe(false);
});

test('SIGTERM drains all: what was sent is answered and stored, no process stays, the exit code is 0', async () => {
  await serve('--workers', '2');
  const pids = [...(await workers(2)).values()].map(({ pid }) => pid);
  redis.process.kill('SIGSTOP');
  const write = (seq: number) =>
    fetch(`${url}/write`, {
      method: 'POST',
      body: JSON.stringify({ event: { type: 'view', seq }, session: { id: 's' }, visitor: { id: 'v' } }),
    });
  const writes = Array.from({ length: 20 }, (_none, index) => write(index + 1));
  const queued = async (): Promise<number> => {
    const replies = Array.from({ length: 8 }, async () => {
      const reply = await fetch(`${url}/health`, { headers: { connection: 'close' } });
      return (await reply.json()) as HealthReply;
    });
    const byWorker = new Map(
      (await Promise.all(replies)).map((reply) => [reply.collector.pid, reply.queue.events]),
    );
    return [...byWorker.values()].reduce((sum, events) => sum + events, 0);
  };
  while ((await queued()) < 20) await new Promise((resolve) => setTimeout(resolve, 10));
  server.child.kill('SIGTERM');
  await server.says(/SIGTERM: finishing what is in flight/);
  redis.process.kill('SIGCONT');
  const statuses = (await Promise.all(writes)).map(({ status }) => status);
  expect(statuses).toEqual(new Array(20).fill(200));
  expect((await server.ended).code).toBe(0);
  expect(pids.filter(lives)).toEqual([]);
  expect(await stored()).toBe(20);
});

test('a worker asked to end drains and is replaced', async () => {
  await serve('--workers', '2');
  const pid = (await workers(2)).get(1)?.pid ?? 0;
  process.kill(pid, 'SIGTERM');
  await server.says(/worker 1 \(process \d+\) ended with code 0; another one starts now/);
  let after = await workers(2);
  while (after.size < 2) after = await workers(2);
  expect(after.get(1)?.pid).not.toBe(pid);
});

test('the workers end with a primary that was killed', async () => {
  await serve('--workers', '2');
  const pids = [...(await workers(2)).values()].map(({ pid }) => pid);
  server.child.kill('SIGKILL');
  await until('the workers are gone', () => !pids.some(lives));
});

test('what keeps the workers from starting is said once, with exit code 1, and nothing stays', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const port = String((other.address() as AddressInfo).port);
  server = new Program(
    ['serve', '--port', port, '--redis', redis.socketPath, '--open', '--workers', '2'],
    home.path,
  );
  const { code, stderr } = await server.ended;
  other.close();
  expect(stderr).toBe(`crowdbeat: port ${port} on 127.0.0.1 is in use; choose another with --port\n`);
  expect(code).toBe(1);
});

test.each(['0', '257', 'two', '1.5'])('--workers %s is refused', async (text) => {
  server = new Program(['serve', '--workers', text], home.path);
  const { code, stderr } = await server.ended;
  expect(stderr).toContain(`--workers: needs a whole number from 1 to 256, got "${text}"`);
  expect(code).toBe(1);
});

test('a run that starts its own collector takes one process up to 12,000 events/s, then as many as it needs', () => {
  expect([0, 300, 16_000].map((rate) => collectorWorkersFor(rate, 8))).toEqual([1, 1, 1]);
  expect([16_001, 32_000, 48_001, 200_000].map((rate) => collectorWorkersFor(rate, 8))).toEqual([2, 2, 4, 8]);
  expect(collectorWorkersFor(100_000, 1)).toBe(1);
});
