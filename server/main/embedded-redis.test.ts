import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { ask, cleanUp, eventually, isGone, temporaryDirectory } from './embedded-redis.testing.ts';
import { type EmbeddedRedis, type EmbeddedRedisOptions, startEmbeddedRedis } from './embedded-redis.ts';

let directory: string;
let started: EmbeddedRedis[];
const lines: string[] = [];

beforeEach(() => {
  directory = temporaryDirectory();
  started = [];
  lines.length = 0;
});

afterEach(async () => {
  await Promise.all(started.map((redis) => redis.stop()));
  await cleanUp(
    directory,
    started.map((redis) => redis.pid),
  );
});

async function start(options: Partial<EmbeddedRedisOptions> = {}): Promise<EmbeddedRedis> {
  const redis = await startEmbeddedRedis({
    dataDir: join(directory, 'data'),
    fsync: 'everysec',
    clock: systemClock,
    log: (line) => lines.push(line),
    ...options,
  });
  started.push(redis);
  return redis;
}

it('starts a server of its own that keeps everything in an append-only file', async () => {
  const redis = await start({ fsync: 'always' });
  expect(await ask(redis.url, 'PING')).toEqual(['PONG']);
  const settings = await ask(
    redis.url,
    'CONFIG',
    'GET',
    'append*',
    'save',
    'maxmemory-policy',
    'protected-mode',
    'port',
  );
  const pairs = Object.fromEntries(
    settings.flatMap((name, index) => (index % 2 === 0 ? [[name, settings[index + 1]]] : [])),
  );
  expect(pairs).toMatchObject({
    appendonly: 'yes',
    appendfsync: 'always',
    save: '',
    'maxmemory-policy': 'noeviction',
    'protected-mode': 'yes',
    port: '0',
  });
  const info = (await ask(redis.url, 'INFO', 'server'))[0];
  expect(info).toContain(`process_id:${redis.pid}\r\n`);
  expect(info).toContain(`version:${redis.version}\r\n`);
});

it('lets nobody but its user at the socket and the data', async () => {
  const redis = await start();
  expect(statSync(redis.url).mode & 0o077).toBe(0);
  expect(statSync(join(directory, 'data')).mode & 0o077).toBe(0);
});

it('leaves no process, no socket and no owner behind after stop', async () => {
  const redis = await start();
  await redis.stop();
  expect(isGone(redis.pid)).toBe(true);
  expect(readdirSync(join(directory, 'data')).sort()).toEqual(['appendonlydir', 'redis.log']);
});

it('may be stopped twice, also at the same moment', async () => {
  const redis = await start();
  await Promise.all([redis.stop(), redis.stop()]);
  await redis.stop();
  expect(isGone(redis.pid)).toBe(true);
});

it('keeps the data from one start to the next', async () => {
  const first = await start();
  await ask(first.url, 'SET', 'visitor', 'Zoë');
  await first.stop();
  const second = await start();
  expect(second.pid).not.toBe(first.pid);
  expect(second.adopted).toBe(false);
  expect(await ask(second.url, 'GET', 'visitor')).toEqual(['Zoë']);
});

it('copes with a directory whose name has spaces, quotes and letters from elsewhere', async () => {
  const redis = await start({ dataDir: join(directory, `a "b" 'c' ü`) });
  expect(await ask(redis.url, 'PING')).toEqual(['PONG']);
  expect(existsSync(join(directory, `a "b" 'c' ü`, 'appendonlydir'))).toBe(true);
});

it.each([
  ['is too long for a socket', 'x'.repeat(120)],
  ['has a comma, which separates cluster nodes in a URL', 'a,b'],
])('listens on a free port of the loopback if the path %s', async (_why, name) => {
  const redis = await start({ dataDir: join(directory, name) });
  expect(redis.url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
  expect(redis.url).not.toContain(':6379');
  expect(await ask(redis.url, 'CONFIG', 'GET', 'bind')).toEqual(['bind', '127.0.0.1']);
});

it('refuses a second start in the same directory, by name of the process', async () => {
  const redis = await start();
  await expect(start()).rejects.toMatchObject({
    code: 'CB_REDIS_START',
    message: `${join(directory, 'data')} is in use by process ${process.pid}; stop it or choose another --data-dir`,
  });
  expect(await ask(redis.url, 'PING')).toEqual(['PONG']);
});

it('lets one of two starts at the same moment win', async () => {
  const outcomes = await Promise.allSettled([start(), start()]);
  expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(outcomes.find((outcome) => outcome.status === 'rejected')?.reason.message).toContain(
    'is in use by process',
  );
});

it('refuses a directory in which an unrecorded server answers, and leaves that server alone', async () => {
  const redis = await start();
  writeFileSync(join(directory, 'data/owner.json'), '{ "server": 7');
  await expect(start()).rejects.toThrow(`is in use by process ${redis.pid}`);
  expect(await ask(redis.url, 'PING')).toEqual(['PONG']);
});

it('says so if the directory cannot be made', async () => {
  writeFileSync(join(directory, 'file'), '');
  const dataDir = join(directory, 'file/data');
  await expect(start({ dataDir })).rejects.toMatchObject({
    code: 'CB_REDIS_START',
    message: expect.stringMatching(/file\/data can't be its data directory: E(NOTDIR|EXIST)/),
  });
});

it('quotes the log if Redis cannot write its files', async () => {
  mkdirSync(join(directory, 'data'));
  writeFileSync(join(directory, 'data/appendonlydir'), 'a file where a directory should be');
  await expect(start()).rejects.toMatchObject({
    code: 'CB_REDIS_START',
    message: expect.stringMatching(/ended while starting \(exit code 1\): .*append-only dir/),
  });
  expect(existsSync(join(directory, 'data/owner.json'))).toBe(false);
});

it('quotes the log if the append-only file is corrupt', async () => {
  const first = await start();
  await ask(first.url, 'SET', 'a', '1');
  await first.stop();
  const folder = join(directory, 'data/appendonlydir');
  const file = readdirSync(folder).find((name) => name.endsWith('.incr.aof')) ?? '';
  writeFileSync(join(folder, file), `*garbage${readFileSync(join(folder, file), 'latin1')}`);
  await expect(start()).rejects.toThrow(/ended while starting \(exit code 1\): Bad file format/);
});

it('starts although a crash cut the last command of the append-only file', async () => {
  const first = await start();
  await ask(first.url, 'SET', 'a', '1');
  await ask(first.url, 'SET', 'b', '2');
  await first.stop();
  const folder = join(directory, 'data/appendonlydir');
  const path = join(folder, readdirSync(folder).find((name) => name.endsWith('.incr.aof')) ?? '');
  truncateSync(path, statSync(path).size - 3);
  const second = await start();
  expect(await ask(second.url, 'MGET', 'a', 'b')).toEqual(['1']);
});

it('reports the death of the server once, and a stop after it is no error', async () => {
  const reasons: string[] = [];
  const redis = await start({ onExit: (reason) => reasons.push(reason) });
  process.kill(redis.pid, 'SIGKILL');
  expect(await eventually(() => reasons.length > 0)).toBe(true);
  await redis.stop();
  expect(reasons).toHaveLength(1);
  expect(reasons[0]).toContain(`(process ${redis.pid}) ended unexpectedly, signal SIGKILL`);
  expect(existsSync(join(directory, 'data/owner.json'))).toBe(false);
});

it('reports nothing when it was stopped', async () => {
  const reasons: string[] = [];
  const redis = await start({ onExit: (reason) => reasons.push(reason) });
  await redis.stop();
  await (await start()).stop();
  expect(reasons).toEqual([]);
});
