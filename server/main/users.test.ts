import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { PropertyKeys } from '../store/keys.ts';
import { endProcess, pollUntil, spawnRedis, testEvent } from '../store/redis.testing.ts';
import { PropertyStore } from '../store/store.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function start(...options: Parameters<typeof startTestCollector>): Promise<TestCollector> {
  const test = await startTestCollector(...options);
  opened.push(() => test.stop());
  return test;
}

const atMs = systemClock.wallMs();
const tell = (type: string, seq: number, user: unknown, visitor = 'v') => ({
  event: { type, seq, time: atMs + seq },
  session: { id: `s-${visitor}` },
  visitor: { id: visitor },
  ...(user === undefined ? {} : { user }),
});
const record = async (test: TestCollector, query: string) => test.get(`/user-record?${query}`);

describe('events that tell of a user', () => {
  it('are in the record when they are acknowledged, also when they came in one write and in disorder', async () => {
    const test = await start();
    await test.write([
      tell('updateUser', 3, { data: { plan: 'pro' } }),
      tell('logout', 4, undefined),
      tell('signup', 1, { id: 'u', data: { plan: 'free', name: 'Ann' }, signupDate: 1_384_900_000 }),
      tell('login', 2, { id: 'u' }),
    ]);
    expect((await record(test, 'id=u')).json).toEqual({
      id: 'u',
      data: { plan: 'pro', name: 'Ann' },
      signupDate: 1_384_900_000_000,
      firstLogin: atMs + 2,
      lastLogin: atMs + 2,
      lastLogout: atMs + 4,
      updated: atMs + 4,
      visitors: [{ id: 'v', time: atMs + 2 }],
    });
    expect((await record(test, 'visitor=v')).json).toEqual({
      visitor: 'v',
      user: null,
      users: [{ id: 'u', time: atMs + 2 }],
    });
  });

  it('are applied when they come again, if the collector died between storing and applying them', async () => {
    const test = await start();
    const login = tell('login', 1, { id: 'u' });
    // What such a collector left behind: the event is stored, and nothing of the user.
    const store = new PropertyStore(
      test.redis.connection,
      { account: 'demo', property: 'site' },
      { clock: systemClock },
    );
    await store.commit([
      testEvent({ type: 'login', sessionId: 's-v', seq: 1, visitorId: 'v', timeMs: atMs + 1 }),
    ]);
    expect((await record(test, 'id=u')).status).toBe(404);
    expect((await test.write(login)).json).toMatchObject({ accepted: 0, duplicates: 1 });
    expect((await record(test, 'id=u')).json).toMatchObject({ firstLogin: atMs + 1 });
  });

  it('are not acknowledged while their user can’t be written, and heal when they are sent again', async () => {
    const test = await start();
    const key = new PropertyKeys({ account: 'demo', property: 'site' }).userRecord('u');
    await test.redis.connection.call('SET', [key, 'of another type']);
    const login = tell('login', 1, { id: 'u' });
    expect((await test.write(login)).status).toBe(500);
    expect(test.logged.splice(0)).toHaveLength(1);
    expect((await test.get('/totals')).json).toMatchObject({ documents: 1 });
    await test.redis.connection.call('DEL', [key]);
    expect((await test.write(login)).json).toMatchObject({ duplicates: 1 });
    expect((await record(test, 'id=u')).json).toMatchObject({ id: 'u', firstLogin: atMs + 1 });
  });

  it('that are rejected tell nothing', async () => {
    const test = await start();
    await test.write([tell('login', 1, { id: 'u' }), tell('login', 20_000, { id: 'x' })]);
    expect((await record(test, 'id=u')).status).toBe(200);
    expect((await record(test, 'id=x')).status).toBe(404);
  });

  it('may be queued, and are applied before the collector has closed', async () => {
    const test = await start();
    const items = Array.from({ length: 200 }, (_none, i) => tell('login', i + 1, { id: `u${i}` }));
    expect((await test.write({ items, async: true })).json).toMatchObject({
      durability: 'queued',
      accepted: 200,
    });
    await test.collector.close();
    const users = (await test.redis.connection.call('KEYS', ['{demo::site}::user:*::visitors'])) as string[];
    expect(users).toHaveLength(200);
  });

  it('survive a Redis that went away in the middle, by being sent again', async () => {
    const test = await start();
    await test.write(tell('view', 1, undefined));
    await endProcess(test.redis.process);
    const login = tell('login', 2, { id: 'u' });
    expect((await test.write(login)).status).toBe(503);
    const back = spawnRedis(dirname(test.redis.socketPath), test.redis.socketPath);
    opened.push(() => endProcess(back));
    await pollUntil(async () => (await test.write(login)).status === 200, 'the collector did not come back');
    await pollUntil(async () => (await record(test, 'id=u')).status === 200, 'there is no record');
  });
});

describe('GET /user-record', () => {
  it('needs one of id= and visitor=, knows who is not there, and keeps properties apart', async () => {
    const test = await start();
    await test.write(tell('login', 1, { id: 'ü/1:*' }));
    for (const query of ['', 'id=', 'id=a&visitor=b', `id=${'x'.repeat(129)}`, 'user=a'])
      expect(await record(test, query), query).toMatchObject({
        status: 400,
        json: { code: 'bad_parameter' },
      });
    expect(await record(test, 'id=nobody')).toMatchObject({ status: 404, json: { code: 'unknown_user' } });
    expect(await record(test, 'visitor=nobody')).toMatchObject({ status: 404 });
    expect(await record(test, `id=${encodeURIComponent('ü/1:*')}`)).toMatchObject({ status: 200 });
    expect((await record(test, 'visitor=v&property=other/site')).status).toBe(404);
  });
});
