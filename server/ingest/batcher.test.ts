import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { formatPropertyName, type PropertyName } from '../protocol/property.ts';
import type { CommitOutcome, EventRecord } from '../store/event-record.ts';
import { Batcher, type BatcherOptions } from './batcher.ts';
import { record } from './event.testing.ts';

const shop: PropertyName = { account: 'acme', property: 'shop' };
const blog: PropertyName = { account: 'acme', property: 'blog' };

describe('Batcher', () => {
  const open: Batcher[] = [];
  afterEach(() => {
    for (const batcher of open.splice(0)) batcher.close();
  });

  function makeBatcher(changes: Partial<BatcherOptions> = {}) {
    const clock = new ManualClock(0);
    const commits: string[] = [];
    const gates: (() => void)[] = [];
    const opened: string[] = [];
    const closed: string[] = [];
    const openStore = (property: PropertyName) => {
      const name = formatPropertyName(property);
      opened.push(name);
      return {
        commit: async (events: readonly EventRecord[]): Promise<CommitOutcome[]> => {
          commits.push(name);
          await new Promise<void>((resolve) => gates.push(resolve));
          return events.map(() => 'accepted');
        },
        close: () => closed.push(name),
      };
    };
    const batcher = new Batcher({
      clock,
      openStore,
      batchEventsMax: 100,
      batchBytesMax: 100_000,
      ...changes,
    });
    open.push(batcher);
    const finishAll = async (): Promise<void> => {
      await nextTurn();
      for (const open of gates.splice(0)) open();
      await nextTurn();
    };
    return { batcher, clock, commits, opened, closed, finishAll };
  }

  it('commits each property on its own, at the same time', async () => {
    const { batcher, commits, finishAll } = makeBatcher();
    const writes = [batcher.write(shop, [record('a')]), batcher.write(blog, [record('b')])];
    await nextTurn();
    expect(commits).toEqual(['acme/shop', 'acme/blog']);
    await finishAll();
    expect(await Promise.all(writes)).toEqual([['accepted'], ['accepted']]);
  });

  it('needs no queue for a write without events', async () => {
    const { batcher } = makeBatcher();
    expect(await batcher.write(shop, [])).toEqual([]);
    expect(batcher.properties).toBe(0);
  });

  it('refuses a write that does not fit beside what is queued or being committed, and takes it later', async () => {
    const { batcher, finishAll } = makeBatcher({ queueEventsMax: 3 });
    batcher.write(shop, [record('a'), record('b')]);
    await nextTurn();
    expect(batcher.queued).toEqual({ events: 2, bytes: 40 });
    expect(batcher.write(blog, [record('c'), record('d')])).toBe('queue_full');
    expect(batcher.queued).toEqual({ events: 2, bytes: 40 });
    await finishAll();
    expect(batcher.queued).toEqual({ events: 0, bytes: 0 });
    expect(batcher.write(blog, [record('c'), record('d')])).not.toBe('queue_full');
    await finishAll();
  });

  it('bounds the queue by bytes as well', async () => {
    const { batcher, finishAll } = makeBatcher({ queueBytesMax: 1000 });
    batcher.write(shop, [record('a', 600)]);
    expect(batcher.write(shop, [record('b', 401)])).toBe('queue_full');
    expect(batcher.write(shop, [record('b', 400)])).not.toBe('queue_full');
    await finishAll();
  });

  it('takes one write larger than the queue when nothing is queued, or it could never be accepted', async () => {
    const { batcher, finishAll } = makeBatcher({ queueEventsMax: 1 });
    expect(batcher.write(shop, [record('a'), record('b')])).not.toBe('queue_full');
    expect(batcher.write(shop, [record('c')])).toBe('queue_full');
    await finishAll();
  });

  it('drops the queues and stores of properties that nobody used for a while, and opens them anew', async () => {
    const { batcher, clock, opened, closed, finishAll } = makeBatcher({ propertyIdleMs: 60_000 });
    batcher.write(shop, [record('a')]);
    await finishAll();
    clock.advanceMs(59_999);
    batcher.dropIdleQueues();
    expect(closed).toEqual([]);
    batcher.write(blog, [record('b')]);
    clock.advanceMs(1);
    batcher.dropIdleQueues();
    expect(closed).toEqual(['acme/shop']);
    expect(batcher.properties).toBe(1);
    batcher.write(shop, [record('c')]);
    expect(opened).toEqual(['acme/shop', 'acme/blog', 'acme/shop']);
    await finishAll();
  });

  it('never drops a queue that has work', async () => {
    const { batcher, clock, closed, finishAll } = makeBatcher({ propertyIdleMs: 1000 });
    batcher.write(shop, [record('a')]);
    await nextTurn();
    clock.advanceMs(5000);
    batcher.dropIdleQueues();
    expect(closed).toEqual([]);
    await finishAll();
  });

  it('refuses one property too many, and has room again when another is idle', async () => {
    const { batcher, clock, finishAll } = makeBatcher({ propertiesMax: 1, propertyIdleMs: 60_000 });
    batcher.write(shop, [record('a')]);
    expect(batcher.write(blog, [record('b')])).toBe('too_many_properties');
    expect(batcher.write(shop, [record('c')])).not.toBe('too_many_properties');
    await finishAll();
    clock.advanceMs(60_000);
    expect(batcher.write(blog, [record('b')])).not.toBe('too_many_properties');
    await finishAll();
  });

  it('drains all properties', async () => {
    const { batcher, finishAll } = makeBatcher();
    batcher.write(shop, [record('a')]);
    batcher.write(blog, [record('b')]);
    const drained = batcher.drain();
    await finishAll();
    await drained;
    expect(batcher.queued.events).toBe(0);
  });
});
