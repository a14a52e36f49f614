import { expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import type { SessionOperation, SessionOutcome } from '../store/session-store.ts';
import { SessionUpdates, type SessionUpdatesOptions } from './session-updates.ts';

const property = { account: 'demo', property: 'site' };
const clock = new ManualClock(1_795_264_215_000);

/** A store that answers when the test says so, and keeps what it was given. */
class HeldStore {
  readonly batches: string[][] = [];
  #release: ((outcome: 'created' | 'no store' | Error) => void) | undefined;

  readonly apply = (
    operations: readonly SessionOperation[],
  ): Promise<readonly SessionOutcome[] | undefined> => {
    this.batches.push(operations.map((one) => (one.kind === 'delete' ? one.sessionId : 'upsert')));
    return new Promise((resolve, reject) => {
      this.#release = (outcome) => {
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome === 'no store' ? undefined : operations.map(() => 'created' as const));
      };
    });
  };

  async release(outcome: 'created' | 'no store' | Error = 'created'): Promise<void> {
    this.#release?.(outcome);
    await turn();
  }
}

/** One turn of the event loop, and the promises in it. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

const ends = (...ids: string[]): SessionOperation[] =>
  ids.map((sessionId) => ({ kind: 'delete', sessionId }));

function open(options: Partial<SessionUpdatesOptions> = {}): { updates: SessionUpdates; store: HeldStore } {
  const store = new HeldStore();
  const updates = new SessionUpdates({ clock, openStore: () => store.apply, lingerMs: 0, ...options });
  return { updates, store };
}

test('updates of one turn go together; what comes while they are applied goes together after them', async () => {
  const { updates, store } = open();
  const first = [
    updates.update(property, 's', ends('a', 'b'), 10),
    updates.update(property, 's', ends('c'), 5),
  ];
  await turn();
  const second = [updates.update(property, 's', ends('d'), 5), updates.update(property, 's', ends('e'), 5)];
  await turn();
  expect(store.batches).toEqual([['a', 'b', 'c']]);
  await store.release();
  expect(await Promise.all(first)).toEqual([['created', 'created'], ['created']]);
  expect(store.batches).toEqual([
    ['a', 'b', 'c'],
    ['d', 'e'],
  ]);
  await store.release();
  await Promise.all(second);
  expect(updates.queued).toEqual({ operations: 0, bytes: 0 });
});

test('an update is never split, however large; small ones share at most 128 operations', async () => {
  const { updates, store } = open();
  const many = (count: number, name: string) =>
    ends(...Array.from({ length: count }, (_none, i) => `${name}${i}`));
  for (const [count, name] of [
    [100, 'a'],
    [100, 'b'],
    [1000, 'c'],
    [28, 'd'],
    [100, 'e'],
  ] as const)
    updates.update(property, 's', many(count, name), 10);
  await turn();
  for (let i = 0; i < 4; i++) await store.release();
  expect(store.batches.map((batch) => batch.length)).toEqual([100, 100, 1000, 128]);
});

test('a full queue refuses, and takes again what it has room for', async () => {
  const { updates, store } = open({ operationsMax: 3, bytesMax: 100 });
  expect(updates.update(property, 's', ends('a', 'b'), 10)).toBeDefined();
  expect(updates.update(property, 's', ends('c', 'd'), 10)).toBeUndefined();
  expect(updates.update(property, 's', ends('c'), 91)).toBeUndefined();
  expect(updates.update(property, 't', ends('c'), 90)).toBeDefined();
  expect(updates.queued).toEqual({ operations: 3, bytes: 100 });
  await turn();
  await store.release();
  expect(updates.queued.operations).toBeLessThan(3);
  // One update that is more than all the room is taken when nothing else is there.
  const alone = open({ operationsMax: 1 });
  expect(alone.updates.update(property, 's', ends('a', 'b'), 10)).toBeDefined();
});

test('a failed call fails the updates in it and no other; a store that is not there is told', async () => {
  const { updates, store } = open();
  const first = updates.update(property, 's', ends('a'), 1);
  const failed = expect(first).rejects.toThrow('away');
  await turn();
  const second = updates.update(property, 's', ends('b'), 1);
  await store.release(new Error('away'));
  await failed;
  await store.release('no store');
  expect(await second).toBeUndefined();
  expect(updates.queued).toEqual({ operations: 0, bytes: 0 });
});

test('draining waits for everything, and lets nothing linger', async () => {
  const { updates, store } = open({ lingerMs: 60_000 });
  updates.update(property, 's', ends('a'), 1);
  await turn();
  updates.update(property, 's', ends('b'), 1);
  await store.release();
  expect(store.batches).toEqual([['a']]);
  let isDrained = false;
  const drained = updates.drain().then(() => {
    isDrained = true;
  });
  await turn();
  expect([store.batches, isDrained]).toEqual([[['a'], ['b']], false]);
  await store.release();
  await drained;
});
