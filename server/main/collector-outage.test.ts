import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { deleteProperty } from '../store/delete-property.ts';
import { endProcess, pollUntil, spawnRedis } from '../store/redis.testing.ts';
import { type JsonReply, startTestCollector, type TestCollector } from './collector.testing.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function start(...options: Parameters<typeof startTestCollector>): Promise<TestCollector> {
  const test = await startTestCollector(...options);
  opened.push(() => test.stop());
  return test;
}

const event = (seq: number) => ({ event: { type: 'view', seq }, session: { id: 's' }, visitor: { id: 'v' } });

describe('a collector whose Redis is in trouble', () => {
  it('answers 503 with Retry-After while Redis is gone, and works again when it is back', async () => {
    const test = await start();
    expect((await test.write(event(1))).status).toBe(200);
    await endProcess(test.redis.process);
    await pollUntil(async () => (await test.get('/health')).status === 503, 'the collector did not notice');
    const refused = await test.write(event(2));
    expect(refused).toMatchObject({ status: 503, json: { status: 503, code: 'redis_away' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await test.get('/count?event=view&bucket=2026')).toMatchObject({
      status: 503,
      json: { code: 'redis_away' },
    });
    expect((await test.get('/health')).json).toMatchObject({
      overall: { status: 'FAILED' },
      redis: { status: 'away' },
    });

    const back = spawnRedis(dirname(test.redis.socketPath), test.redis.socketPath);
    opened.push(() => endProcess(back));
    await pollUntil(
      async () => (await test.write(event(2))).status === 200,
      'the collector did not come back',
    );
    // The new Redis is empty: what counts is that nothing remembered of the old one leaks into it.
    await pollUntil(async () => (await test.get('/totals')).status === 200, 'queries did not come back');
    expect((await test.get('/totals')).json).toEqual({
      byType: { view: 1 },
      bots: {},
      sessions: 1,
      documents: 1,
    });
    // Redis going and coming back is news; what it did to requests is told to their clients alone.
    await pollUntil(
      () => test.logged.some((line) => line.startsWith('Redis: back after ')),
      'nobody said that Redis is back',
    );
    expect(test.logged[0]).toBe('Redis: the connection is lost; trying again until it is back');
    expect(test.logged.filter((line) => !line.startsWith('Redis: '))).toEqual([]);
  });

  it('refuses what does not fit the queue while Redis hangs, and stores what it queued when it goes on', async () => {
    const test = await start({ queueEventsMax: 10, redis: { commandTimeoutMs: 30_000 } });
    await test.write(event(1));
    test.redis.process.kill('SIGSTOP');
    opened.push(() => test.redis.process.kill('SIGCONT'));
    const writes = Array.from({ length: 30 }, (_none, i) => test.write(event(i + 2)));
    const refused: JsonReply[] = [];
    for (const write of writes) write.then((reply) => reply.status === 503 && refused.push(reply));
    await pollUntil(() => refused.length === 20, 'twenty of thirty events do not fit a queue of ten');
    expect(refused[0]).toMatchObject({ json: { code: 'queue_full' } });
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect((await test.get('/health')).json).toMatchObject({ queue: { events: 10 } });
    test.redis.process.kill('SIGCONT');
    const statuses = (await Promise.all(writes)).map((reply) => reply.status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect((await test.get('/totals')).json).toMatchObject({ byType: { view: 11 }, documents: 11 });
  });

  it('answers 503 to a write whose commit timed out; sending it again counts it once', async () => {
    const test = await start({ redis: { commandTimeoutMs: 200 } });
    await test.write(event(1));
    test.redis.process.kill('SIGSTOP');
    opened.push(() => test.redis.process.kill('SIGCONT'));
    expect((await test.write(event(2))).status).toBe(503);
    test.redis.process.kill('SIGCONT');
    await pollUntil(
      async () => (await test.write(event(2))).status === 200,
      'the collector did not come back',
    );
    await pollUntil(async () => (await test.get('/totals')).status === 200, 'queries did not come back');
    expect((await test.get('/totals')).json).toMatchObject({ byType: { view: 2 }, documents: 2 });
  });

  it('answers 503 while its property is being deleted, and works again afterwards', async () => {
    const test = await start();
    await test.write(event(1));
    await test.redis.connection.call('SET', ['{demo::site}::generation', '!a deletion']);
    const refused = await test.write(event(2));
    expect(refused).toMatchObject({ status: 503, json: { status: 503, code: 'property_deleting' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    await deleteProperty(test.redis.connection, { account: 'demo', property: 'site' });
    expect((await test.write(event(2))).status).toBe(200);
    expect((await test.get('/totals')).json).toEqual({
      byType: { view: 1 },
      bots: {},
      sessions: 1,
      documents: 1,
    });
    expect(test.logged).toEqual([]);
  });

  it('answers 500 and logs one line when Redis refuses a command', async () => {
    const test = await start();
    await test.write(event(1));
    await test.redis.connection.call('SET', ['{demo::site}::totals', 'not a hash']);
    expect(await test.get('/totals')).toMatchObject({ status: 500, json: { code: 'internal' } });
    expect(test.logged).toHaveLength(1);
    expect(test.logged[0]).toMatch(/^GET \/totals: .*WRONGTYPE/);
  });
});

describe('closing a collector', () => {
  it('answers and stores what was sent before', async () => {
    const test = await start();
    await test.write(event(1));
    test.redis.process.kill('SIGSTOP');
    const writes = Array.from({ length: 20 }, (_none, i) => test.write(event(i + 2)));
    await pollUntil(
      async () => ((await test.get('/health')).json as { queue: { events: number } }).queue.events === 20,
      'the writes did not arrive',
    );
    const closed = test.collector.close();
    test.redis.process.kill('SIGCONT');
    const replies = await Promise.all(writes);
    expect(replies.map((reply) => reply.status)).toEqual(Array.from({ length: 20 }, () => 200));
    await closed;
    await expect(test.get('/ping')).rejects.toThrow('fetch failed');
    expect(await test.redis.connection.call('HGET', ['{demo::site}::totals', 'type:view'])).toBe('21');
  });

  it('may be asked twice', async () => {
    const test = await start();
    await Promise.all([test.collector.close(), test.collector.close()]);
  });
});
