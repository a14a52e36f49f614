import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { endProcess, pollUntil, spawnRedis } from '../server/store/redis.testing.ts';
import { resolveServeOptions } from './cli-serve.ts';
import { type Ended, makeHome, Program } from './program.testing.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** `crowdbeat serve` on a Redis of its own. */
async function serve(...args: string[]): Promise<{ program: Program; url: string; end(): Promise<Ended> }> {
  const directory = mkdtempSync(join(tmpdir(), 'crowdbeat-operations-'));
  opened.push(() => rmSync(directory, { recursive: true, force: true }));
  const socketPath = join(directory, 'redis.sock');
  const redis = spawnRedis(directory, socketPath);
  opened.push(() => endProcess(redis));
  const home = makeHome();
  opened.push(() => home.remove());
  const program = new Program(['serve', '--port', '0', '--redis', socketPath, '--open', ...args], home.path);
  const end = (): Promise<Ended> => {
    program.child.kill('SIGTERM');
    return program.ended;
  };
  opened.push(end);
  const [, url = ''] = await program.says(/listening on (http:\/\/[^\s"]+?)[\s;,"]/);
  return { program, url, end };
}

async function accepted(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^crowdbeat_events_total\{outcome="accepted",reason=""\} (\d+)$/m.exec(text)?.[1]);
}

test('one answer to /metrics is of all processes, whichever gives it', async () => {
  const { url, program } = await serve('--workers', '2');
  const writers = new Set<unknown>();
  for (let number = 0; number < 20; number++) {
    // Each on a connection of its own: they go to the processes by turns.
    const headers = { 'content-type': 'application/json', connection: 'close' };
    const body = JSON.stringify({ event: { type: 'view' }, visitor: { id: `v${number}` } });
    expect((await fetch(`${url}/write`, { method: 'POST', headers, body })).status).toBe(200);
  }
  for (let asked = 0; asked < 4; asked++) {
    const health = await (await fetch(`${url}/health`, { headers: { connection: 'close' } })).json();
    writers.add((health as { collector: { worker: number } }).collector.worker);
  }
  expect(writers.size).toBe(2);
  for (let asked = 0; asked < 4; asked++) expect(await accepted(url)).toBe(20);
  expect(program.stderr).toBe('');
});

test('with --log-format json every line is an object, from the first to the last', async () => {
  const { end } = await serve('--log-format', 'json');
  const { code, stdout, stderr } = await end();
  expect([code, stdout]).toEqual([0, '']);
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines)
    expect(line).toMatchObject({ level: 'info', msg: expect.any(String), time: expect.stringMatching(/Z$/) });
});

test('processes of one port keep the retention that was asked for', async () => {
  const { url } = await serve('--workers', '2', '--retention', 'minute=1s,hour=forever');
  await pollUntil(async () => (await fetch(`${url}/ping`)).ok, 'no ping');
  const ask = async (bucket: string): Promise<unknown> =>
    (await fetch(`${url}/count?event=view&bucket=${bucket}`)).json();
  expect(await ask('2020-01-01-00-00')).toEqual({ expired: true });
  expect(await ask('2020-01-01-00')).toEqual({ count: 0 });
  expect(await ask('2020-01-01')).toEqual({ expired: true });
});

test('options that nobody understands are refused before anything starts', () => {
  expect(() => resolveServeOptions({ retention: 'week=1d' }, {})).toThrow(/--retention: needs/);
  expect(() => resolveServeOptions({ logFormat: 'xml' }, {})).toThrow(/--log-format: needs text or json/);
  expect(resolveServeOptions({ retention: 'events=1d', logLevel: 'warn' }, {})).toMatchObject({
    retention: { events: 86_400_000 },
    logFormat: 'text',
    logLevel: 'warn',
  });
});
