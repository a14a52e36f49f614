/** A Redis that answers and takes nothing more: its memory is full, or its disk. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectRedis } from '../store/connection.ts';
import { deleteProperty } from '../store/delete-property.ts';
import { endProcess, pollUntil, spawnRedis } from '../store/redis.testing.ts';
import { readTotals } from '../store/totals.ts';
import { startTestCollector } from './collector.testing.ts';
import { startCollector } from './collector.ts';

const property = { account: 'demo', property: 'site' };

/** Random letters: what can't be compressed fills soon. */
const ballast = (length: number): string =>
  Array.from({ length }, (_none, i) =>
    ((i * 7919 + length * 104_729) ** 2 % 2_147_483_647).toString(36),
  ).join('');

const event = (seq: number) => ({
  event: { type: 'view', seq, data: { text: `${seq} ${ballast(1500 + (seq % 97))}` } },
  session: { id: 's' },
  visitor: { id: 'v' },
});

interface Reply {
  readonly status: number;
  readonly code: string | undefined;
  readonly duplicates: number | undefined;
  readonly retryAfter: string | null;
}

async function write(url: string, seq: number): Promise<Reply> {
  const body = JSON.stringify(event(seq));
  const reply = await fetch(`${url}/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const { code, duplicates } = (await reply.json()) as { code?: string; duplicates?: number };
  return { status: reply.status, code, duplicates, retryAfter: reply.headers.get('retry-after') };
}

/** Writes events one by one until one is refused: how many were stored, and the refusal. */
async function writeUntilRefused(url: string, from: number): Promise<{ stored: number; refusal: Reply }> {
  for (let seq = from; seq < from + 5000; seq++) {
    const reply = await write(url, seq);
    if (reply.status !== 200) return { stored: seq - 1, refusal: reply };
  }
  throw new Error('5,000 events were taken');
}

test('at maxmemory a write is 503 redis_full and nothing of it is there; with room it is taken, and counts once', async () => {
  const { collector, redis, logged, stop } = await startTestCollector();
  onTestFinished(stop);
  const info = String(await redis.connection.call('INFO', ['memory']));
  const usedBytes = Number(/used_memory:(\d+)/.exec(info)?.[1]);
  await redis.connection.call('CONFIG', ['SET', 'maxmemory', String(usedBytes + 1_000_000)]);
  const { stored, refusal } = await writeUntilRefused(collector.url, 1);
  expect(refusal).toMatchObject({ status: 503, code: 'redis_full', retryAfter: '1' });
  expect(stored).toBeGreaterThan(20);
  expect(await readTotals(redis.connection, property)).toMatchObject({
    byType: { view: stored },
    documents: stored,
  });
  expect((await write(collector.url, stored + 1)).code).toBe('redis_full');
  await redis.connection.call('CONFIG', ['SET', 'maxmemory', '0']);
  expect(await write(collector.url, stored + 1)).toMatchObject({ status: 200, duplicates: 0 });
  expect(await write(collector.url, stored)).toMatchObject({ status: 200, duplicates: 1 });
  expect(await readTotals(redis.connection, property)).toMatchObject({
    byType: { view: stored + 1 },
    documents: stored + 1,
  });
  expect(logged).toEqual([]);
});

test('a property can be deleted though Redis is full: that is what makes room', async () => {
  const { collector, redis, stop } = await startTestCollector();
  onTestFinished(stop);
  expect((await write(collector.url, 1)).status).toBe(200);
  await redis.connection.call('CONFIG', ['SET', 'maxmemory', '1']);
  expect((await write(collector.url, 2)).code).toBe('redis_full');
  expect(await deleteProperty(redis.connection, property)).toBeGreaterThan(5);
  expect(await readTotals(redis.connection, property)).toMatchObject({ byType: {}, documents: 0 });
});

/**
 * A full disk of one process: a file of its may not grow beyond so many bytes. The limit is a soft one, so that it
 * can be lifted while Redis runs, by anybody; the signal that comes with it is ignored, as on a full disk there is none.
 */
function spawnRedisOnSmallDisk(directory: string, socketPath: string, blocks512: number) {
  const options = ['--port', '0', '--unixsocket', socketPath, '--dir', directory, '--save', ''];
  const all = [...options, '--appendonly', 'yes', '--appendfsync', 'everysec'];
  const script = `trap '' XFSZ; ulimit -S -f ${blocks512}; exec redis-server "$@"`;
  return spawn('sh', ['-c', script, 'sh', ...all], { stdio: 'ignore' });
}

test('on a full disk a write is 503 redis_disk_full; with room it is taken, and all of it outlives a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'crowdbeat-disk-'));
  const socketPath = join(directory, 'redis.sock');
  const redis = spawnRedisOnSmallDisk(directory, socketPath, 1000);
  onTestFinished(async () => {
    await endProcess(redis);
    rmSync(directory, { recursive: true });
  });
  const connects = () =>
    connectRedis(socketPath, { connectTimeoutMs: 200 }).then(
      (connection) => connection.close().then(() => true),
      () => false,
    );
  await pollUntil(connects, 'no redis-server');
  const collector = await startCollector({ host: '127.0.0.1', port: 0, redisUrl: socketPath });
  onTestFinished(() => collector.close());
  const { stored, refusal } = await writeUntilRefused(collector.url, 1);
  expect(refusal).toMatchObject({ status: 503, code: 'redis_disk_full', retryAfter: '1' });
  const documents = async () =>
    ((await (await fetch(`${collector.url}/totals`)).json()) as { documents: number }).documents;
  expect(await documents()).toBe(stored);
  execFileSync('prlimit', ['--pid', String(redis.pid), '--fsize=unlimited:unlimited']);
  const isTaken = async (): Promise<boolean> => (await write(collector.url, stored + 1)).status === 200;
  await pollUntil(isTaken, 'writes were not taken again');
  expect(await documents()).toBe(stored + 1);
  redis.kill('SIGTERM');
  await new Promise((resolve) => redis.once('exit', resolve));
  const again = spawnRedis(directory, socketPath, ['--appendonly', 'yes']);
  onTestFinished(() => endProcess(again));
  await pollUntil(async () => (await fetch(`${collector.url}/totals`)).status === 200, 'no reconnection');
  expect(await documents()).toBe(stored + 1);
  expect(await write(collector.url, stored)).toMatchObject({ status: 200, duplicates: 1 });
});
