/** `durability=` of POST /write, at a collector on a real cluster and on one server. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startTestCluster, type TestCluster } from '../store/cluster.testing.ts';
import { PropertyKeys } from '../store/keys.ts';
import { pollUntil } from '../store/redis.testing.ts';
import { startTestCollector } from './collector.testing.ts';
import { type Collector, startCollector } from './collector.ts';

const event = (seq: number, visitor = 'v') => ({
  event: { type: 'view', seq },
  session: { id: `s-${visitor}` },
  visitor: { id: visitor },
});

async function write(url: string, body: unknown, query = '', headers: Record<string, string> = {}) {
  const reply = await fetch(`${url}/write${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: reply.status,
    json: (await reply.json()) as Record<string, unknown>,
    headers: reply.headers,
  };
}

describe('on a cluster with replicas', () => {
  let cluster: TestCluster;
  let collector: Collector;
  const keys = new PropertyKeys({ account: 'demo', property: 'site' });

  beforeAll(async () => {
    cluster = await startTestCluster();
    collector = await startCollector({ host: '127.0.0.1', port: 0, redisUrl: cluster.url });
  });
  afterAll(async () => {
    await collector.close();
    await cluster.stop();
  });

  test('replicated is said in the query, the envelope or the header, and named in the reply', async () => {
    const { url } = collector;
    const accepted = { status: 200, json: { durability: 'replicated', accepted: 1 } };
    expect(await write(url, event(1), '?durability=replicated')).toMatchObject(accepted);
    expect(await write(url, { items: [event(2)], durability: 'replicated' })).toMatchObject(accepted);
    const header = { 'x-crowdbeat-durability': 'replicated' };
    expect(await write(url, event(3), '', header)).toMatchObject(accepted);
    expect(await write(url, event(3), '', header)).toMatchObject({
      status: 200,
      json: { durability: 'replicated', duplicates: 1 },
    });
    expect(await write(url, event(4), '?durability=stored')).toMatchObject({
      status: 200,
      json: { durability: 'stored' },
    });
  });

  test('a replica that is away makes it a 503 that may be sent again; others are answered meanwhile', async () => {
    const { url } = collector;
    const master = await cluster.masterOf(keys.generation);
    const replica = await cluster.replicaOf(master);
    await replica.admin.call('CONFIG', ['SET', 'masterauth', 'wrong']);
    await master.admin.call('CLIENT', ['KILL', 'TYPE', 'REPLICA']);
    const asked = write(url, event(10), '?durability=replicated');
    let isAnswered = false;
    void asked.then(() => (isAnswered = true));
    expect(await write(url, event(11))).toMatchObject({ status: 200, json: { durability: 'stored' } });
    expect(isAnswered).toBe(false);
    const reply = await asked;
    expect(reply).toMatchObject({ status: 503, json: { code: 'not_replicated' } });
    expect(reply.headers.get('retry-after')).toBe('1');
    await replica.admin.call('CONFIG', ['SET', 'masterauth', '']);
    const again = async (): Promise<boolean> => {
      const { status, json } = await write(url, event(10), '?durability=replicated');
      if (status === 200) expect(json).toMatchObject({ durability: 'replicated', duplicates: 1 });
      return status === 200;
    };
    await pollUntil(again, 'the resend was not confirmed');
  });

  test('what nobody knows, or contradicts itself, is a 400 and stores nothing', async () => {
    const { url } = collector;
    const totals = async () => (await fetch(`${url}/totals`)).json();
    const before = await totals();
    const bad = (query: string, headers?: Record<string, string>) => write(url, event(20), query, headers);
    for (const reply of [
      await bad('?durability=forever'),
      await bad('', { 'x-crowdbeat-durability': 'REPLICATED' }),
      await bad('?durability=stored', { 'x-crowdbeat-durability': 'replicated' }),
      await bad('?durability=replicated&async=true'),
      await write(url, { items: [event(20)], durability: true }),
    ])
      expect(reply).toMatchObject({ status: 400, json: { code: 'bad_parameter' } });
    expect(await totals()).toEqual(before);
  });

  test('collectors are listed by each other, and one that ends is not', async () => {
    const other = await startCollector({
      host: '127.0.0.1',
      port: 0,
      redisUrl: cluster.url,
      nodeLifeMs: 600,
    });
    const urls = async (at: string): Promise<string[]> => {
      const health = (await (await fetch(`${at}/health`)).json()) as { collectors: { url: string }[] };
      return health.collectors.map(({ url }) => url);
    };
    expect(await urls(other.url)).toEqual([collector.url, other.url]);
    await other.close();
    const third = await startCollector({ host: '127.0.0.1', port: 0, redisUrl: cluster.url });
    onTestFinished(() => third.close());
    expect(await urls(third.url)).toEqual([collector.url, third.url]);
  });
});

describe('on one server', () => {
  test('fsynced is refused before anything is stored, and granted with appendfsync always', async () => {
    const { collector, redis, get, stop } = await startTestCollector();
    onTestFinished(stop);
    const { url } = collector;
    expect(await write(url, event(1), '?durability=fsynced')).toMatchObject({
      status: 409,
      json: { code: 'durability_unsupported', message: expect.stringContaining('appendonly no') },
    });
    expect((await get('/totals')).json).toMatchObject({ documents: 0 });
    await redis.connection.call('CONFIG', ['SET', 'appendonly', 'yes']);
    await redis.connection.call('CONFIG', ['SET', 'appendfsync', 'always']);
    expect(await write(url, event(1), '?durability=fsynced')).toMatchObject({
      status: 200,
      json: { durability: 'fsynced', accepted: 1 },
    });
  });

  test('replicated without a replica is a 503 that says that the events are stored', async () => {
    const { collector, get, stop } = await startTestCollector();
    onTestFinished(stop);
    expect(await write(collector.url, event(1), '?durability=replicated')).toMatchObject({
      status: 503,
      json: { code: 'not_replicated', message: expect.stringContaining('are stored') },
    });
    expect((await get('/totals')).json).toMatchObject({ documents: 1 });
  });

  test('a write whose events are all rejected has nothing to be replicated', async () => {
    const { collector, stop } = await startTestCollector();
    onTestFinished(stop);
    expect(await write(collector.url, { event: {} }, '?durability=replicated')).toMatchObject({
      status: 400,
      json: { rejected: 1 },
    });
  });
});
