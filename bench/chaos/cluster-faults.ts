/** The faults of a cluster. Three crowds write to three properties, and each of them is judged by its own audit. */
import { formatDuration } from '../../server/base/units.ts';
import { eventually, pause } from './children.ts';
import type { RedisCluster } from './cluster.ts';
import type { Expectation, Scale } from './fault.ts';

/** What one of the three crowds asks for, and what must come of it. */
export interface ClusterCrowd {
  /** Crowds of one shard share a master, and nothing else. */
  readonly shard: 0 | 1 | 2;
  readonly durability: 'stored' | 'replicated';
  readonly expects: Expectation;
}

export interface ClusterFault {
  readonly name: string;
  readonly does: (scale: Scale) => string;
  readonly crowds: readonly ClusterCrowd[];
  readonly strike: (stage: ClusterStage, scale: Scale) => Promise<void>;
}

export interface ClusterStage {
  readonly cluster: RedisCluster;
  /** Of the crowds' properties, in their order. */
  readonly slots: readonly number[];
  /** Events of a crowd that are stored now. */
  stored(crowd: number): Promise<number>;
}

const onThreeShards = ([0, 1, 2] as const).map(
  (shard): ClusterCrowd => ({ shard, durability: 'stored', expects: 'exact' }),
);

const reshard: ClusterFault = {
  name: 'reshard',
  does: () => 'the slots of three properties move to other masters while crowds write to them',
  crowds: onThreeShards,
  strike: async ({ cluster, slots }) => {
    for (const slot of slots) await cluster.moveSlot(slot);
  },
};

const failover: ClusterFault = {
  name: 'cluster-failover',
  does: () => 'every master changes places with its replica (CLUSTER FAILOVER)',
  crowds: onThreeShards,
  strike: async ({ cluster, slots }) => {
    for (const slot of slots) await cluster.failOver(slot);
  },
};

/** How long the master has nobody beside it before it dies, at least: what it takes in this time is lost with it. */
const aloneMs = 1000;

const masterKilled: ClusterFault = {
  name: 'cluster-master-kill',
  does: (scale) =>
    `a master loses its replica, and is killed (SIGKILL) ${formatDuration(aloneMs)} later; back after ${formatDuration(scale.downMs)}`,
  crowds: [
    { shard: 0, durability: 'replicated', expects: 'exact' },
    { shard: 0, durability: 'stored', expects: 'named' },
    { shard: 1, durability: 'replicated', expects: 'exact' },
  ],
  strike: async ({ cluster, slots: [slot = 0], stored }, scale) => {
    const master = await cluster.masterOf(slot);
    const replica = await cluster.replicaOf(master);
    // A password that the master does not know: for the cluster both are well, but the link stays down.
    await replica.ask('CONFIG', 'SET', 'masterauth', 'wrong');
    await master.ask('CLIENT', 'KILL', 'TYPE', 'REPLICA');
    const before = await stored(1);
    await pause(aloneMs);
    await eventually('the master took something alone', async () => (await stored(1)) >= before + 5);
    await master.kill();
    await replica.ask('CONFIG', 'SET', 'masterauth', '');
    await eventually('the replica took over', () => replica.isMaster());
    await pause(scale.downMs);
    await master.start();
    await eventually('the old master is a replica', () => replica.says('replication', 'connected_slaves:1'));
  },
};

export const clusterFaults: readonly ClusterFault[] = [reshard, failover, masterKilled];
