import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PropertyName } from '../../protocol/property.ts';
import type { RedisConnection } from '../../store/connection.ts';
import { deleteProperty } from '../../store/delete-property.ts';
import { PropertyKeys } from '../../store/keys.ts';
import { startTestRedis, type TestRedis } from '../../store/redis.testing.ts';
import { withDefaults } from '../../store/retention.ts';
import { sweepProperty } from '../../store/sweep.ts';
import { readTotals } from '../../store/totals.ts';
import { openEventSources } from './event-source.ts';
import { Sealer } from './sealer.ts';
import type { Segment } from './segment.ts';
import { appendDocuments, expectSegment, segmentEvents, storeDocuments } from './stored-events.testing.ts';

const property: PropertyName = { account: 'demo', property: 'site' };
const keys = new PropertyKeys(property);
const fields = ['event.type', 'event.time', 'visitor.id', 'page.path', '_m1.receivedUTC', 'not.declared'];
const timeMs = Date.UTC(2026, 10, 21, 12, 30);

/** Every one another. */
function text(n: number): string {
  return JSON.stringify({
    event: { type: n % 3 === 0 ? 'view' : 'heartbeat', time: timeMs + n },
    visitor: { id: `3e0a6b52-7f6d-4a8e-9d7c-${n.toString(16).padStart(12, '0')}` },
    ...(n % 5 === 0 ? { page: { path: [`/${n}`, '/', `/${n % 2}`] } } : {}),
    not: { declared: n },
    _m1: { receivedUTC: timeMs + 2 * n },
  });
}

const texts = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_none, i) => text(from + i));

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());
beforeEach(() => call('FLUSHALL'));

const call = (command: string, ...args: string[]): Promise<unknown> => redis.connection.call(command, args);

/** Small pages, so that there are several. */
const newSealer = (connection = redis.connection, leaseMs = 60_000): Sealer => {
  const sealer = new Sealer({ connection, pageEvents: 16, leaseMs });
  sealer.use(property);
  return sealer;
};

const seal = (): Promise<number> => newSealer().sealDue();

/** What a process that has just started is shown. */
async function segmentsAfresh(connection = redis.connection): Promise<readonly Segment[]> {
  const sources = openEventSources(connection);
  try {
    return await sources.of(property).segments();
  } finally {
    sources.close();
  }
}

const segmentKeys = async (): Promise<string[]> => {
  const all = ((await call('KEYS', '*')) as string[]).sort();
  return all.filter((key) => key.includes('::seg:') || key.includes('::seal')).map((key) => key.slice(14));
};

/** Passes every command on, after `before` was told which writing call of it this is, from 0. */
function intercepted(before: (call: number) => Promise<void> | void): RedisConnection {
  let calls = 0;
  return new Proxy(redis.connection, {
    get(target, name) {
      if (name === 'call')
        return async (...args: Parameters<RedisConnection['call']>) => {
          await before(calls++);
          return target.call(...args);
        };
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

describe('a full segment', () => {
  it('shows the same when it is sealed, and its chunks are gone', async () => {
    const stored = texts(100);
    await storeDocuments(redis.connection, property, stored, segmentEvents);
    const [open] = await segmentsAfresh();
    expect(open?.isSealed).toBe(false);
    await expectSegment(open, stored, fields);
    expect(await seal()).toBe(1);
    const [sealed] = await segmentsAfresh();
    expect(sealed?.isSealed).toBe(true);
    await expectSegment(sealed, stored, fields);
    expect(await segmentKeys()).toEqual(['sealed', 'seg:0::cols', 'seg:0::meta', 'seg:0::pages']);
    expect(await seal()).toBe(0);
  });

  it('knows the range of times and numbers, sealed or not', async () => {
    await storeDocuments(redis.connection, property, texts(50), segmentEvents);
    const range = { min: timeMs, max: timeMs + 49 };
    expect((await segmentsAfresh())[0]?.pointRange('event.time')).toEqual(range);
    await seal();
    const [sealed] = await segmentsAfresh();
    expect(sealed?.pointRange('event.time')).toEqual(range);
    expect(sealed?.pointRange('event.type')).toBeUndefined();
  });

  it('is sealed without the chunks that were lost, and in the order of the others', async () => {
    const stored = texts(11);
    await storeDocuments(redis.connection, property, stored, segmentEvents);
    await call('HDEL', keys.documents(0), String(segmentEvents - 10));
    const left = [...stored.slice(0, 1), ...stored.slice(8)];
    await expectSegment((await segmentsAfresh())[0], left, fields);
    await seal();
    await expectSegment((await segmentsAfresh())[0], left, fields);
    expect((await readTotals(redis.connection, property)).documents).toBe(left.length);
  });

  it('that has a chunk nobody can read is left alone, and the others are sealed', async () => {
    await storeDocuments(redis.connection, property, texts(3), segmentEvents);
    await appendDocuments(redis.connection, property, texts(2));
    await call('HSET', keys.documents(0), String(segmentEvents - 3), 'no chunk');
    await storeDocuments(redis.connection, property, texts(2), 2 * segmentEvents);
    const lines: string[] = [];
    const sealer = new Sealer({ connection: redis.connection, log: (line) => lines.push(line) });
    sealer.use(property);
    expect(await sealer.sealDue()).toBe(1);
    expect(await sealer.sealDue()).toBe(0);
    expect(lines).toEqual([
      expect.stringContaining("segment 0 of the stored events: what is stored at 65533 can't"),
    ]);
    expect(await call('EXISTS', keys.documents(0), keys.sealLease)).toBe(1);
    await expect(segmentsAfresh()).rejects.toMatchObject({ code: 'CB_REDIS_REPLY' });
  });

  it('is not one before its last event is there', async () => {
    await storeDocuments(redis.connection, property, texts(10), segmentEvents - 1);
    expect(await seal()).toBe(0);
    await appendDocuments(redis.connection, property, [text(10)]);
    expect(await seal()).toBe(1);
  });
});

describe('a few documents of a sealed segment', () => {
  it('are read with their page, and with the part of the ids that belongs to it', async () => {
    // 1,025 ids and more are a column of uuids, in parts of 4,094.
    const stored = texts(5000);
    await storeDocuments(redis.connection, property, stored, segmentEvents);
    const sealer = new Sealer({ connection: redis.connection, pageEvents: 500 });
    sealer.use(property);
    expect(await sealer.sealDue()).toBe(1);
    expect(await call('HEXISTS', keys.segmentColumns(0), 'visitor.id#1')).toBe(1);
    const sources = openEventSources(redis.connection);
    const [segment] = await sources.of(property).segments();
    // The page of 4,000 to 4,499 lies across the parts.
    for (const position of [4093, 4094, 4000, 4499, 0, 4999])
      expect(await segment?.documents([position])).toEqual([JSON.parse(stored[position] as string)]);
    // Three pages with two columns of times; the ids of 5,000 events alone would be 80,000.
    const withoutIds = sources.cachedBytes;
    await segment?.column('visitor.id');
    expect(sources.cachedBytes - withoutIds).toBe(80_000);
    expect(await segment?.documents([1234])).toEqual([JSON.parse(stored[1234] as string)]);
    sources.close();
  });
});

describe('segment borders', () => {
  it('every event is in the segment of its ordinal, once', async () => {
    const stored = texts(40);
    await storeDocuments(redis.connection, property, stored, segmentEvents + 25);
    for (const isSealed of [false, true]) {
      const [first, second, ...others] = await segmentsAfresh();
      expect([first?.number, second?.number, others]).toEqual([0, 1, []]);
      expect([first?.isSealed, second?.isSealed]).toEqual([isSealed, false]);
      await expectSegment(first, stored.slice(0, 15), fields);
      await expectSegment(second, stored.slice(15), fields);
      await seal();
    }
  });

  it('a segment in which nothing was ever stored is not shown', async () => {
    await storeDocuments(redis.connection, property, texts(2), 7 * segmentEvents + 2);
    expect((await segmentsAfresh()).map(({ number }) => number)).toEqual([7]);
  });
});

describe('a sealer that dies', () => {
  it('at any step leaves the answers as they were, and the next one finishes', async () => {
    const stored = texts(70);
    let isThrough = false;
    for (let step = 1; !isThrough; step++) {
      await call('FLUSHALL');
      await storeDocuments(redis.connection, property, stored, segmentEvents);
      const dying = intercepted((n) => {
        if (n >= step) throw new Error('killed');
      });
      isThrough = (await newSealer(dying).sealDue()) === 1;
      await expectSegment((await segmentsAfresh())[0], stored, fields);
      // The lease of the dead ends by itself; nobody waits for that here.
      await call('DEL', keys.sealLease);
      await seal();
      const [segment] = await segmentsAfresh();
      expect(segment?.isSealed).toBe(true);
      await expectSegment(segment, stored, fields);
      expect(await segmentKeys()).toEqual(['sealed', 'seg:0::cols', 'seg:0::meta', 'seg:0::pages']);
      if (step === 1) expect(isThrough).toBe(false);
    }
  });

  it('keeps the others out until its lease has ended', async () => {
    await storeDocuments(redis.connection, property, texts(20), segmentEvents);
    const dying = intercepted((n) => {
      if (n >= 2) throw new Error('killed');
    });
    expect(await newSealer(dying).sealDue()).toBe(0);
    expect(await seal()).toBe(0);
    expect(Number(await call('PTTL', keys.sealLease))).toBeGreaterThan(0);
    await call('DEL', keys.sealLease);
    expect(await seal()).toBe(1);
  });
});

describe('two sealers', () => {
  it('at once seal each segment once', async () => {
    const stored = texts(50);
    await storeDocuments(redis.connection, property, stored, segmentEvents);
    const results = await Promise.all([newSealer().sealDue(), newSealer().sealDue()]);
    expect(results.sort()).toEqual([0, 1]);
    await expectSegment((await segmentsAfresh())[0], stored, fields);
  });

  it('of which one was thought dead at any step: it writes nothing more', async () => {
    const stored = texts(70);
    let isThrough = false;
    for (let step = 1; !isThrough; step++) {
      await call('FLUSHALL');
      await storeDocuments(redis.connection, property, stored, segmentEvents);
      let sealedByOther = 0;
      const slow = intercepted(async (n) => {
        if (n !== step) return;
        await call('DEL', keys.sealLease);
        sealedByOther = await seal();
        // Were it not for the lease and the chunks, what follows would spoil this.
      });
      const own = await newSealer(slow).sealDue();
      expect([own, sealedByOther]).toContainEqual(1);
      expect(own + sealedByOther).toBe(1);
      isThrough = own === 1;
      await expectSegment((await segmentsAfresh())[0], stored, fields);
    }
  });
});

describe('a property that goes while a segment is sealed', () => {
  it('leaves no key, whenever that happens', async () => {
    const stored = texts(70);
    let isThrough = false;
    for (let step = 0; !isThrough; step++) {
      await call('FLUSHALL');
      await storeDocuments(redis.connection, property, stored, segmentEvents);
      let isDeleted = false;
      const slow = intercepted(async (n) => {
        if (n !== step) return;
        await deleteProperty(redis.connection, property);
        isDeleted = true;
      });
      await newSealer(slow).sealDue();
      isThrough = !isDeleted;
      if (isDeleted) expect(await call('KEYS', '*')).toEqual([]);
    }
  });

  it('and comes back at once has only what was stored since', async () => {
    await storeDocuments(redis.connection, property, texts(70), segmentEvents);
    const renewed = texts(5, 1000);
    let isRenewed = false;
    const slow = intercepted(async (n) => {
      if (n !== 3) return;
      await deleteProperty(redis.connection, property);
      await storeDocuments(redis.connection, property, renewed, segmentEvents);
      isRenewed = true;
    });
    expect(await newSealer(slow).sealDue()).toBe(0);
    expect(isRenewed).toBe(true);
    await expectSegment((await segmentsAfresh())[0], renewed, fields);
    expect(await seal()).toBe(1);
    await expectSegment((await segmentsAfresh())[0], renewed, fields);
  });
});

describe('retention and totals', () => {
  it('count the pages of a sealed segment that are there', async () => {
    await storeDocuments(redis.connection, property, texts(40), segmentEvents);
    await seal();
    expect((await readTotals(redis.connection, property)).documents).toBe(40);
    await call('HDEL', keys.segmentPages(0), '1');
    expect((await readTotals(redis.connection, property)).documents).toBe(24);
    await call('HDEL', keys.segmentPages(0), '2');
    expect((await readTotals(redis.connection, property)).documents).toBe(16);
  });

  it('drop a sealed segment when its newest document is too old, not a moment before', async () => {
    await storeDocuments(redis.connection, property, texts(10), segmentEvents);
    await seal();
    await appendDocuments(redis.connection, property, texts(1, 100));
    const retention = withDefaults({ events: 1000 });
    const newestMs = timeMs + 2 * 9;
    const sweep = (nowMs: number) => sweepProperty(redis.connection, property, retention, nowMs);
    expect((await sweep(newestMs + 1000)).segments).toBe(0);
    expect((await sweep(newestMs + 1001)).segments).toBe(1);
    expect((await segmentKeys()).filter((key) => key.includes('seg:0'))).toEqual([]);
    expect((await segmentsAfresh()).map(({ number }) => number)).toEqual([1]);
    expect((await readTotals(redis.connection, property)).documents).toBe(1);
  });

  it('drop what a sealer had begun to write with the segment', async () => {
    await storeDocuments(redis.connection, property, texts(40), segmentEvents);
    const dying = intercepted((n) => {
      if (n >= 4) throw new Error('killed');
    });
    await newSealer(dying).sealDue();
    expect(await segmentKeys()).toContain('seg:0::pages');
    await sweepProperty(redis.connection, property, withDefaults({ events: 1 }), timeMs + 1_000_000);
    expect((await segmentKeys()).filter((key) => key.includes('seg:0'))).toEqual([]);
  });
});
