import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import type { RedisConnection } from '../../store/connection.ts';
import { deleteProperty } from '../../store/delete-property.ts';
import { PropertyKeys } from '../../store/keys.ts';
import { startTestRedis, type TestRedis } from '../../store/redis.testing.ts';
import { withDefaults } from '../../store/retention.ts';
import { addToSchema } from '../../store/schema.ts';
import { sweepProperty } from '../../store/sweep.ts';
import { type EventSources, type EventSourcesOptions, openEventSources } from './event-source.ts';
import { Sealer } from './sealer.ts';
import { appendDocuments, expectSegment, segmentEvents, storeDocuments } from './stored-events.testing.ts';

const property = { account: 'demo', property: 'site' };
const keys = new PropertyKeys(property);
const fields = ['event.type', 'visitor.id', 'late.field'];

const text = (n: number): string =>
  JSON.stringify({
    event: { type: 'view' },
    visitor: { id: `v${n}` },
    late: { field: [n, n % 7] },
    _m1: { receivedUTC: 1_795_264_215_000 },
  });
const texts = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_none, i) => text(from + i));

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());
beforeEach(() => redis.connection.call('FLUSHALL', []));

const opened: EventSources[] = [];
afterEach(() => {
  for (const sources of opened.splice(0)) sources.close();
});

function open(options: EventSourcesOptions = {}, connection = redis.connection): EventSources {
  const sources = openEventSources(connection, options);
  opened.push(sources);
  return sources;
}

const append = (added: readonly string[]): Promise<void> =>
  appendDocuments(redis.connection, property, added);
const store = (stored: readonly string[], end: number): Promise<void> =>
  storeDocuments(redis.connection, property, stored, end);

async function seal(): Promise<void> {
  const sealer = new Sealer({ connection: redis.connection, pageEvents: 8 });
  sealer.use(property);
  expect(await sealer.sealDue()).toBe(1);
}

/** Counts the reading scripts, and tells `before` of each. */
function watched(before: (name: string) => Promise<void> | void): RedisConnection {
  return new Proxy(redis.connection, {
    get(target, name) {
      if (name === 'readScript')
        return async (...args: Parameters<RedisConnection['readScript']>) => {
          await before(args[1].at(-1) ?? '');
          return target.readScript(...args);
        };
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

describe('the events of a property', () => {
  it('are none before the first is stored', async () => {
    expect(await open().of(property).segments()).toEqual([]);
  });

  it('are in the very next answer, and those of an answer that was given stay', async () => {
    const source = open().of(property);
    const stored: string[] = [];
    for (const size of [1, 5, 130, 2]) {
      const before = (await source.segments())[0];
      const had = [...stored];
      const added = texts(size, stored.length);
      await append(added);
      stored.push(...added);
      await expectSegment((await source.segments())[0], stored, fields);
      if (before !== undefined) await expectSegment(before, had, fields);
    }
  });

  it('are all there for each of many who ask at once while more are stored', async () => {
    const source = open().of(property);
    await append(texts(50));
    const ask = async (): Promise<void> => {
      const [segment] = await source.segments();
      const count = segment?.count ?? 0;
      expect(count).toBeGreaterThanOrEqual(50);
      await expectSegment(segment, texts(count), fields);
    };
    const asking = Array.from({ length: 8 }, ask);
    await append(texts(40, 50));
    await Promise.all([...asking, ask(), ask()]);
    expect((await source.segments())[0]?.count).toBe(90);
  });

  it('are read once, however many ask', async () => {
    await append(texts(100));
    const read: string[] = [];
    const source = open(
      {},
      watched((name) => void read.push(name)),
    ).of(property);
    await Promise.all([source.segments(), source.segments(), source.segments()]);
    await source.segments();
    expect(read.filter((name) => name === keys.documents(0))).toHaveLength(1);
  });
});

describe('a reader that meets a change', () => {
  it('sees a segment that is sealed before it is read, while it is read and afterwards, always the same', async () => {
    const stored = texts(30);
    for (const meets of [keys.directory(0), keys.documents(0)]) {
      await redis.connection.call('FLUSHALL', []);
      await store(stored, segmentEvents);
      let isSealed = false;
      const connection = watched(async (name) => {
        if (isSealed || name !== meets) return;
        isSealed = true;
        await seal();
      });
      const source = open({}, connection).of(property);
      await expectSegment((await source.segments())[0], stored, fields);
      if (!isSealed) await seal();
      const [segment] = await source.segments();
      expect(segment?.isSealed).toBe(true);
      await expectSegment(segment, stored, fields);
    }
  });

  it('that was shown an open segment goes on with it when it is sealed and when the property is deleted', async () => {
    const stored = texts(30);
    await store(stored, segmentEvents);
    const [segment] = await open().of(property).segments();
    await seal();
    await expectSegment(segment, stored, fields);
    await deleteProperty(redis.connection, property);
    await expectSegment(segment, stored, fields);
  });

  it('is told when a sealed segment was dropped under its hands, and never shown another one’s columns', async () => {
    await store(texts(30), segmentEvents);
    await seal();
    const [segment] = await open().of(property).segments();
    await deleteProperty(redis.connection, property);
    await store(texts(30, 500), segmentEvents);
    await seal();
    await expect(segment?.column('visitor.id')).rejects.toMatchObject({ code: 'CB_REDIS_STALE' });
    await expect(segment?.documents([0])).rejects.toMatchObject({ code: 'CB_REDIS_STALE' });
  });

  it.each([
    ['deleted', () => deleteProperty(redis.connection, property)],
    ['flushed', () => redis.connection.call('FLUSHALL', [])],
  ])('forgets a property that was %s, open and sealed', async (_name, end) => {
    const source = open().of(property);
    await store(texts(30), segmentEvents);
    await seal();
    await append(texts(3));
    expect((await source.segments()).map(({ count }) => count)).toEqual([30, 3]);
    await end();
    expect(await source.segments()).toEqual([]);
    await append(texts(2, 70));
    const [segment, ...others] = await source.segments();
    expect(others).toEqual([]);
    await expectSegment(segment, texts(2, 70), fields);
  });

  it('is shown nothing of a property that is being deleted', async () => {
    const source = open().of(property);
    await append(texts(3));
    await redis.connection.call('SET', [keys.generation, '!being deleted']);
    expect(await source.segments()).toEqual([]);
  });

  it.each([
    ['and asks in between', true],
    ['and does not ask in between', false],
  ])('sees what was stored after the open segment was dropped for its age, %s', async (_name, asks) => {
    const source = open().of(property);
    await append(texts(9));
    await source.segments();
    await sweepProperty(redis.connection, property, withDefaults({ events: 1 }), 1_900_000_000_000);
    if (asks) expect(await source.segments()).toEqual([]);
    // As many commits as before: the directory is as long as the one that was read.
    await append(texts(20, 50));
    const [segment, ...others] = await source.segments();
    // Not 0 again: the place of a document that went never becomes another's.
    expect([segment?.number, others]).toEqual([1, []]);
    await expectSegment(segment, texts(20, 50), fields);
  });
});

describe('a field that was declared late', () => {
  const declare = (): Promise<unknown> =>
    addToSchema(
      redis.connection,
      property,
      [{ name: 'late.field', type: 'integer', multi: true, description: '' }],
      0,
    );
  const hasColumn = (): Promise<unknown> =>
    redis.connection.call('HEXISTS', [keys.segmentColumns(0), 'late.field']);

  it('gets its column from the documents, once', async () => {
    const stored = texts(30);
    await store(stored, segmentEvents);
    await seal();
    expect(await hasColumn()).toBe(0);
    await declare();
    const [segment] = await open().of(property).segments();
    await expectSegment(segment, stored, fields);
    expect(await hasColumn()).toBe(1);
    const read: string[] = [];
    const [again] = await open(
      {},
      watched((name) => void read.push(name)),
    )
      .of(property)
      .segments();
    await again?.column('late.field');
    expect(read).not.toContain(keys.segmentPages(0));
  });

  it('that nobody declared gets one for the question only', async () => {
    const stored = texts(30);
    await store(stored, segmentEvents);
    await seal();
    await expectSegment((await open().of(property).segments())[0], stored, fields);
    expect(await hasColumn()).toBe(0);
  });
});

describe('memory', () => {
  it('is bounded: what was not used for the longest time goes, and answers stay right', async () => {
    await store(texts(400), segmentEvents);
    await seal();
    const cacheBytesMax = 30_000;
    const sources = open({ cacheBytesMax });
    const [segment] = await sources.of(property).segments();
    for (let round = 0; round < 2; round++) {
      // Its pages alone have 100,000 bytes, its visitors 14,000.
      await expectSegment(segment, texts(400), ['event.type', 'visitor.id']);
      expect(sources.cachedBytes).toBeGreaterThan(0);
      expect(sources.cachedBytes).toBeLessThanOrEqual(cacheBytesMax);
    }
  });

  it('of open segments is given back after a minute without a question', async () => {
    const clock = new ManualClock(0);
    await append(texts(100));
    const sources = open({ clock });
    await sources.of(property).segments();
    expect(sources.cachedBytes).toBeGreaterThan(0);
    clock.advanceMs(59_999);
    sources.dropIdle();
    expect(sources.cachedBytes).toBeGreaterThan(0);
    clock.advanceMs(1);
    sources.dropIdle();
    expect(sources.cachedBytes).toBe(0);
    await expectSegment((await sources.of(property).segments())[0], texts(100), fields);
  });

  it('holds not all full segments decoded that wait for being sealed, and answers stay right', async () => {
    const parts = [0, 1, 2, 3].map((segment) => texts(300, 1000 * segment));
    for (const [segment, part] of parts.entries()) await store(part, segmentEvents * (segment + 1));
    const unbounded = open();
    await unbounded.of(property).segments();
    const cacheBytesMax = unbounded.cachedBytes / 2;
    const read: string[] = [];
    const connection = watched((name) => void read.push(name));
    const sources = open({ cacheBytesMax }, connection);
    const segments = await sources.of(property).segments();
    expect(segments.map(({ count, isSealed }) => [count, isSealed])).toEqual(parts.map(() => [300, false]));
    for (const [i, segment] of segments.entries()) {
      expect(sources.cachedBytes).toBeLessThanOrEqual(cacheBytesMax);
      await expectSegment(segment, parts[i] as string[], fields);
    }
    // All four do not fit, so the first was let go of and read again.
    expect(read.filter((name) => name === keys.documents(0)).length).toBeGreaterThan(1);
    const again = await sources.of(property).segments();
    expect(again.map((segment, i) => segment === segments[i])).toEqual(parts.map(() => true));
  });

  it('a full segment that is sealed while a question has let go of it says so', async () => {
    await store(texts(300), segmentEvents);
    await store(texts(300, 1000), 2 * segmentEvents);
    const source = open({ cacheBytesMax: 1000 }).of(property);
    const [first] = await source.segments();
    const sealer = new Sealer({ connection: redis.connection });
    sealer.use(property);
    expect(await sealer.sealDue()).toBe(2);
    await expect(first?.column('visitor.id')).rejects.toMatchObject({ code: 'CB_REDIS_STALE' });
    await expectSegment((await source.segments())[0], texts(300), fields);
  });

  it('keeps the columns that were asked for when their segment is sealed', async () => {
    const stored = texts(30);
    await store(stored, segmentEvents);
    const read: string[] = [];
    const source = open(
      {},
      watched((name) => void read.push(name)),
    ).of(property);
    await (await source.segments())[0]?.column('event.type');
    await seal();
    const [segment] = await source.segments();
    expect(segment?.isSealed).toBe(true);
    await segment?.column('event.type');
    await segment?.documents([7]);
    expect(read.filter((name) => name === keys.segmentColumns(0))).toEqual([]);
    await expectSegment(segment, stored, fields);
  });

  it('holds nothing after the end', async () => {
    await store(texts(30), segmentEvents);
    await seal();
    await append(texts(3));
    const sources = open();
    for (const segment of await sources.of(property).segments()) await segment.column('visitor.id');
    expect(sources.cachedBytes).toBeGreaterThan(0);
    sources.close();
    expect(sources.cachedBytes).toBe(0);
  });
});
