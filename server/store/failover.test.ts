/**
 * A failover that no client notices by its connection: an address that moves, a proxy in between. What the
 * connection leads to is then another Redis, promoted from a replica that lacked the last writes.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { connectRedis, type RedisConnection } from './connection.ts';
import { pollUntil, startTestRedis, type TestRedis } from './redis.testing.ts';
import { PropertyStore } from './store.ts';
import { agreedEvents, nameOf, nowMs, toldEvent } from './stored-data.testing.ts';

const property = { account: 'demo', property: 'site' };
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** Passes bytes on, knowing nothing of them, to a server that may change between two commands. */
class MovableAddress {
  readonly path: string;
  readonly #server: Server;
  readonly #pairs = new Map<Socket, Socket>();
  #target: string;

  constructor(path: string, target: string) {
    this.path = path;
    this.#target = target;
    this.#server = createServer((client) => {
      this.#pairs.set(client, this.#join(client));
      client.on('data', (bytes) => this.#pairs.get(client)?.write(bytes));
      client.on('close', () => this.#pairs.get(client)?.destroy());
      client.on('error', () => client.destroy());
    }).listen(path);
  }

  get clients(): number {
    return this.#pairs.size;
  }

  listening(): Promise<unknown> {
    return this.#server.listening ? Promise.resolve() : once(this.#server, 'listening');
  }

  /** From now on every client, its connection untouched, speaks with another server. */
  moveTo(target: string): void {
    this.#target = target;
    for (const [client, upstream] of this.#pairs) {
      upstream.removeAllListeners('data').destroy();
      this.#pairs.set(client, this.#join(client));
    }
  }

  close(): void {
    for (const [client, upstream] of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
    this.#server.close();
  }

  #join(client: Socket): Socket {
    const upstream = connect(this.#target);
    upstream.on('data', (bytes) => client.write(bytes));
    upstream.on('error', () => upstream.destroy());
    return upstream;
  }
}

interface Failover {
  readonly master: TestRedis;
  readonly replica: TestRedis;
  readonly address: MovableAddress;
  readonly connections: readonly RedisConnection[];
  readonly stores: readonly PropertyStore[];
  /** Resolves when the replica has everything that the master has. */
  caughtUp(): Promise<void>;
  /** Cuts the replica off: what the master gets from now on it will never know. */
  cutOff(): Promise<void>;
}

async function start(stores: number): Promise<Failover> {
  const master = await startTestRedis('--repl-diskless-sync-delay', '0');
  opened.push(() => master.stop());
  const replica = await startTestRedis();
  opened.push(() => replica.stop());
  const port = await listenOnTcp(master);
  const call = (command: string, ...args: string[]) => replica.connection.call(command, args);
  await call('REPLICAOF', '127.0.0.1', port);
  const address = new MovableAddress(join(dirname(master.socketPath), 'address.sock'), master.socketPath);
  opened.push(() => address.close());
  await address.listening();
  const connections = await Promise.all(Array.from({ length: stores }, () => connectRedis(address.path)));
  opened.push(() => Promise.all(connections.map((connection) => connection.close())));
  const digest = (one: TestRedis) => one.connection.call('DBSIZE', []);
  const offset = async (one: TestRedis) => {
    const info = String(await one.connection.call('INFO', ['replication']));
    return /master_repl_offset:(\d+)/.exec(info)?.[1];
  };
  return {
    master,
    replica,
    address,
    connections,
    stores: connections.map(
      (connection) => new PropertyStore(connection, property, { clock: new ManualClock(nowMs) }),
    ),
    caughtUp: () =>
      pollUntil(
        async () =>
          (await offset(master)) === (await offset(replica)) &&
          (await digest(master)) === (await digest(replica)),
        'the replica did not catch up',
      ),
    cutOff: async () => {
      await call('REPLICAOF', 'NO', 'ONE');
    },
  };
}

/** A replica finds its master by port only. */
async function listenOnTcp(redis: TestRedis): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  await redis.connection.call('CONFIG', ['SET', 'bind', '127.0.0.1']);
  await redis.connection.call('CONFIG', ['SET', 'port', String(port)]);
  return String(port);
}

test('the next commit after a failover notices it, drops its caches and packs again', async () => {
  const { replica, address, connections, stores, caughtUp, cutOff } = await start(1);
  const [store, connection] = [stores[0] as PropertyStore, connections[0] as RedisConnection];
  await store.commit([toldEvent('a', 1, 'v1'), toldEvent('b', 1, 'v2')]);
  await caughtUp();
  await cutOff();
  // Known to the collector's caches, and lost with the master: two visitors, a session, this minute's bits.
  await store.commit([toldEvent('a', 2, 'v1'), toldEvent('c', 1, 'v3'), toldEvent('d', 1, 'v4')]);
  address.moveTo(replica.socketPath);
  // The promoted replica has given nobody the ids 2 and 3: v5 must not get what the cache thinks is v3's.
  expect(
    await store.commit([toldEvent('e', 1, 'v5'), toldEvent('c', 2, 'v3'), toldEvent('a', 3, 'v1')]),
  ).toEqual(['accepted', 'accepted', 'accepted']);
  expect(await store.commit([toldEvent('d', 2, 'v4'), toldEvent('b', 2, 'v2')])).toEqual([
    'accepted',
    'accepted',
  ]);
  expect([connection.resets, address.clients]).toEqual([0, 1]);
  const stored = await agreedEvents(replica.connection, property);
  const expected = [nameOf('a', 1), nameOf('b', 1), nameOf('e', 1), nameOf('c', 2), nameOf('a', 3)];
  expect(stored).toEqual(new Set([...expected, nameOf('d', 2), nameOf('b', 2)]));
});

test('a resend of what was lost with the old master counts, and of what was not is a duplicate', async () => {
  const { replica, address, stores, caughtUp, cutOff } = await start(1);
  const store = stores[0] as PropertyStore;
  await store.commit([toldEvent('a', 1, 'v1')]);
  await caughtUp();
  await cutOff();
  await store.commit([toldEvent('a', 2, 'v1')]);
  address.moveTo(replica.socketPath);
  expect(await store.commit([toldEvent('a', 1, 'v1'), toldEvent('a', 2, 'v1')])).toEqual([
    'duplicate',
    'accepted',
  ]);
  expect(await agreedEvents(replica.connection, property)).toEqual(new Set([nameOf('a', 1), nameOf('a', 2)]));
});

test('collectors that write by turns through failovers in the middle count everything that came after', async () => {
  const failover = await start(3);
  const { replica, address, stores, caughtUp, cutOff } = failover;
  const turns = async (from: number, count: number): Promise<string[]> => {
    const names: string[] = [];
    for (let turn = from; turn < from + count; turn++) {
      const store = stores[turn % stores.length] as PropertyStore;
      // New visitors and known ones in every batch, the same for several collectors, in an order of their own
      // after the failover: so an id that is believed in wrongly is another visitor's.
      const events = [0, 1, 2, 3].map((i) =>
        toldEvent(`s${(turn + i) % 9}`, turn + 1, `v${(turn * turn + i * 11) % 89}`),
      );
      expect(await store.commit(events)).toEqual(new Array(4).fill('accepted'));
      names.push(...events.map((event) => nameOf(event.sessionId ?? '', event.seq)));
    }
    return names;
  };
  const before = await turns(0, 20);
  await caughtUp();
  await cutOff();
  const lost = await turns(20, 20);
  address.moveTo(replica.socketPath);
  const after = await turns(40, 30);
  const stored = await agreedEvents(replica.connection, property);
  expect(stored).toEqual(new Set([...before, ...after]));
  expect(lost.some((name) => stored.has(name))).toBe(false);
  expect(failover.connections.map(({ resets }) => resets)).toEqual([0, 0, 0]);
});

test('a replica that was not promoted refuses, and the connection is made anew to find the master', async () => {
  const { master, replica, address, connections, stores, caughtUp } = await start(1);
  const [store, connection] = [stores[0] as PropertyStore, connections[0] as RedisConnection];
  await store.commit([toldEvent('a', 1, 'v1')]);
  await caughtUp();
  address.moveTo(replica.socketPath);
  await expect(store.commit([toldEvent('a', 2, 'v1')])).rejects.toThrow(
    expect.objectContaining({ code: 'CB_REDIS_UNREACHABLE' }),
  );
  address.moveTo(master.socketPath);
  await pollUntil(() => connection.resets > 0 && connection.isReady(), 'the connection was not made anew');
  expect(await store.commit([toldEvent('a', 2, 'v1')])).toEqual(['accepted']);
  expect(await agreedEvents(master.connection, property)).toEqual(new Set([nameOf('a', 1), nameOf('a', 2)]));
});
