import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { parseBucket, type TimeBucket } from '../base/time-bucket.ts';
import { countBucket } from './counts.ts';
import { deleteProperty } from './delete-property.ts';
import type { EventRecord } from './event-record.ts';
import { PropertyKeys, propertyOfGeneration } from './keys.ts';
import { startTestRedis, type TestRedis, testEvent } from './redis.testing.ts';
import { type Retention, withDefaults } from './retention.ts';
import { parseRetention } from './retention-text.ts';
import { PropertyStore } from './store.ts';
import { allProperties, type Swept, sweepProperty, takeSweepLease } from './sweep.ts';
import { mayBeAlive } from './sweep-names.ts';
import { readTotals } from './totals.ts';

const property = { account: 'demo', property: 'site' };
const keys = new PropertyKeys(property);
const startMs = Date.UTC(2026, 10, 21, 12, 30, 20);
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

let clock: ManualClock;
beforeEach(async () => {
  await call('FLUSHALL');
  clock = new ManualClock(startMs);
});

const call = (command: string, ...args: string[]): Promise<unknown> => redis.connection.call(command, args);
const storedKeys = async (): Promise<string[]> => ((await call('KEYS', '*')) as string[]).sort();

/** What keeps a property what it is: ids of visitors, and what was ever counted. */
const identity = ['all', 'generation', 'ids', 'totals'].map((name) => `{demo::site}::${name}`);
const isIdentity = (key: string): boolean => identity.includes(key) || key.startsWith('{demo::site}::vid:');

/** All kinds of things expire in milliseconds; of the bits none is kept for ever. */
const tiny: Retention = { minute: 1, hour: 1, day: 1, month: 1, year: 1, session: 1, events: 1 };

/** An event with all that leaves keys behind, received now. */
function event(number: number): EventRecord {
  const timeMs = clock.wallMs();
  return testEvent({
    timeMs,
    sessionId: `s${number}`,
    tabId: 't',
    seq: 1,
    visitorId: `v${number}`,
    source: 'mail',
    campaign: 'spring',
    json: JSON.stringify({ _m1: { receivedUTC: timeMs }, n: number }),
  });
}

const newStore = (retention: Retention): PropertyStore =>
  new PropertyStore(redis.connection, property, { clock, retention });

const sweep = (retention: Retention): Promise<Swept> =>
  sweepProperty(redis.connection, property, retention, clock.wallMs());

/** Time goes by for the collectors' clock and for the keys that have a time to live. */
async function pass(ms: number): Promise<void> {
  clock.advanceMs(ms);
  for (const key of await storedKeys()) {
    const leftMs = Number(await call('PTTL', key));
    if (leftMs >= 0) await call('PEXPIRE', key, String(Math.max(leftMs - ms, 0)));
  }
}

describe('retention', () => {
  it('leaves no key behind but the ids of visitors and the counts of ever', async () => {
    const store = newStore(tiny);
    const unnumbered = testEvent({ visitorId: 'v1', eventId: 'e-1', json: event(3).json });
    await store.commit([event(1), event(2), unnumbered]);
    expect((await storedKeys()).filter((key) => !isIdentity(key)).length).toBeGreaterThan(15);
    await pass(800 * day);
    expect(await sweep(tiny)).toEqual({ segments: 1, names: 3 });
    expect((await storedKeys()).filter((key) => !isIdentity(key))).toEqual([]);
    expect(await readTotals(redis.connection, property)).toMatchObject({
      byType: { heartbeat: 3 },
      sessions: 0,
      documents: 0,
    });
  });

  it('and deletion leaves none at all', async () => {
    await newStore(tiny).commit([event(1)]);
    await pass(800 * day);
    await sweep(tiny);
    await deleteProperty(redis.connection, property);
    expect(await storedKeys()).toEqual([]);
  });

  it('answers expired for a bucket as soon as it is over, though its key may live on', async () => {
    const retention = withDefaults({ minute: 250 });
    await newStore(retention).commit([event(1)]);
    const bucket = parseBucket('2026-11-21-12-30') as TimeBucket;
    const ask = (nowMs: number) =>
      countBucket(redis.connection, property, { event: 'heartbeat' }, bucket, nowMs, retention);
    expect(await ask(bucket.endMs + 249)).toEqual({ count: 1 });
    expect(await ask(bucket.endMs + 250)).toEqual({ expired: true });
    expect(await call('EXISTS', keys.bucket('evt:heartbeat', bucket.name))).toBe(1);
  });
});

describe('segments of documents', () => {
  const retention = withDefaults({ events: 30 * day });

  it('go when the newest document is too old, not a moment before', async () => {
    await newStore(retention).commit([event(1)]);
    clock.advanceMs(hour);
    await newStore(retention).commit([event(2)]);
    clock.advanceMs(30 * day);
    expect(await sweep(retention)).toEqual({ segments: 0, names: 0 });
    clock.advanceMs(1);
    expect(await sweep(retention)).toEqual({ segments: 1, names: 0 });
    expect(await call('EXISTS', keys.documents(0), keys.directory(0))).toBe(0);
  });

  it('are kept for ever if nothing else was said', async () => {
    await newStore(withDefaults()).commit([event(1)]);
    clock.advanceMs(10_000 * day);
    expect((await sweep(withDefaults())).segments).toBe(0);
    expect((await readTotals(redis.connection, property)).documents).toBe(1);
  });

  it('take new documents after they went, and only these are counted', async () => {
    const store = newStore(retention);
    await store.commit([event(1), event(2)]);
    clock.advanceMs(31 * day);
    await sweep(retention);
    expect(await store.commit([event(3)])).toEqual(['accepted']);
    expect(await readTotals(redis.connection, property)).toMatchObject({
      byType: { heartbeat: 3 },
      documents: 1,
    });
    expect((await sweep(retention)).segments).toBe(0);
  });

  it('of which only the older ones are too old go up to the first that is not', async () => {
    await newStore(retention).commit([event(1)]);
    await call('HSET', keys.totals, 'ordinals', '65536');
    clock.advanceMs(20 * day);
    await newStore(retention).commit([event(2)]);
    clock.advanceMs(11 * day);
    expect((await sweep(retention)).segments).toBe(1);
    expect(await call('EXISTS', keys.documents(0), keys.directory(0))).toBe(0);
    expect(await call('EXISTS', keys.documents(1), keys.directory(1))).toBe(2);
  });

  it.each([
    ['no time of receipt', '{"event":{}}'],
    ['no time that is a number', '{"_m1":{"receivedUTC":"long ago"}}'],
    ['no JSON', '{'],
  ])('stay when the newest document has %s', async (_name, json) => {
    await newStore(retention).commit([event(1), { ...event(2), json }]);
    clock.advanceMs(1000 * day);
    expect((await sweep(retention)).segments).toBe(0);
  });
});

describe('names in the registry', () => {
  const retention: Retention = { ...tiny, year: undefined, session: 90 * day };
  const registry = async (): Promise<string[]> =>
    ((await call('SMEMBERS', keys.registry)) as string[]).sort();

  it('stay while one granularity is kept for ever; days go with their sessions', async () => {
    await newStore(retention).commit([event(1)]);
    expect(await registry()).toEqual(['day:2026-11-21', 'evt:heartbeat', 'src:mail::cpg:spring']);
    await pass(89 * day);
    expect((await sweep(retention)).names).toBe(0);
    await pass(3 * day);
    expect((await sweep(retention)).names).toBe(1);
    expect(await registry()).toEqual(['evt:heartbeat', 'src:mail::cpg:spring']);
  });

  it('that went come back with the next event, also of a collector that had registered them', async () => {
    const short: Retention = { ...tiny, session: 1 };
    const store = newStore(short);
    await store.commit([event(1)]);
    await pass(800 * day);
    expect((await sweep(short)).names).toBe(3);
    expect(await registry()).toEqual([]);
    expect(await store.commit([event(2)])).toEqual(['accepted']);
    expect(await registry()).toEqual(['day:2029-01-29', 'evt:heartbeat', 'src:mail::cpg:spring']);
    expect(await store.commit([event(2), event(1)])).toEqual(['duplicate', 'accepted']);
  });

  it('of a property that is being deleted are left alone', async () => {
    await newStore(tiny).commit([event(1)]);
    await pass(800 * day);
    await call('SET', keys.generation, '!being deleted');
    expect(await sweep(tiny)).toEqual({ segments: 0, names: 0 });
    expect(await call('GET', keys.generation)).toBe('!being deleted');
  });

  it('are looked for in the years alone when these are kept longest', () => {
    expect(mayBeAlive(withDefaults(), startMs)).toBeUndefined();
    const kept = withDefaults({ month: 900 * day, year: 900 * day });
    expect(mayBeAlive(kept, startMs)).toEqual(['2024', '2025', '2026']);
    const odd = { ...kept, minute: 2 * minute, hour: 1, day: 1, month: 1, year: 1 };
    const buckets = mayBeAlive(odd, startMs) ?? [];
    expect(buckets).toContain('2026-11-21-12-28');
    expect(buckets).toContain('2026');
  });
});

describe('a sweep', () => {
  it('is of every property, whatever its name holds, and of nothing else', async () => {
    const names = ['site', 'a:b', '{x}', '*', 'two words', 'ä'];
    for (const name of names) {
      const store = new PropertyStore(redis.connection, { account: 'a:c', property: name }, { clock });
      await store.commit([event(1)]);
    }
    await call('SET', '{no property}::generation', 'x');
    await call('SET', '{acct:demo}::users', 'x');
    const found: string[] = [];
    for await (const { account, property: name } of allProperties(redis.connection)) {
      expect(account).toBe('a:c');
      found.push(name);
    }
    expect(found.sort()).toEqual([...names].sort());
    expect(propertyOfGeneration('{a::b}::generation::x')).toBeUndefined();
  });

  it('is done by one of all collectors, once in the interval', async () => {
    const leases = await Promise.all(
      Array.from({ length: 5 }, () => takeSweepLease(redis.connection, 60_000)),
    );
    expect(leases.filter((held) => held)).toHaveLength(1);
    await call('PEXPIRE', 'crowdbeat::sweep_lease', '0');
    expect(await takeSweepLease(redis.connection, 60_000)).toBe(true);
  });
});

describe('--retention', () => {
  it('names kinds and durations', () => {
    expect(parseRetention('minute=2d, hour=60d,events=12h,month=forever')).toEqual({
      minute: 2 * day,
      hour: 60 * day,
      events: 12 * hour,
      month: undefined,
    });
    expect(withDefaults(parseRetention('minute=forever')).minute).toBeUndefined();
  });

  it.each([
    ['week=2d', /needs minute, hour, .*, got "week=2d"/],
    ['minute=2', /minute needs a duration above 0 such as 2d or 12h, or forever, got "2"/],
    ['minute=0s', /got "0s"/],
    ['minute', /got ""/],
    ['', /got ""/],
    ['minute=1d=2d', /got "minute=1d=2d"/],
    ['minute=1d,minute=2d', /names minute twice/],
    ['toString=1d', /got "toString=1d"/],
  ])('refuses %j', (text, message) => {
    expect(() => parseRetention(text)).toThrow(message);
  });
});
