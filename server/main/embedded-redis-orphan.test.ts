/** What happens to the server when its crowdbeat ends in every way a process can end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import {
  ask,
  cleanUp,
  compileOther,
  eventually,
  isGone,
  OtherCrowdbeat,
  temporaryDirectory,
} from './embedded-redis.testing.ts';
import { type EmbeddedRedis, type EmbeddedRedisOptions, startEmbeddedRedis } from './embedded-redis.ts';
import { identifyProcess, ownMark } from './embedded-redis-identity.ts';

let program: string;
let compiled: string;
let directory: string;
let dataDir: string;
let others: OtherCrowdbeat[];
let started: EmbeddedRedis[];
const lines: string[] = [];

beforeAll(async () => {
  compiled = temporaryDirectory();
  program = await compileOther(compiled);
});

afterAll(() => cleanUp(compiled, []));

beforeEach(() => {
  directory = temporaryDirectory();
  dataDir = join(directory, 'data');
  others = [];
  started = [];
  lines.length = 0;
});

afterEach(async () => {
  const pids = await Promise.all(others.map(async (other) => (await other.report()).pid));
  await Promise.all([...started.map((redis) => redis.stop()), ...others.map((other) => other.kill())]);
  await cleanUp(directory, pids);
});

function startOther(): OtherCrowdbeat {
  const other = new OtherCrowdbeat(program, dataDir);
  others.push(other);
  return other;
}

async function startHere(options: Partial<EmbeddedRedisOptions> = {}) {
  const log = (line: string): void => void lines.push(line);
  const redis = await startEmbeddedRedis({ dataDir, fsync: 'everysec', clock: systemClock, log, ...options });
  started.push(redis);
  return redis;
}

async function orphan(): Promise<{ url: string; pid: number; ownerPid: number }> {
  const other = startOther();
  const { url = '', pid = 0 } = await other.report();
  await ask(url, 'SET', 'kept', 'yes');
  await other.kill();
  expect(isGone(pid)).toBe(false);
  return { url, pid, ownerPid: other.pid };
}

it('ends the server when the process exits without stopping it', async () => {
  const other = startOther();
  const { pid = 0 } = await other.report();
  expect(isGone(pid)).toBe(false);
  other.tell('exit');
  expect(await eventually(() => isGone(pid))).toBe(true);
});

it('ends the server when an exception is caught by nobody', async () => {
  const other = startOther();
  const { pid = 0 } = await other.report();
  other.tell('throw');
  expect(await eventually(() => isGone(pid))).toBe(true);
});

it('puts the server in a process group of its own, which the Ctrl-C of a terminal does not reach', async () => {
  const { pid } = await startHere();
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  expect(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]).toBe(String(pid));
});

it('refuses a directory whose other crowdbeat lives', async () => {
  const other = startOther();
  const { url = '' } = await other.report();
  await expect(startHere()).rejects.toThrow(
    `is in use by process ${other.pid}; stop it or choose another --data-dir`,
  );
  expect(await ask(url, 'PING')).toEqual(['PONG']);
});

it('lets one of two processes that start at the same moment win', async () => {
  const reports = await Promise.all([startOther(), startOther()].map((other) => other.report()));
  expect(reports.filter((report) => report.pid !== undefined)).toHaveLength(1);
  expect(reports.find((report) => report.error !== undefined)?.error).toContain('is in use by process');
});

it('takes over the server of a killed crowdbeat, with its data and the wanted fsync policy', async () => {
  const left = await orphan();
  const redis = await startHere({ fsync: 'always' });
  expect(redis).toMatchObject({ pid: left.pid, url: left.url, adopted: true });
  expect(await ask(redis.url, 'GET', 'kept')).toEqual(['yes']);
  expect(await ask(redis.url, 'CONFIG', 'GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
  expect(lines.join()).toContain(`took over the embedded Redis (process ${left.pid})`);
});

it('is the owner of a server that it took over: others are refused, stop ends it', async () => {
  const left = await orphan();
  const redis = await startHere();
  const third = startOther();
  expect((await third.report()).error).toContain(`is in use by process ${process.pid}`);
  await redis.stop();
  expect(isGone(left.pid)).toBe(true);
  expect(existsSync(join(dataDir, 'owner.json'))).toBe(false);
});

it('reports the death of a server that it took over', async () => {
  const left = await orphan();
  const reasons: string[] = [];
  await startHere({ onExit: (reason) => reasons.push(reason) });
  process.kill(left.pid, 'SIGKILL');
  expect(await eventually(() => reasons.length > 0)).toBe(true);
  expect(reasons[0]).toContain(`(process ${left.pid}) ended unexpectedly`);
});

it('ends a server that was left and no longer answers, and starts anew with its data', async () => {
  const left = await orphan();
  await ask(left.url, 'ACL', 'SETUSER', 'default', 'off');
  const redis = await startHere({ stallDeadlineMs: 2000 });
  expect(redis.adopted).toBe(false);
  expect(redis.pid).not.toBe(left.pid);
  expect(isGone(left.pid)).toBe(true);
  expect(await ask(redis.url, 'GET', 'kept')).toEqual(['yes']);
  expect(lines.join()).toContain(`ended the embedded Redis (process ${left.pid})`);
});

it.each([
  ['its start time differs', (pid: number) => ({ pid, startTime: '1@another-boot' })],
  ['it is no Redis', (pid: number) => ({ pid, startTime: identifyProcess(pid)?.startTime })],
])('does not touch a stranger with the recorded process id: %s', async (_why, mark) => {
  const stranger = spawn('sleep', ['600']);
  await once(stranger, 'spawn');
  try {
    mkdirSync(dataDir);
    const owner = { ...ownMark(), startTime: '1@another-boot' };
    const record = { server: mark(stranger.pid ?? 0), owner, url: join(dataDir, 'redis.sock') };
    writeFileSync(join(dataDir, 'owner.json'), JSON.stringify(record));
    const redis = await startHere();
    expect(redis.adopted).toBe(false);
    await redis.stop();
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    expect(isGone(stranger.pid ?? 0)).toBe(false);
  } finally {
    stranger.kill();
  }
});

it('takes over neither lock nor directory of a start that runs, but both of one that was killed', async () => {
  mkdirSync(dataDir);
  const alive = spawn('sleep', ['600']);
  await once(alive, 'spawn');
  const lock = join(dataDir, 'start.lock');
  writeFileSync(lock, JSON.stringify(identifyProcess(alive.pid ?? 0)));
  await expect(startHere()).rejects.toThrow(`is in use by process ${alive.pid}`);
  const ended = once(alive, 'exit');
  alive.kill('SIGKILL');
  await ended;
  const redis = await startHere();
  expect(await ask(redis.url, 'PING')).toEqual(['PONG']);
  expect(existsSync(lock)).toBe(false);
});
