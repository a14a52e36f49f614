import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { type ClusterNode, startTestCluster, type TestCluster } from './cluster.testing.ts';
import type { RedisConnection } from './connection.ts';
import { Confirmations, followLineage, noLineage } from './durability.ts';
import { PropertyKeys } from './keys.ts';
import { endProcess, pollUntil, startTestRedis } from './redis.testing.ts';
import { PropertyStore } from './store.ts';
import { agreedEvents, nameOf, nowMs, toldEvent } from './stored-data.testing.ts';

const property = { account: 'demo', property: 'site' };
const { generation } = new PropertyKeys(property);
const code = (expected: string) => expect.objectContaining({ code: expected });
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster.stop());

const newStore = (connection: RedisConnection) =>
  new PropertyStore(connection, property, { clock: new ManualClock(nowMs) });

/** Until `mend`, the replica is not let in by its master, though the cluster knows both to be well. */
async function cutLink(master: ClusterNode): Promise<{ replica: ClusterNode; mend: () => Promise<void> }> {
  const replica = await cluster.replicaOf(master);
  await replica.admin.call('CONFIG', ['SET', 'masterauth', 'wrong']);
  await master.admin.call('CLIENT', ['KILL', 'TYPE', 'REPLICA']);
  return {
    replica,
    mend: async () => {
      await replica.admin.call('CONFIG', ['SET', 'masterauth', '']);
      const isLinked = async (): Promise<boolean> =>
        String(await replica.admin.call('INFO', ['replication'])).includes('master_link_status:up');
      await pollUntil(isLinked, 'the replica did not come back');
    },
  };
}

test('what a replica has is replicated, also where everything was a duplicate', async () => {
  const confirmations = new Confirmations(await cluster.connect());
  const store = newStore(await cluster.connect());
  await store.commit([toldEvent('a', 1, 'v')]);
  await confirmations.confirm(property, 'replicated', store.lineage.replicationId);
  const again = newStore(cluster.connection);
  expect(await again.commit([toldEvent('a', 1, 'v')])).toEqual(['duplicate']);
  await confirmations.confirm(property, 'replicated', again.lineage.replicationId);
  expect(await cluster.connection.call('EXISTS', [new PropertyKeys(property).marker])).toBe(0);
});

test('what no replica has is not, until it has it; commits are not held up meanwhile', async () => {
  const confirmations = new Confirmations(await cluster.connect(), { timeoutMs: 300 });
  const store = newStore(await cluster.connect());
  await store.commit([toldEvent('b', 1, 'v')]);
  const { mend } = await cutLink(await cluster.masterOf(generation));
  await store.commit([toldEvent('b', 2, 'v')]);
  const { replicationId } = store.lineage;
  const asked = confirmations.confirm(property, 'replicated', replicationId);
  let isSettled = false;
  asked.catch(() => (isSettled = true));
  for (let seq = 3; seq < 10; seq++) await store.commit([toldEvent('b', seq, 'v')]);
  expect(isSettled).toBe(false);
  await expect(asked).rejects.toThrow(code('CB_NOT_REPLICATED'));
  await expect(asked).rejects.toThrow('demo/site: no replica acknowledged them within 300 ms');
  await mend();
  await confirmations.confirm(property, 'replicated', replicationId);
});

test('many askers at a node without a replica wait for two time limits at most, not for one each', async () => {
  const confirmations = new Confirmations(await cluster.connect(), { timeoutMs: 200 });
  const store = newStore(await cluster.connect());
  await store.commit([toldEvent('c', 1, 'v')]);
  const { mend } = await cutLink(await cluster.masterOf(generation));
  const master = await cluster.masterOf(generation);
  const before = await calls(master, 'wait');
  const asked = Array.from({ length: 50 }, () =>
    confirmations.confirm(property, 'replicated', store.lineage.replicationId),
  );
  const results = await Promise.allSettled(asked);
  expect(results.every(({ status }) => status === 'rejected')).toBe(true);
  expect((await calls(master, 'wait')) - before).toBeLessThanOrEqual(2);
  await mend();
});

async function calls({ admin }: ClusterNode, command: string): Promise<number> {
  const stats = String(await admin.call('INFO', ['commandstats']));
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

test('a commit on a master that was replaced before a replica had it is not confirmed by the new one', async () => {
  const own = await startTestCluster();
  onTestFinished(() => own.stop());
  const confirmations = new Confirmations(await own.connect());
  const store = newStore(await own.connect());
  await store.commit([toldEvent('a', 1, 'v1')]);
  await confirmations.confirm(property, 'replicated', store.lineage.replicationId);
  const master = await own.masterOf(generation);
  const replica = await own.replicaOf(master);
  await replica.admin.call('CONFIG', ['SET', 'masterauth', 'wrong']);
  await master.admin.call('CLIENT', ['KILL', 'TYPE', 'REPLICA']);
  await store.commit([toldEvent('a', 2, 'v1'), toldEvent('b', 1, 'v2')]);
  const { lineage } = store;
  await endProcess(master.process);
  const isPromoted = async (): Promise<boolean> =>
    ((await replica.admin.call('ROLE', [])) as unknown[])[0] === 'master';
  await pollUntil(isPromoted, 'no failover');
  await master.restart();
  const hasReplica = async (): Promise<boolean> =>
    String(await replica.admin.call('INFO', ['replication'])).includes('connected_slaves:1');
  await pollUntil(hasReplica, 'the old master did not become a replica');
  // WAIT alone would say 1 now, of data that never had the commit.
  await expect(confirmations.confirm(property, 'replicated', lineage.replicationId)).rejects.toThrow(
    'the node was replaced meanwhile',
  );
  // Sent again: known to the collector's caches, and to nobody else.
  expect(await store.commit([toldEvent('a', 2, 'v1'), toldEvent('b', 1, 'v2')])).toEqual([
    'accepted',
    'accepted',
  ]);
  expect(store.lineage.changes).toBe(lineage.changes + 1);
  await confirmations.confirm(property, 'replicated', store.lineage.replicationId);
  expect(await agreedEvents(own.connection, property)).toEqual(
    new Set([nameOf('a', 1), nameOf('a', 2), nameOf('b', 1)]),
  );
});

test('fsynced is refused with the reason unless every reply comes after a sync, and granted as soon as it does', async () => {
  const redis = await startTestRedis();
  onTestFinished(() => redis.stop());
  const confirmations = new Confirmations(redis.connection);
  const set = (name: string, value: string) => redis.connection.call('CONFIG', ['SET', name, value]);
  const refusal = () => confirmations.refusal(property, 'fsynced');
  expect(await refusal()).toContain('keeps no append-only file');
  await set('appendonly', 'yes');
  expect(await refusal()).toContain('appendfsync everysec in place of always, and no WAITAOF');
  await set('appendfsync', 'always');
  await set('no-appendfsync-on-rewrite', 'yes');
  expect(await refusal()).toContain('no-appendfsync-on-rewrite yes');
  await set('no-appendfsync-on-rewrite', 'no');
  expect(await refusal()).toBeUndefined();
  const store = newStore(redis.connection);
  await store.commit([toldEvent('a', 1, 'v')]);
  await confirmations.confirm(property, 'fsynced', store.lineage.replicationId);
  // Taken back between the question and the commit.
  await set('appendfsync', 'everysec');
  const late = confirmations.confirm(property, 'fsynced', store.lineage.replicationId);
  await expect(late).rejects.toThrow(code('CB_NOT_FSYNCED'));
  expect(await refusal()).toContain('everysec');
});

test('where the setting may not be read fsynced is refused', async () => {
  const redis = await startTestRedis('--rename-command', 'CONFIG', '');
  onTestFinished(() => redis.stop());
  expect(await new Confirmations(redis.connection).refusal(property, 'fsynced')).toContain('CONFIG GET');
});

test('a lineage counts replacements, and the first node is none', () => {
  const first = followLineage(noLineage, 'a');
  expect([first, followLineage(first, 'a')]).toEqual([
    { replicationId: 'a', changes: 0 },
    { replicationId: 'a', changes: 0 },
  ]);
  expect(followLineage(first, 'b')).toEqual({ replicationId: 'b', changes: 1 });
});
