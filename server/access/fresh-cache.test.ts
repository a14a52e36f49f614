import { beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { FreshCache, type Reading } from './fresh-cache.ts';

interface Asked {
  readonly key: string;
  give(reading: Reading<string>): void;
  fail(error: Error): void;
}

let clock: ManualClock;
let asked: Asked[];
let cache: FreshCache<string>;

beforeEach(() => {
  clock = new ManualClock(0);
  asked = [];
  cache = new FreshCache({
    clock,
    lifetimeMs: 2000,
    entries: 10,
    read: (key) => new Promise((give, fail) => asked.push({ key, give, fail })),
  });
});

const get = (key: string) => cache.get(key, clock.monotonicMs());

it('asks once for many who want the same, and believes the reply for its time', async () => {
  const all = Promise.all([cache.fetch('a'), cache.fetch('a'), cache.fetch('a')]);
  asked[0]?.give({ value: 'one' });
  expect(await all).toEqual(['one', 'one', 'one']);
  expect(asked).toHaveLength(1);
  clock.advanceMs(999);
  expect(get('a')).toBe('one');
  expect(asked).toHaveLength(1);
});

it('counts from before the question: a slow reply is believed for what is left', async () => {
  const reply = cache.fetch('a');
  clock.advanceMs(1500);
  asked[0]?.give({ value: 'one' });
  await reply;
  clock.advanceMs(499);
  expect(get('a')).toBe('one');
  clock.advanceMs(1);
  expect(get('a')).toBeUndefined();
});

it('asks again at half time and uses the old value meanwhile, but never past its end', async () => {
  const first = cache.fetch('a');
  asked[0]?.give({ value: 'one' });
  await first;
  clock.advanceMs(1000);
  expect([get('a'), get('a'), asked.length]).toEqual(['one', 'one', 2]);
  clock.advanceMs(1000);
  expect(get('a')).toBeUndefined();
  const waiting = cache.fetch('a');
  asked[1]?.give({ value: 'two' });
  expect(await waiting).toBe('two');
});

it('believes no longer than the reply says', async () => {
  const reply = cache.fetch('a');
  asked[0]?.give({ value: 'one', leftMs: 100 });
  await reply;
  clock.advanceMs(100);
  expect(get('a')).toBeUndefined();
});

it('keeps no failure, and tells everybody who waited', async () => {
  const waiting = Promise.allSettled([cache.fetch('a'), cache.fetch('a')]);
  asked[0]?.fail(new Error('away'));
  expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const again = cache.fetch('a');
  asked[1]?.give({ value: 'here' });
  expect(await again).toBe('here');
});

it('does not keep a reply to a question from before it was told to forget', async () => {
  const before = cache.fetch('a');
  cache.forget('a');
  asked[0]?.give({ value: 'old' });
  await before;
  expect(get('a')).toBeUndefined();
});

it('refuses to ask more than a thousand questions at a time', async () => {
  for (let i = 0; i < 1000; i++) void cache.fetch(String(i));
  await expect(cache.fetch('one more')).rejects.toMatchObject({ code: 'CB_BUSY' });
  void cache.fetch('7');
  expect(asked).toHaveLength(1000);
});
