import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestRedis } from '../server/store/redis.testing.ts';
import { lives, makeHome, Program, until } from './program.testing.ts';

let home: ReturnType<typeof makeHome>;

beforeEach(() => {
  home = makeHome();
});

afterEach(() => home.remove());

const sim = (...args: string[]): Program => new Program(['sim', ...args], home.path);

/** Ids of Redis and the collector, from what the run says. */
async function processesOf(run: Program): Promise<{ redis: number; collector: number }> {
  const redis = await run.says(/Redis [\d.]+ \(process (\d+)/);
  const collector = await run.says(/started the collector at \S+ \(process (\d+)\)/);
  return { redis: Number(redis[1]), collector: Number(collector[1]) };
}

test('one command runs a crowd, audits it, writes the result and leaves no process behind', async () => {
  const json = join(home.path, 'out.json');
  const run = sim('20', '--duration', '2s', '--seed', '7', '--json', json);
  const pids = await processesOf(run);
  const { code, stdout, stderr } = await run.ended;
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toMatch(/A crowd of 20 visitors/);
  expect(stdout).toMatch(/Audit {6}ok: \d+ figures of the collector compared with the ledger, all equal/);
  expect([lives(pids.redis), lives(pids.collector)]).toEqual([false, false]);
  const result = JSON.parse(readFileSync(json, 'utf8'));
  expect(result).toMatchObject({
    schema: 'crowdbeat.run/1',
    seed: 7,
    visitors: { asked: 20, peak: 20 },
    audit: { ok: true },
  });
  expect(readdirSync(join(home.path, 'results', result.runId)).sort()).toEqual([
    'intervals.hlog',
    'ledger.json.gz',
    'run.json',
  ]);
  expect(readdirSync(join(home.path, 'logs'))).toHaveLength(20);
});

test('Ctrl-C once ends a run properly: visitors leave, events settle, the audit holds', async () => {
  const run = sim('20', '--duration', '60s');
  const pids = await processesOf(run);
  await until('the first logs', () => readdirSync(home.path).includes('logs'));
  run.child.kill('SIGINT');
  const { code, stdout } = await run.ended;
  expect(stdout).toMatch(/ending: visitors leave/);
  expect(stdout).toMatch(/20 visitors.* was ended after/);
  expect(stdout).toMatch(/Audit {6}ok/);
  expect(code).toBe(0);
  expect([lives(pids.redis), lives(pids.collector)]).toEqual([false, false]);
});

test('Ctrl-C twice ends at once with the results of what was, exit code 130', async () => {
  // A target that never answers keeps events open, so that the first Ctrl-C alone would take the whole drain.
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const run = sim('10', '--duration', '60s', '--target', url, '--no-audit', '--timeout', '50s');
  await until('the first logs', () => readdirSync(home.path).includes('logs'));
  run.child.kill('SIGINT');
  await run.says(/once more to end at once/);
  run.child.kill('SIGINT');
  const { code, stdout } = await run.ended;
  silent.closeAllConnections();
  silent.close();
  expect(stdout).toMatch(/was cut off after/);
  expect(code).toBe(130);
  const [runId = ''] = readdirSync(join(home.path, 'results'));
  expect(readdirSync(join(home.path, 'results', runId))).toContain('run.json');
});

test('after a SIGKILL the collector ends by itself, and the next run takes over the Redis that was left', async () => {
  const killed = sim('5', '--duration', '60s');
  const before = await processesOf(killed);
  killed.child.kill('SIGKILL');
  await killed.ended;
  await until('the orphaned collector is gone', () => !lives(before.collector));
  const next = sim('5', '--duration', '1s');
  const { code, stdout } = await next.ended;
  expect(stdout).toContain(`took over the embedded Redis (process ${before.redis})`);
  expect(stdout).toMatch(/Audit {6}ok/);
  expect(code).toBe(0);
  expect(lives(before.redis)).toBe(false);
});

test('with REDIS_URL set, that Redis is used and none is started', async () => {
  const redis = await startTestRedis();
  const run = new Program(['sim', '5', '--duration', '1s'], home.path, { REDIS_URL: redis.socketPath });
  const { code, stdout } = await run.ended;
  await redis.stop();
  expect(stdout).toContain(`using Redis at ${redis.socketPath}`);
  expect(stdout).not.toContain('started Redis');
  expect(code).toBe(0);
});

test('a config file gives options, and what has no effect is said', async () => {
  const config = join(home.path, 'crowd.json');
  writeFileSync(
    config,
    JSON.stringify({
      visitors: 4,
      duration: '1s',
      heartbeat: '300ms',
      session: 'shed',
      username: 'u',
      password: 'secret-word',
    }),
  );
  const { code, stdout } = await sim(config).ended;
  expect(stdout).toMatch(/4 visitors arrive/);
  expect(stdout).toMatch(/heartbeats of 4 sessions to the session store shed/);
  expect(stdout).toMatch(/our own collector is open: nobody logs in/);
  expect(stdout).not.toContain('secret-word');
  expect(code).toBe(0);
});

const text = (name: string, content: string): string => {
  const path = join(home.path, name);
  writeFileSync(path, content);
  return path;
};

test.each<[string, () => string[], RegExp]>([
  ['an unknown option', () => ['5', '--visiters', '3'], /Unknown argument: visiters \(see --help\)/],
  [
    'a number of visitors out of range',
    () => ['0'],
    /number of visitors: needs a whole number from 1 to 1000000, got "0"/,
  ],
  ['two numbers', () => ['5', '6'], /sim: needs at most one config file and one number, got \["5","6"\]/],
  [
    'a duration without a unit',
    () => ['5', '--duration', '60'],
    /--duration: needs a duration of at least 1s/,
  ],
  [
    'a config file that is not there',
    () => ['nowhere.json'],
    /config file nowhere\.json: can't be read: ENOENT/,
  ],
  ['a config file that is no JSON', () => [text('a.json', '{"visitors": }')], /a\.json: is no JSON\b/],
  ['a config file that is no object', () => [text('b.json', '[1]')], /b\.json: needs a JSON object /],
  [
    'a config file with an unknown key',
    () => [text('c.json', '{"__proto__": {"x": 1}, "visitor": 1}')],
    /c\.json: unknown key "/,
  ],
  [
    'a result that can’t be written',
    () => ['5', '--json', '/dev/null/out.json'],
    /--json: \/dev\/null\/out\.json can't be written: ENOTDIR/,
  ],
  ['a Redis that is not there', () => ['5', '--redis', 'redis://127.0.0.1:9'], /Redis .*127\.0\.0\.1:9/],
  [
    'a target that refuses',
    () => ['5', '--target', 'http://127.0.0.1:9'],
    /target http:\/\/127\.0\.0\.1:9\/: GET \/totals .*ECONNREFUSED/,
  ],
  [
    'an fsync policy that there is not',
    () => ['5', '--redis-fsync', 'often'],
    /--redis-fsync: needs everysec, always or no, got "often"/,
  ],
])('%s is refused with one clear sentence and exit code 1', async (_what, args, message) => {
  const { code, stderr } = await sim(...args()).ended;
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ {4}at /m);
  expect(code).toBe(1);
});

test('a target that answers, but not as a collector, is refused before anything is sent', async () => {
  const writes: string[] = [];
  const stranger = createServer((request, response) => {
    if (request.method === 'POST') writes.push(request.url ?? '');
    response.end('<html>welcome</html>');
  });
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  const { code, stderr } = await sim(
    '5',
    '--target',
    `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`,
  ).ended;
  stranger.close();
  expect(stderr).toMatch(/target http:\/\/127\.0\.0\.1:\d+\/: GET \/totals /);
  expect(code).toBe(1);
  expect(writes).toEqual([]);
});

test('results that can’t be kept are an error that names the folder', async () => {
  writeFileSync(join(home.path, 'results'), 'a file where the folder should be');
  mkdirSync(join(home.path, '.crowdbeat'));
  const { code, stderr } = await sim('5', '--duration', '1s').ended;
  expect(stderr).toMatch(/results directory \S+: can't be made: ENOTDIR|EEXIST/);
  expect(code).toBe(1);
});

test('--help names every option of the README, and says what a run returns', async () => {
  const { stdout, code } = await sim('--help').ended;
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const synopsis = /scripts\/runSim \[config\.json\] N[\s\S]*?```/.exec(readme)?.[0] ?? '';
  const names = [...synopsis.matchAll(/\[--(?:no-)?([a-z-]+)/g)].map((match) => match[1] ?? '');
  expect(names.length).toBeGreaterThan(12);
  for (const name of names) expect(stdout, name).toContain(`--${name}`);
  expect(stdout).toContain('docs/exit-codes.md');
  expect(code).toBe(0);
});
