/** A cluster that changes under its collectors: slots that move, masters that are replaced. */
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { CrowdbeatError } from '../base/errors.ts';
import { type ClusterNode, startTestCluster, type TestCluster } from './cluster.testing.ts';
import { connectRedis, type RedisConnection } from './connection.ts';
import { deleteProperty } from './delete-property.ts';
import { PropertyKeys } from './keys.ts';
import { endProcess, pollUntil } from './redis.testing.ts';
import { PropertyStore } from './store.ts';
import { agreedEvents, nameOf, nowMs, toldEvent } from './stored-data.testing.ts';

const property = { account: 'demo', property: 'site' };
const { generation } = new PropertyKeys(property);
let cluster: TestCluster;

beforeEach(async () => {
  cluster = await startTestCluster();
});
afterEach(() => cluster.stop());

const newStore = (connection: RedisConnection): PropertyStore =>
  new PropertyStore(connection, property, { clock: new ManualClock(nowMs) });

/** A collector that writes on and on: what it got an answer for, and how often it got none. */
class Writing {
  readonly accepted: string[] = [];
  refused = 0;
  readonly #store: PropertyStore;
  readonly #name: string;
  readonly #done: Promise<void>;
  #ended = false;

  constructor(connection: RedisConnection, name: string) {
    this.#store = newStore(connection);
    this.#name = name;
    this.#done = this.#run();
  }

  async more(events: number): Promise<void> {
    const goal = this.accepted.length + events;
    await pollUntil(() => this.accepted.length >= goal, `${this.#name} did not get on`);
  }

  end(): Promise<void> {
    this.#ended = true;
    return this.#done;
  }

  /** Known visitors and sessions, and new ones; whatever was refused is sent again until it is acknowledged. */
  async #run(): Promise<void> {
    for (let seq = 1; !this.#ended; seq++) {
      const events = [seq % 7, 50 + (seq % 11), 100 + seq].map((who) =>
        toldEvent(`${this.#name}${who}`, seq, `v${who}`),
      );
      await this.#until(events);
      this.accepted.push(...events.map((event) => nameOf(event.sessionId ?? '', event.seq)));
    }
  }

  async #until(events: ReturnType<typeof toldEvent>[]): Promise<void> {
    for (;;) {
      try {
        await this.#store.commit(events);
        return;
      } catch (error) {
        if (!(error instanceof CrowdbeatError) || error.code !== 'CB_REDIS_UNREACHABLE') throw error;
        this.refused += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

async function twoWriters(): Promise<[Writing, Writing]> {
  return [new Writing(await cluster.connect(), 'a'), new Writing(await cluster.connect(), 'b')];
}

/** The three steps of redis-cli --cluster reshard; `between` is called when a half of the keys has moved. */
async function moveSlot(between: () => Promise<unknown> = () => Promise.resolve()): Promise<void> {
  const from = await cluster.masterOf(generation);
  const to = cluster.nodes.slice(0, 3).find((node) => node !== from) as ClusterNode;
  const slot = String(await from.admin.call('CLUSTER', ['KEYSLOT', generation]));
  await to.admin.call('CLUSTER', ['SETSLOT', slot, 'IMPORTING', from.id]);
  await from.admin.call('CLUSTER', ['SETSLOT', slot, 'MIGRATING', to.id]);
  const half = Number(await from.admin.call('CLUSTER', ['COUNTKEYSINSLOT', slot])) / 2;
  for (let moved = 0, wasCalled = false; ; moved += 20) {
    const keys = (await from.admin.call('CLUSTER', ['GETKEYSINSLOT', slot, '20'])) as string[];
    if (keys.length === 0) break;
    await from.admin.call('MIGRATE', ['127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys]);
    if (moved < half || wasCalled) continue;
    wasCalled = true;
    await between();
  }
  for (const node of [to, from, ...cluster.nodes.slice(0, 3)])
    await node.admin.call('CLUSTER', ['SETSLOT', slot, 'NODE', to.id]);
}

async function expectExact(writers: readonly Writing[]): Promise<void> {
  await Promise.all(writers.map((writer) => writer.end()));
  const stored = await agreedEvents(cluster.connection, property);
  expect(stored).toEqual(new Set(writers.flatMap(({ accepted }) => accepted)));
}

test('a slot that moves while two collectors write makes them wait, and nothing is lost or counted twice', async () => {
  const writers = await twoWriters();
  await Promise.all(writers.map((writer) => writer.more(60)));
  const before = await cluster.masterOf(generation);
  await moveSlot();
  expect(await cluster.masterOf(generation)).not.toBe(before);
  await Promise.all(writers.map((writer) => writer.more(60)));
  expect(writers.map(({ refused }) => refused)).toEqual([0, 0]);
  await expectExact(writers);
});

test('a move that stands still makes a commit wait for the stated time and no longer, and nothing is written', async () => {
  const store = newStore(cluster.connection);
  await store.commit(Array.from({ length: 30 }, (_none, i) => toldEvent(`s${i}`, 1, `v${i}`)));
  const hasty = newStore(await cluster.connect({ unrunRetryMs: 300 }));
  await moveSlot(async () => {
    await expect(hasty.commit([toldEvent('new', 1, 'v')])).rejects.toThrow(
      expect.objectContaining({ code: 'CB_REDIS_UNREACHABLE' }),
    );
  });
  expect(await hasty.commit([toldEvent('new', 2, 'v')])).toEqual(['accepted']);
  const stored = await agreedEvents(cluster.connection, property);
  expect([stored.has(nameOf('new', 1)), stored.has(nameOf('new', 2)), stored.size]).toEqual([
    false,
    true,
    31,
  ]);
});

test('a property that is deleted while its slot moves leaves no key on any node', async () => {
  const store = newStore(cluster.connection);
  for (let at = 0; at < 400; at += 40)
    await store.commit(Array.from({ length: 40 }, (_none, i) => toldEvent(`s${at + i}`, 1, `v${at + i}`)));
  let deletion: Promise<number> | undefined;
  await moveSlot(async () => {
    deletion = deleteProperty(cluster.connection, property);
    await new Promise((resolve) => setTimeout(resolve, 300));
  });
  expect(await deletion).toBeGreaterThan(400);
  expect(await cluster.connection.call('DBSIZE', [])).toBe(0);
});

test('a clean failover loses nothing, and caches are dropped: the new master has another replication id', async () => {
  const writers = await twoWriters();
  await Promise.all(writers.map((writer) => writer.more(60)));
  const master = await cluster.masterOf(generation);
  const replica = await cluster.replicaOf(master);
  await replica.admin.call('CLUSTER', ['FAILOVER']);
  const isPromoted = async (): Promise<boolean> =>
    ((await replica.admin.call('ROLE', [])) as unknown[])[0] === 'master';
  await pollUntil(isPromoted, 'no failover');
  await Promise.all(writers.map((writer) => writer.more(60)));
  await expectExact(writers);
});

test('after the death of a master writers go on with its replica, and what is stored agrees with itself', async () => {
  const writers = await twoWriters();
  await Promise.all(writers.map((writer) => writer.more(60)));
  const master = await cluster.masterOf(generation);
  await endProcess(master.process);
  await Promise.all(writers.map((writer) => writer.more(60)));
  await Promise.all(writers.map((writer) => writer.end()));
  const acknowledged = new Set(writers.flatMap(({ accepted }) => accepted));
  const replica = await cluster.masterOf(generation);
  expect(replica).not.toBe(master);
  const stored = await agreedEvents(cluster.connection, property);
  const lost = [...acknowledged].filter((name) => !stored.has(name));
  // A reply may overtake its replication by a moment, and only the last ones before the death did.
  expect(lost.length).toBeLessThan(30);
  expect([...stored].filter((name) => !acknowledged.has(name))).toEqual([]);
});

test('a list with one node finds the others, and the password of the list holds for all', async () => {
  for (const { admin } of cluster.nodes) {
    await admin.call('CONFIG', ['SET', 'masterauth', 's:e@cret']);
    await admin.call('CONFIG', ['SET', 'requirepass', 's:e@cret']);
  }
  const [first] = cluster.nodes as [ClusterNode];
  const address = (password: string) => `redis://:${encodeURIComponent(password)}@127.0.0.1:${first.port},`;
  const connection = await connectRedis(address('s:e@cret'));
  onTestFinished(() => connection.close());
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
    const store = new PropertyStore(
      connection,
      { account: 'demo', property: name },
      { clock: new ManualClock(nowMs) },
    );
    expect(await store.commit([toldEvent('s', 1, 'v')])).toEqual(['accepted']);
  }
  const wrong = connectRedis(address('secret of another'), { connectTimeoutMs: 500 });
  await expect(wrong).rejects.toThrow(expect.objectContaining({ code: 'CB_REDIS_UNREACHABLE' }));
  await expect(wrong).rejects.not.toThrow(/secret of another/);
});
