/**
 * A Redis Cluster of our own: three masters with a replica each on loopback, whose slots may be moved and whose
 * nodes may be killed, started again, and told to change places.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { endChild, eventually, startChild } from './children.ts';
import { askRedis, type RedisReply } from './redis-wire.ts';

const masters = 3;
const slots = 16_384;
/** A failover begins so long after the last sign of life of a master. */
const nodeTimeoutMs = 1500;
/** Keys that one MIGRATE takes along; others wait for so long. */
const migratedAtOnce = 50;

export class ClusterNode {
  readonly port: number;
  readonly busPort: number;
  readonly #directory: string;
  #child: ChildProcess | undefined;
  #id = '';

  constructor(port: number, busPort: number, directory: string) {
    mkdirSync(directory, { recursive: true });
    this.port = port;
    this.busPort = busPort;
    this.#directory = directory;
  }

  /** Its name in the cluster, once it has been started. */
  get id(): string {
    return this.#id;
  }

  async start(): Promise<void> {
    const options = {
      port: this.port,
      bind: '127.0.0.1',
      'cluster-enabled': 'yes',
      'cluster-port': this.busPort,
      'cluster-announce-ip': '127.0.0.1',
      'cluster-node-timeout': nodeTimeoutMs,
      'repl-diskless-sync-delay': 0,
      dir: this.#directory,
      save: '',
      appendonly: 'yes',
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.#child = startChild('redis-server', args, { stdio: 'ignore' });
    await eventually('a cluster node answers', async () => (await this.ask('PING')) === 'PONG');
    this.#id = String(await this.ask('CLUSTER', 'MYID'));
  }

  ask(...words: string[]): Promise<RedisReply | undefined> {
    return askRedis(this.port, words);
  }

  async isMaster(): Promise<boolean> {
    const role = await this.ask('ROLE');
    return Array.isArray(role) && role[0] === 'master';
  }

  async says(section: string, text: string): Promise<boolean> {
    return String(await this.ask('INFO', section)).includes(text);
  }

  async kill(): Promise<void> {
    await endChild(this.#child, 'SIGKILL');
  }
}

export class RedisCluster {
  readonly #nodes: ClusterNode[] = [];
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** For collectors. */
  get url(): string {
    return this.#nodes.map(({ port }) => `redis://127.0.0.1:${port}`).join(',');
  }

  async start(): Promise<void> {
    for (let i = 0; i < 2 * masters; i++) {
      const [port, busPort] = [await freePort(), await freePort()];
      this.#nodes.push(new ClusterNode(port, busPort, join(this.#directory, `node${i}`)));
    }
    await Promise.all(this.#nodes.map((node) => node.start()));
    await this.#join();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()));
  }

  async slotOf(key: string): Promise<number> {
    return Number(await this.#nodes[0]?.ask('CLUSTER', 'KEYSLOT', key));
  }

  /** Who has the slot, as a majority of the masters that live sees it. */
  async masterOf(slot: number): Promise<ClusterNode> {
    for (const node of this.#nodes) {
      const ranges = await node.ask('CLUSTER', 'SLOTS');
      if (!Array.isArray(ranges)) continue;
      const range = (ranges as [number, number, [string, number]][]).find(
        ([from, to]) => from <= slot && slot <= to,
      );
      const master = this.#nodes.find(({ port }) => port === range?.[2][1]);
      if (master !== undefined) return master;
    }
    throw new Error(`no node of the cluster knows who has slot ${slot}`);
  }

  async replicaOf(master: ClusterNode): Promise<ClusterNode> {
    const lines = await master.ask('CLUSTER', 'REPLICAS', master.id);
    const replica = this.#nodes.find(({ id }) => Array.isArray(lines) && String(lines[0]).startsWith(id));
    if (replica === undefined) throw new Error(`the master on port ${master.port} has no replica`);
    return replica;
  }

  /** Moves a slot with all its keys to another master, as `redis-cli --cluster reshard` does. */
  async moveSlot(slot: number): Promise<void> {
    const from = await this.masterOf(slot);
    const roles = await Promise.all(this.#nodes.map((node) => node.isMaster()));
    const others = this.#nodes.filter((node, index) => roles[index] === true && node !== from);
    const to = others[slot % others.length] as ClusterNode;
    await to.ask('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', from.id);
    await from.ask('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', to.id);
    for (;;) {
      const keys = await from.ask('CLUSTER', 'GETKEYSINSLOT', String(slot), String(migratedAtOnce));
      if (!Array.isArray(keys) || keys.length === 0) break;
      const place = ['127.0.0.1', String(to.port), '', '0', '5000'];
      await from.ask('MIGRATE', ...place, 'KEYS', ...keys.map(String));
    }
    for (const node of [to, from, ...others])
      await node.ask('CLUSTER', 'SETSLOT', String(slot), 'NODE', to.id);
    await eventually('the slot has moved', async () => (await this.masterOf(slot)) === to);
  }

  /** The replica of a slot's master takes its place, with everything that the master has. */
  async failOver(slot: number): Promise<void> {
    const replica = await this.replicaOf(await this.masterOf(slot));
    await replica.ask('CLUSTER', 'FAILOVER');
    await eventually('a replica became the master', () => replica.isMaster());
  }

  async #join(): Promise<void> {
    const [first] = this.#nodes as [ClusterNode];
    for (const [index, node] of this.#nodes.entries()) {
      if (index > 0)
        await node.ask('CLUSTER', 'MEET', '127.0.0.1', String(first.port), String(first.busPort));
      if (index >= masters) continue;
      const [from, to] = [index, index + 1].map((i) => Math.round((i * slots) / masters)) as [number, number];
      await node.ask('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to - 1));
    }
    for (const [index, replica] of this.#nodes.slice(masters).entries()) {
      const { id } = this.#nodes[index] as ClusterNode;
      const replicate = async () => (await replica.ask('CLUSTER', 'REPLICATE', id)) === 'OK';
      await eventually('a replica knows its master', replicate);
    }
    for (const node of this.#nodes) await eventually('the cluster is whole', () => isWhole(node));
  }
}

async function isWhole(node: ClusterNode): Promise<boolean> {
  const state = String(await node.ask('CLUSTER', 'INFO'));
  if (!state.includes('cluster_state:ok') || !state.includes(`known_nodes:${2 * masters}`)) return false;
  return (
    (await node.says('replication', 'master_link_status:up')) ||
    node.says('replication', 'connected_slaves:1')
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
