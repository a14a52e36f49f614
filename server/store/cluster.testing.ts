/**
 * A Redis Cluster of a test: three masters with a replica each on loopback, data in directories of their own, ended
 * and removed with the test. Its connection answers the questions that concern all nodes (KEYS, DBSIZE, FLUSHALL …)
 * for all of them, so that suites written for one server run on it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectOptions, connectRedis, type RedisArgument, type RedisConnection } from './connection.ts';
import { endProcess, pollUntil } from './redis.testing.ts';

const mastersCount = 3;
/** A failover begins so long after the master's last sign of life. */
const nodeTimeoutMs = 1500;

export interface ClusterNode {
  readonly port: number;
  readonly id: string;
  /** A connection to this node alone. */
  readonly admin: RedisConnection;
  readonly process: ChildProcess;
  /** Starts it again, with the data and the place in the cluster that it had, after it was killed. */
  restart(): Promise<void>;
}

export interface TestCluster {
  /** For `connectRedis`: a list of nodes. */
  readonly url: string;
  /** The first three were made masters; the i-th replica, of the i-th of them, is `nodes[3 + i]`. */
  readonly nodes: readonly ClusterNode[];
  readonly connection: RedisConnection;
  connect(options?: ConnectOptions): Promise<RedisConnection>;
  /** The node that has a key's slot now, as the others see it. */
  masterOf(key: string): Promise<ClusterNode>;
  replicaOf(master: ClusterNode): Promise<ClusterNode>;
  stop(): Promise<void>;
}

export async function startTestCluster(...extra: string[]): Promise<TestCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'crowdbeat-nodes-'));
  const nodes: Node[] = [];
  const connections: RedisConnection[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(connections.map((connection) => connection.close()));
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(directory, { recursive: true });
  };
  const url = (): string => nodes.map(({ port }) => `redis://127.0.0.1:${port}`).join(',');
  const connect = async (options?: ConnectOptions): Promise<RedisConnection> => {
    const connection = await connectRedis(url(), options);
    connections.push(connection);
    return connection;
  };
  try {
    for (let i = 0; i < 2 * mastersCount; i++) nodes.push(new Node(join(directory, String(i)), extra));
    await Promise.all(nodes.map((node) => node.start()));
    await join6(nodes);
    const connection = forAllNodes(await connect(), nodes);
    return {
      url: url(),
      nodes,
      connection,
      connect,
      masterOf: (key) => masterOf(nodes, connection, key),
      replicaOf: (master) => replicaOf(nodes, master),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

class Node implements ClusterNode {
  port = 0;
  id = '';
  readonly #directory: string;
  readonly #extra: readonly string[];
  #process: ChildProcess | undefined;
  #admin: RedisConnection | undefined;

  constructor(directory: string, extra: readonly string[]) {
    mkdirSync(directory);
    this.#directory = directory;
    this.#extra = extra;
  }

  get admin(): RedisConnection {
    if (this.#admin === undefined) throw new Error('the node was not started');
    return this.#admin;
  }

  get process(): ChildProcess {
    if (this.#process === undefined) throw new Error('the node was not started');
    return this.#process;
  }

  async start(): Promise<void> {
    this.port = await freePort();
    await this.restart();
    this.id = String(await this.admin.call('CLUSTER', ['MYID']));
  }

  async restart(): Promise<void> {
    await this.#admin?.close();
    const options = {
      port: this.port,
      bind: '127.0.0.1',
      'cluster-enabled': 'yes',
      'cluster-port': await freePort(),
      'cluster-announce-ip': '127.0.0.1',
      'cluster-node-timeout': nodeTimeoutMs,
      'repl-diskless-sync-delay': 0,
      dir: this.#directory,
      save: '',
      appendonly: 'yes',
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.#process = spawn('redis-server', [...args, ...this.#extra], { stdio: 'ignore' });
    const attempt = async (): Promise<boolean> => {
      const url = `redis://127.0.0.1:${this.port}`;
      this.#admin = await connectRedis(url, { connectTimeoutMs: 300 }).catch(() => undefined);
      return this.#admin !== undefined;
    };
    await pollUntil(attempt, `redis-server on port ${this.port} did not answer`);
  }

  async stop(): Promise<void> {
    await this.#admin?.close();
    if (this.#process !== undefined) await endProcess(this.#process);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Gives the masters a third of the slots each, makes all nodes meet, and gives each master its replica. */
async function join6(nodes: readonly Node[]): Promise<void> {
  const slots = 16_384;
  const [first] = nodes as [Node];
  const busPort = /@(\d+)/.exec(String(await first.admin.call('CLUSTER', ['NODES'])))?.[1] ?? '';
  for (const [index, node] of nodes.entries()) {
    if (index > 0) await node.admin.call('CLUSTER', ['MEET', '127.0.0.1', String(first.port), busPort]);
    if (index >= mastersCount) continue;
    const [from, to] = [index, index + 1].map((i) => Math.round((i * slots) / mastersCount));
    await node.admin.call('CLUSTER', ['ADDSLOTSRANGE', String(from), String((to as number) - 1)]);
  }
  for (const [index, replica] of nodes.slice(mastersCount).entries()) {
    const master = nodes[index] as Node;
    const replicate = () =>
      replica.admin.call('CLUSTER', ['REPLICATE', master.id]).then(
        () => true,
        () => false,
      );
    await pollUntil(replicate, 'a replica did not get to know its master');
  }
  await pollUntil(async () => (await Promise.all(nodes.map(isWhole))).every(Boolean), 'no whole cluster');
}

async function isWhole({ admin }: ClusterNode): Promise<boolean> {
  const info = String(await admin.call('CLUSTER', ['INFO']));
  const replication = String(await admin.call('INFO', ['replication']));
  const isLinked = /master_link_status:up|connected_slaves:1\b/.test(replication);
  return isLinked && info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:6');
}

async function masterOf(nodes: readonly Node[], connection: RedisConnection, key: string): Promise<Node> {
  const slot = Number(await connection.call('CLUSTER', ['KEYSLOT', key]));
  const ranges = (await connection.call('CLUSTER', ['SLOTS'])) as [number, number, [string, number]][];
  const port = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2][1];
  const master = nodes.find((node) => node.port === port);
  if (master === undefined) throw new Error(`no node has the slot of ${key}`);
  return master;
}

async function replicaOf(nodes: readonly Node[], master: ClusterNode): Promise<Node> {
  const lines = (await master.admin.call('CLUSTER', ['REPLICAS', master.id])) as string[];
  const replica = nodes.find(({ id }) => lines.some((line) => line.startsWith(id)));
  if (replica === undefined) throw new Error(`the master on port ${master.port} has no replica`);
  return replica;
}

/** False of a node that is dead. */
const isMaster = ({ admin }: ClusterNode): Promise<boolean> =>
  admin.call('ROLE', []).then(
    (role) => (role as unknown[])[0] === 'master',
    () => false,
  );

/** How the replies of all masters become one, by command. */
const together: Readonly<Record<string, (replies: unknown[]) => unknown>> = {
  KEYS: (replies) => replies.flat(),
  DBSIZE: (replies) => replies.reduce((sum: number, reply) => sum + Number(reply), 0),
  FLUSHALL: () => 'OK',
  'SCRIPT FLUSH': () => 'OK',
  'DEBUG DIGEST': (replies) => replies.join(' '),
  'DEBUG CHANGE-REPL-ID': () => 'OK',
  'CLIENT KILL': () => 'OK',
};

function forAllNodes(connection: RedisConnection, nodes: readonly Node[]): RedisConnection {
  const call = async (command: string, args: readonly RedisArgument[]): Promise<unknown> => {
    const join = together[command] ?? together[`${command} ${args[0]}`];
    if (join !== undefined) {
      const masters = await Promise.all(nodes.map(isMaster));
      const asked = nodes.filter((_node, index) => masters[index]);
      return join(await Promise.all(asked.map(({ admin }) => admin.call(command, args))));
    }
    return connection.call(command, args);
  };
  return new Proxy(connection, {
    get(target, name) {
      if (name === 'call') return call;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
