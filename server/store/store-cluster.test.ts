import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { parseBucket, type TimeBucket } from '../base/time-bucket.ts';
import { connectRedis } from './connection.ts';
import { countBucket } from './counts.ts';
import { deleteProperty } from './delete-property.ts';
import { endProcess, pollUntil, testEvent } from './redis.testing.ts';
import { PropertyStore } from './store.ts';
import { readTotals } from './totals.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

// A cluster of one node: it checks, as any other, that all keys of a script lie in one slot.
test('in Redis Cluster all keys of a property share a slot, and commits, counts and totals work', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'crowdbeat-cluster-'));
  const [port, busPort] = [await freePort(), await freePort()];
  const options = [
    '--port',
    String(port),
    '--cluster-port',
    String(busPort),
    '--cluster-announce-ip',
    '127.0.0.1',
    '--cluster-enabled',
    'yes',
    '--bind',
    '127.0.0.1',
  ];
  const node = spawn('redis-server', [...options, '--dir', directory, '--save', ''], { stdio: 'ignore' });
  onTestFinished(async () => {
    await endProcess(node);
    rmSync(directory, { recursive: true });
  });
  const url = `redis://127.0.0.1:${port}`;
  const single = () => connectRedis(url, { connectTimeoutMs: 200 }).catch(() => undefined);
  let admin = await single();
  const started = async (): Promise<boolean> => {
    if (admin === undefined) admin = await single();
    return admin !== undefined;
  };
  await pollUntil(started, 'the cluster node did not start');
  await admin?.call('CLUSTER', ['ADDSLOTSRANGE', '0', '16383']);
  await pollUntil(
    async () => String(await admin?.call('CLUSTER', ['INFO'])).includes('cluster_state:ok'),
    'the cluster did not become ready',
  );
  await admin?.close();
  const connection = await connectRedis(`${url},${url}`);
  onTestFinished(() => connection.close());
  const property = { account: 'demo', property: '{site}' };
  const nowMs = Date.UTC(2026, 10, 21, 12, 30, 20);
  const store = new PropertyStore(connection, property, { clock: new ManualClock(nowMs) });
  const events = [
    testEvent({ sessionId: 's', tabId: 't', seq: 1, source: 'news' }),
    testEvent({ sessionId: 's', tabId: 't', seq: 1 }),
    testEvent({ visitorId: 'b', eventId: 'e' }),
  ];
  expect(await store.commit(events)).toEqual(['accepted', 'duplicate', 'accepted']);
  expect(await store.commit([testEvent({ sessionId: 's', tabId: 't', seq: 2 })])).toEqual(['accepted']);
  const day = parseBucket('2026-11-21') as TimeBucket;
  const reply = await countBucket(connection, property, { event: 'heartbeat' }, day, nowMs, store.retention);
  expect(reply).toEqual({ count: 2 });
  expect(await readTotals(connection, property)).toEqual({
    byType: { heartbeat: 3 },
    sessions: 1,
    documents: 3,
  });
  expect(await deleteProperty(connection, property)).toBeGreaterThan(20);
  expect(await connection.call('DBSIZE', [])).toBe(0);
  expect(await store.commit([testEvent({ sessionId: 's', tabId: 't', seq: 1 })])).toEqual(['accepted']);
});
