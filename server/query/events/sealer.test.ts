import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { PropertyKeys } from '../../store/keys.ts';
import { startTestRedis, type TestRedis } from '../../store/redis.testing.ts';
import { Sealer } from './sealer.ts';
import { segmentEvents, storeDocuments } from './stored-events.testing.ts';

const property = { account: 'demo', property: 'site' };
const keys = new PropertyKeys(property);

let redis: TestRedis;
let clock: ManualClock;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.connection.call('FLUSHALL', []);
  clock = new ManualClock(0);
});

const fill = (segment: number): Promise<void> =>
  storeDocuments(redis.connection, property, ['{"a":1}', '{"a":2}'], segmentEvents * (segment + 1));

describe('a sealer', () => {
  it('seals nothing of a property that it has nothing to do with', async () => {
    await fill(0);
    expect(await new Sealer({ connection: redis.connection }).sealDue()).toBe(0);
  });

  it('seals all full segments of a property that is asked about, in one look', async () => {
    await fill(0);
    await fill(2);
    const sealer = new Sealer({ connection: redis.connection });
    sealer.use(property);
    expect(await sealer.sealDue()).toBe(2);
    expect(await redis.connection.call('HEXISTS', [keys.sealed, '2'])).toBe(1);
  });

  it('waits as long as it was told to, from when it found the segment full', async () => {
    await fill(0);
    const sealer = new Sealer({ connection: redis.connection, clock, delayMs: 1000 });
    sealer.use(property);
    expect(await sealer.sealDue()).toBe(0);
    clock.advanceMs(999);
    expect(await sealer.sealDue()).toBe(0);
    clock.advanceMs(1);
    expect(await sealer.sealDue()).toBe(1);
  });

  it('looks at a property while it is written to, and for a time after that', async () => {
    const sealer = new Sealer({ connection: redis.connection, clock, usedMs: 1000 });
    const closed = sealer.opened(property);
    clock.advanceMs(5000);
    await fill(0);
    expect(await sealer.sealDue()).toBe(1);
    closed();
    closed();
    clock.advanceMs(1000);
    await fill(1);
    expect(await sealer.sealDue()).toBe(1);
    clock.advanceMs(1);
    await fill(2);
    expect(await sealer.sealDue()).toBe(0);
  });

  it('that is stopped begins nothing more', async () => {
    await fill(0);
    const sealer = new Sealer({ connection: redis.connection, intervalMs: 1 });
    sealer.use(property);
    await sealer.stop();
    expect(await sealer.sealDue()).toBe(0);
    expect(await redis.connection.call('EXISTS', [keys.sealed, keys.sealLease])).toBe(0);
  });

  it('says what failed and goes on with the next property', async () => {
    await fill(0);
    const broken = { account: 'demo', property: 'broken' };
    await redis.connection.call('SET', [new PropertyKeys(broken).totals, 'no hash']);
    const lines: string[] = [];
    const sealer = new Sealer({ connection: redis.connection, log: (line) => lines.push(line) });
    sealer.use(broken);
    sealer.use(property);
    expect(await sealer.sealDue()).toBe(1);
    expect(lines).toEqual([expect.stringMatching(/^seal: property demo\/broken: .*WRONGTYPE/)]);
  });
});

describe('a sealer in a busy process', () => {
  it('lets segments wait, up to a number, and seals the rest', async () => {
    for (const segment of [0, 1, 2, 3]) await fill(segment);
    let activeMs = 0;
    let isBusy = true;
    const loop = () => {
      activeMs += isBusy ? 90 : 10;
      clock.advanceMs(100);
      return { activeMs, idleMs: clock.monotonicMs() - activeMs };
    };
    const load = { loop, queuedEvents: () => 0 };
    const sealer = new Sealer({ connection: redis.connection, clock, load, backlogMax: 3 });
    sealer.use(property);
    expect(await sealer.sealDue()).toBe(1);
    expect(await redis.connection.call('HKEYS', [keys.sealed])).toContain('0');
    expect(await sealer.sealDue()).toBe(0);
    isBusy = false;
    expect(await sealer.sealDue()).toBe(3);
  });

  it('lets none wait for more than ten minutes', async () => {
    await fill(0);
    const load = { loop: () => ({ activeMs: clock.monotonicMs(), idleMs: 0 }), queuedEvents: () => 0 };
    const sealer = new Sealer({ connection: redis.connection, clock, load });
    const closed = sealer.opened(property);
    clock.advanceMs(1000);
    expect(await sealer.sealDue()).toBe(0);
    clock.advanceMs(599_999);
    expect(await sealer.sealDue()).toBe(0);
    clock.advanceMs(1);
    expect(await sealer.sealDue()).toBe(1);
    closed();
  });
});
