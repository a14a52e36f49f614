import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { CrowdbeatError } from '../base/errors.ts';
import type { PropertyName } from '../protocol/property.ts';
import { deleteProperty } from './delete-property.ts';
import { startTestRedis, type TestRedis } from './redis.testing.ts';
import { commitEventsMax, PropertyStore } from './store.ts';
import { agreedEvents, nameOf, nowMs, toldEvent } from './stored-data.testing.ts';

const property = { account: 'demo', property: 'site' };
const generationKey = '{demo::site}::generation';
let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());
beforeEach(() => call('FLUSHALL'));

const call = (command: string, ...args: string[]): Promise<unknown> => redis.connection.call(command, args);
const newStore = (name: PropertyName = property): PropertyStore =>
  new PropertyStore(redis.connection, name, { clock: new ManualClock(nowMs) });
const deleting = expect.objectContaining({ code: 'CB_PROPERTY_DELETING' });
const remove = (name: PropertyName = property): Promise<number> => deleteProperty(redis.connection, name);

/** One event for each of so many sessions and visitors: some ten thousand keys. */
async function fill(store: PropertyStore, sessions: number): Promise<void> {
  for (let at = 0; at < sessions; at += commitEventsMax) {
    const count = Math.min(commitEventsMax, sessions - at);
    await store.commit(
      Array.from({ length: count }, (_none, i) => toldEvent(`old${at + i}`, 1, `o${at + i}`)),
    );
  }
}

test('every key of the property goes, and no key of another whose name looks alike', async () => {
  const others = ['sit', 'site2', 'sitee', 's*', 'si?e', '[site]', 'sit[e]', 's\\ite', 'SITE', 'site}'];
  for (const name of [...others, 'site'])
    await newStore({ account: 'demo', property: name }).commit([toldEvent('s', 1, 'v')]);
  const all = ((await call('KEYS', '*')) as string[]).sort();
  const own = all.filter((key) => key.startsWith('{demo::site}::'));
  expect(await remove()).toBe(own.length);
  expect(((await call('KEYS', '*')) as string[]).sort()).toEqual(all.filter((key) => !own.includes(key)));
  for (const name of others) {
    const before = Number(await call('DBSIZE'));
    const deleted = await remove({ account: 'demo', property: name });
    expect(deleted).toBe(own.length);
    expect(Number(await call('DBSIZE'))).toBe(before - deleted);
  }
  expect(await call('DBSIZE')).toBe(0);
});

test('a property that is not there may be deleted, and leaves nothing', async () => {
  expect(await remove()).toBe(0);
  expect(await call('DBSIZE')).toBe(0);
});

test('collectors with warm caches forget it: every event counts, no two visitors share an id', async () => {
  const [first, second] = [newStore(), newStore()];
  await first.commit([toldEvent('a', 1, 'v1'), toldEvent('b', 1, 'v2')]);
  await second.commit([toldEvent('b', 2, 'v2'), toldEvent('a', 2, 'v1'), toldEvent('c', 1, 'v3')]);
  await first.commit([toldEvent('c', 2, 'v3')]);
  await remove();
  expect(await second.commit([toldEvent('c', 3, 'v3'), toldEvent('d', 1, 'v4')])).toEqual([
    'accepted',
    'accepted',
  ]);
  // Numbers of before are new again: their windows are gone too.
  expect(
    await first.commit([toldEvent('a', 1, 'v1'), toldEvent('b', 3, 'v2'), toldEvent('c', 3, 'v3')]),
  ).toEqual(['accepted', 'accepted', 'duplicate']);
  expect(await agreedEvents(redis.connection, property)).toEqual(
    new Set([nameOf('c', 3), nameOf('d', 1), nameOf('a', 1), nameOf('b', 3)]),
  );
});

test('what is committed meanwhile is deleted or counted, never half', async () => {
  const stores = [newStore(), newStore(), newStore()];
  await fill(stores[0] as PropertyStore, 6000);
  /** Moments in the order in which they happened: each commit's end, and the deletion's. */
  let moment = 0;
  let ended = false;
  const accepted: { name: string; began: number; done: number }[] = [];
  let refused = 0;
  let sinceEnd = 0;
  const write = async (store: PropertyStore, writer: number): Promise<void> => {
    for (let seq = 1; sinceEnd < 60; seq++) {
      const events = [0, 1, 2].map((i) =>
        toldEvent(`w${writer}-${(seq + i) % 40}`, seq, `x${(seq + i) % 50}`),
      );
      const began = moment++;
      try {
        const outcomes = await store.commit(events);
        if (ended) sinceEnd++;
        for (const [i, event] of events.entries()) {
          if (outcomes[i] !== 'accepted') continue;
          accepted.push({ name: nameOf(event.sessionId ?? '', event.seq), began, done: moment++ });
        }
      } catch (thrown) {
        if (!(thrown instanceof CrowdbeatError) || thrown.code !== 'CB_PROPERTY_DELETING') throw thrown;
        refused++;
      }
    }
  };
  const writers = stores.map(write);
  while (accepted.length < 30) await new Promise((resolve) => setImmediate(resolve));
  const deletionBegan = moment++;
  await remove();
  const deletionDone = moment++;
  ended = true;
  await Promise.all(writers);
  expect(refused).toBeGreaterThan(0);
  const stored = await agreedEvents(redis.connection, property);
  for (const { name, began, done } of accepted) {
    if (done < deletionBegan) expect([name, stored.has(name)]).toEqual([name, false]);
    if (began > deletionDone) expect([name, stored.has(name)]).toEqual([name, true]);
  }
  const known = new Set(accepted.map(({ name }) => name));
  expect([...stored].filter((name) => !known.has(name))).toEqual([]);
  expect(accepted.filter(({ began }) => began > deletionDone).length).toBeGreaterThan(50);
});

test('a deletion that died keeps writes out until another one has finished it', async () => {
  const store = newStore();
  await fill(store, 100);
  await call('SET', generationKey, '!of one that died');
  await expect(store.commit([toldEvent('a', 1, 'v')])).rejects.toThrow(deleting);
  await expect(newStore().commit([toldEvent('a', 1, 'v')])).rejects.toThrow(deleting);
  await remove();
  expect(await call('DBSIZE')).toBe(0);
  expect(await store.commit([toldEvent('a', 1, 'v')])).toEqual(['accepted']);
  expect(await agreedEvents(redis.connection, property)).toEqual(new Set([nameOf('a', 1)]));
});

test('of two deletions at the same time one finishes, and none deletes what came after', async () => {
  const store = newStore();
  await fill(store, 3000);
  const results = await Promise.allSettled([remove(), remove()]);
  const failures = results.filter((result) => result.status === 'rejected');
  expect(failures.map(({ reason }) => reason)).toEqual([deleting]);
  expect(String(failures[0]?.reason)).toContain('property demo/site: another deletion began meanwhile');
  expect(await call('DBSIZE')).toBe(0);
  await store.commit([toldEvent('a', 1, 'v')]);
  expect(await agreedEvents(redis.connection, property)).toEqual(new Set([nameOf('a', 1)]));
});
