import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { PropertyKeys } from '../store/keys.ts';
import { pollUntil } from '../store/redis.testing.ts';
import { PropertyStore } from '../store/store.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';
import { Sealing } from './sealing.ts';

const property = { account: 'demo', property: 'site' };
const keys = new PropertyKeys(property);

let test: TestCollector;
beforeAll(async () => {
  // None waits, however busy the machine is that runs this.
  test = await startTestCollector({ sealBacklog: 0 });
});
afterAll(() => test.stop());
beforeEach(() => call('FLUSHALL'));

const call = (command: string, ...args: string[]): Promise<unknown> =>
  test.redis.connection.call(command, args);

const view = (n: number) => ({
  event: { type: 'view', time: systemClock.wallMs(), seq: n },
  visitor: { id: `v-${n}` },
  session: { id: `s-${n}` },
  page: { path: `/${n}` },
});

/** Answers about all that is stored, without what differs from one asking to the next. */
async function answer(): Promise<unknown> {
  const query = 'store=index&q=*&sort=page.path%20asc&rows=20&fl=page.path,visitor.id,event.seq';
  const { json } = await test.get(`/query?${query}`);
  return (json as { response: unknown }).response;
}

describe('a collector', () => {
  it('seals the segments of what is written through it, and answers the same before and after', async () => {
    await call('HSET', keys.totals, 'ordinals', String(65_536 - 5));
    const events = Array.from({ length: 8 }, (_none, i) => view(i + 1));
    expect(await test.write({ items: events.slice(0, 4) })).toMatchObject({ status: 200 });
    expect(await test.write({ items: events.slice(4) })).toMatchObject({ status: 200 });
    const before = await answer();
    expect(before).toMatchObject({ numFound: 8 });
    await pollUntil(async () => (await call('HEXISTS', keys.sealed, '0')) === 1, 'segment 0 was not sealed');
    expect(await call('EXISTS', keys.documents(0), keys.documents(1))).toBe(1);
    expect(await answer()).toEqual(before);
    expect((await test.get('/totals')).json).toMatchObject({ documents: 8, byType: { view: 8 } });
    expect(test.logged).toEqual([]);
  });
});

describe('sealing that is off', () => {
  it('leaves the stores of the batcher as they are', async () => {
    const { connection } = test.redis;
    const store = new PropertyStore(connection, property, { clock: systemClock });
    const off = new Sealing({ connection, clock: systemClock, log: () => undefined, sealDelayMs: 'off' });
    expect(off.watched(property, store)).toBe(store);
    const on = new Sealing({ connection, clock: systemClock, log: () => undefined, sealDelayMs: 1 });
    expect(on.watched(property, store)).not.toBe(store);
    await Promise.all([on.stop(), off.stop()]);
  });
});
