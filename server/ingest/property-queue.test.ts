import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '../base/clock.ts';
import type { CommitOutcome, EventRecord } from '../store/event-record.ts';
import { record } from './event.testing.ts';
import { PropertyQueue, type QueueOptions } from './property-queue.ts';
import { QueueBudget, queuedBytes } from './queue-budget.ts';

interface HeldBatch {
  readonly events: readonly EventRecord[];
  readonly done: (outcomes: CommitOutcome[]) => void;
  readonly failed: (reason: unknown) => void;
}

/** A commit that the test finishes by hand; it remembers the batches, by the ids of their events. */
class HeldCommit {
  readonly batches: (string | undefined)[][] = [];
  readonly #open: HeldBatch[] = [];

  readonly commit = (events: readonly EventRecord[]): Promise<CommitOutcome[]> => {
    this.batches.push(events.map((event) => event.eventId));
    return new Promise((done, failed) => this.#open.push({ events, done, failed }));
  };

  get inFlight(): number {
    return this.#open.length;
  }

  /** Ids that begin with `d` were seen before. */
  async finish(): Promise<void> {
    const { events, done } = this.#open.shift() as HeldBatch;
    done(events.map((event) => (event.eventId?.startsWith('d') ? 'duplicate' : 'accepted')));
    await nextTurn();
  }

  async fail(reason: Error): Promise<void> {
    this.#open.shift()?.failed(reason);
    await nextTurn();
  }
}

/** Adds a write; its writer as a promise. */
function addTo(
  queue: PropertyQueue,
  events: readonly EventRecord[],
  bytes: number,
): Promise<readonly CommitOutcome[]> {
  return new Promise((resolve, reject) => {
    queue.add(events, bytes, { stored: resolve, failed: reject });
  });
}

function makeQueue(changes: Partial<QueueOptions> = {}) {
  const held = new HeldCommit();
  const clock = new ManualClock(0);
  const budget = new QueueBudget(1000, 1_000_000);
  // With a clock that stands still, only a real timer of this length could end the lingering.
  const defaults = {
    clock,
    budget,
    batchEventsMax: 4,
    batchBytesMax: 1000,
    lingerMs: 3_600_000,
    lingerEventsMax: 3,
  };
  const queue = new PropertyQueue(held.commit, { ...defaults, ...changes });
  const add = (...ids: string[]): Promise<readonly CommitOutcome[]> => {
    const events = ids.map((id) => record(id));
    budget.take(events.length, 20 * events.length);
    const write = addTo(queue, events, 20 * events.length);
    write.catch(() => {}); // A test that expects the failure awaits it itself.
    return write;
  };
  return { queue, held, clock, budget, add };
}

describe('PropertyQueue', () => {
  it('commits at once when idle, together with all that came in the same turn of the event loop', async () => {
    const { held, add } = makeQueue();
    add('a');
    add('b');
    await nextTurn();
    expect(held.batches).toEqual([['a', 'b']]);
  });

  it('has one commit in flight at most', async () => {
    const { held, add } = makeQueue();
    add('a');
    await nextTurn();
    for (const id of ['b', 'c', 'e', 'f', 'g']) add(id);
    await nextTurn();
    expect(held.inFlight).toBe(1);
    await held.finish();
    expect(held.inFlight).toBe(1);
    expect(held.batches).toEqual([['a'], ['b', 'c', 'e', 'f']]);
  });

  it('lingers after a commit when too few wait, until enough do', async () => {
    const { held, add } = makeQueue();
    add('a');
    await nextTurn();
    add('b');
    await held.finish();
    expect(held.inFlight).toBe(0);
    add('c');
    await nextTurn();
    expect(held.inFlight).toBe(0);
    add('e');
    expect(held.batches).toEqual([['a'], ['b', 'c', 'e']]);
  });

  it('does not linger when the oldest has waited long enough already', async () => {
    const { held, clock, add } = makeQueue({ lingerMs: 2 });
    add('a');
    await nextTurn();
    add('b');
    clock.advanceMs(2);
    await held.finish();
    expect(held.batches).toEqual([['a'], ['b']]);
  });

  it('lingers only when at the rate of late that gathers enough', async () => {
    /** Two events each `pauseMs`, for a while; then how many commits two more begin, one behind the other. */
    const commitsAfter = async (pauseMs: number): Promise<number> => {
      const { clock, held, queue, add } = makeQueue({ lingerMs: 8, lingerGainMin: 16, lingerEventsMax: 4 });
      for (let round = 0; round < 20; round++) {
        clock.advanceMs(pauseMs);
        add('a', 'b');
        await nextTurn();
        await held.finish();
      }
      const before = held.batches.length;
      clock.advanceMs(pauseMs);
      add('c');
      await nextTurn();
      add('d');
      await held.finish();
      const begun = held.batches.length - before;
      const drained = queue.drain();
      await held.finish();
      await drained;
      return begun;
    };
    expect(await commitsAfter(0.5)).toBe(1);
    expect(await commitsAfter(2)).toBe(2);
  });

  it('ends lingering by itself', async () => {
    const { held, add } = makeQueue({ clock: systemClock, lingerMs: 2 });
    add('a');
    await nextTurn();
    const b = add('b');
    await held.finish();
    while (held.batches.length < 2) await nextTurn();
    await held.finish();
    expect(await b).toEqual(['accepted']);
  });

  it('gives each write its own outcomes, in order, also across batches', async () => {
    const { held, add } = makeQueue();
    const first = add('a', 'd1');
    const long = add('b', 'd2', 'c', 'e', 'f', 'd3', 'g', 'h', 'd4');
    const last = add('d5');
    await nextTurn();
    while (held.inFlight > 0) await held.finish();
    expect(held.batches.map((batch) => batch.length)).toEqual([4, 4, 4]);
    expect(await first).toEqual(['accepted', 'duplicate']);
    const [accepted, duplicate] = ['accepted', 'duplicate'];
    const ofLong = [
      accepted,
      duplicate,
      accepted,
      accepted,
      accepted,
      duplicate,
      accepted,
      accepted,
      duplicate,
    ];
    expect(await long).toEqual(ofLong);
    expect(await last).toEqual(['duplicate']);
  });

  it('caps a batch by bytes, and still takes one event that is larger alone', async () => {
    const { queue, held, budget } = makeQueue({ batchBytesMax: 100, lingerEventsMax: 1 });
    const sizes = [60, 60, 200, 40, 60];
    budget.take(5, 420);
    void addTo(
      queue,
      sizes.map((bytes, i) => record(`e${i}`, bytes)),
      420,
    );
    await nextTurn();
    while (held.inFlight > 0) await held.finish();
    expect(held.batches).toEqual([['e0'], ['e1'], ['e2'], ['e3', 'e4']]);
  });

  it('fails the writes of a failed batch, drops what they still have queued, and goes on with the next', async () => {
    const { held, budget, add } = makeQueue();
    const whole = add('a', 'b');
    const cut = add('c', 'e', 'f', 'g', 'h', 'i', 'j');
    const next = add('k', 'l', 'm');
    await nextTurn();
    await held.fail(new Error('Redis is away'));
    await expect(whole).rejects.toThrow('Redis is away');
    await expect(cut).rejects.toThrow('Redis is away');
    expect(held.batches).toEqual([
      ['a', 'b', 'c', 'e'],
      ['k', 'l', 'm'],
    ]);
    expect(budget.events).toBe(3);
    expect(budget.bytes).toBe(60);
    await held.finish();
    expect(await next).toEqual(['accepted', 'accepted', 'accepted']);
    expect(budget.events).toBe(0);
    expect(budget.bytes).toBe(0);
  });

  it('fails the writes of a batch for which the store owes outcomes', async () => {
    const budget = new QueueBudget(10, 1000);
    const options = {
      clock: systemClock,
      budget,
      batchEventsMax: 4,
      batchBytesMax: 1000,
      lingerMs: 0,
      lingerEventsMax: 1,
    };
    const queue = new PropertyQueue(async () => ['accepted'], options);
    budget.take(2, 40);
    await expect(addTo(queue, [record('a'), record('b')], 40)).rejects.toThrow('one outcome per event');
    await queue.drain();
    expect(budget.events).toBe(0);
  });

  it('drains: ends lingering, and resolves only when the last commit is done', async () => {
    const { queue, held, add } = makeQueue();
    await queue.drain();
    add('a');
    await nextTurn();
    add('b');
    await held.finish();
    expect(held.inFlight).toBe(0);
    let isDrained = false;
    const drained = queue.drain().then(() => {
      isDrained = true;
    });
    expect(held.inFlight).toBe(1);
    await nextTurn();
    expect(isDrained).toBe(false);
    await held.finish();
    await drained;
    expect(isDrained).toBe(true);
  });

  it('does not linger between the commits of a drain', async () => {
    const { queue, held, add } = makeQueue();
    add('a');
    await nextTurn();
    const behind = add('b');
    const drained = queue.drain();
    await held.finish();
    expect(held.batches).toEqual([['a'], ['b']]);
    await held.finish();
    expect(await behind).toEqual(['accepted']);
    await drained;
  });

  it('settles every write with its own outcomes for any sizes, caps and failures, and frees all room', async () => {
    const writes = fc.array(fc.array(fc.integer({ min: 2, max: 300 }), { minLength: 1, maxLength: 9 }), {
      maxLength: 12,
    });
    const caps = fc.record({
      batchEventsMax: fc.integer({ min: 1, max: 5 }),
      batchBytesMax: fc.integer({ min: 1, max: 600 }),
    });
    await fc.assert(
      fc.asyncProperty(
        writes,
        caps,
        fc.integer({ min: 2, max: 9 }),
        async (sizes, { batchEventsMax, batchBytesMax }, failEvery) => {
          let commits = 0;
          const failed = new Set<string | undefined>();
          const budget = new QueueBudget(1e6, 1e9);
          const commit = async (events: readonly EventRecord[]): Promise<CommitOutcome[]> => {
            expect(events.length).toBeLessThanOrEqual(batchEventsMax);
            const bytes = events.reduce((sum, event) => sum + queuedBytes(event), 0);
            expect(events.length === 1 || bytes <= batchBytesMax).toBe(true);
            commits += 1;
            if (commits % failEvery === 0) {
              for (const event of events) failed.add(event.eventId);
              throw new Error('away');
            }
            await nextTurn();
            return events.map((event) =>
              Number(event.eventId?.split('.')[1]) % 2 === 0 ? 'accepted' : 'duplicate',
            );
          };
          const options = {
            clock: systemClock,
            budget,
            batchEventsMax,
            batchBytesMax,
            lingerMs: 0,
            lingerEventsMax: 1,
          };
          const queue = new PropertyQueue(commit, options);
          const settled = await Promise.allSettled(
            sizes.map((events, w) => {
              const records = events.map((bytes, e) => record(`${w}.${e}`, bytes));
              const bytes = records.reduce((sum, event) => sum + queuedBytes(event), 0);
              budget.take(records.length, bytes);
              return addTo(queue, records, bytes);
            }),
          );
          await queue.drain();
          expect([budget.events, budget.bytes]).toEqual([0, 0]);
          for (const [w, result] of settled.entries()) {
            const ids = (sizes[w] ?? []).map((_bytes, e) => `${w}.${e}`);
            const isFailed = ids.some((id) => failed.has(id));
            expect(result.status).toBe(isFailed ? 'rejected' : 'fulfilled');
            if (result.status === 'fulfilled') {
              expect(result.value).toEqual(ids.map((_id, e) => (e % 2 === 0 ? 'accepted' : 'duplicate')));
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
