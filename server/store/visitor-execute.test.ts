import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../base/clock.ts';
import { PropertyKeys } from './keys.ts';
import { startTestRedis, type TestRedis } from './redis.testing.ts';
import { executeVisitorQuery } from './visitor-execute.ts';
import type { BitExpression, CountsPlan } from './visitor-plan.ts';
import { VisitorScripts } from './visitor-scripts.ts';

const keys = new PropertyKeys({ account: 'demo', property: 'site' });
const visitors = 100_000;
let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.connection.call('FLUSHALL', []);
  await redis.connection.call('SET', [keys.ids, String(visitors)]);
});

const keyOf = (name: string, bucket: string) => keys.bucket(`evt:${name}`, bucket);
const any = (...names: string[]): BitExpression => ({ any: names });
const counts = (...outputs: BitExpression[]): CountsPlan => ({ kind: 'counts', outputs });
const ask = (plan: CountsPlan) => executeVisitorQuery(redis.connection, keys, plan);

async function setMembers(key: string, offsets: readonly number[]): Promise<void> {
  await redis.connection.call('SADD', [key, ...offsets.map(String)]);
}

/** A bitmap of so many bytes with bits at multiples of `step`. */
async function setBitmap(key: string, bytes: number, step: number): Promise<void> {
  const bits = Buffer.alloc(bytes);
  for (let at = 0; at < 8 * bytes; at += step) bits[at >> 3] = (bits[at >> 3] ?? 0) | (0x80 >> (at & 7));
  await redis.connection.call('SET', [key, bits as unknown as string]);
}

test('bitmaps of different lengths meet as if the shorter ones went on with nobody', async () => {
  const [long, middle, short] = [keyOf('a', '2026'), keyOf('b', '2026'), keyOf('c', '2026')];
  await setBitmap(long, 16_384, 2);
  await setBitmap(middle, 4096, 3);
  await setBitmap(short, 64, 5);
  const multiples = (bytes: number, ...steps: number[]) =>
    Array.from({ length: 8 * bytes }, (_none, i) => i).filter((i) => steps.every((step) => i % step === 0))
      .length;
  const [or, and, shortMinusLong, longMinusShort] = [
    { or: [any(long), any(middle), any(short)] },
    { and: [any(long), any(middle), any(short)] },
    { minus: [any(short), any(long)] as const },
    { minus: [any(long), any(short)] as const },
  ];
  const union = new Set<number>();
  for (const [bytes, step] of [
    [16_384, 2],
    [4096, 3],
    [64, 5],
  ] as const)
    for (let at = 0; at < 8 * bytes; at += step) union.add(at);
  expect(await ask(counts(or, and, shortMinusLong, longMinusShort))).toEqual({
    kind: 'counts',
    counts: [
      union.size,
      multiples(64, 2, 3, 5),
      multiples(64, 5) - multiples(64, 2, 5),
      multiples(16_384, 2) - multiples(64, 2, 5),
    ],
  });
});

test('a union of many lists is the same whether Redis or the collector works it out', async () => {
  const names = Array.from({ length: 90 }, (_none, i) => keyOf('view', `minute ${i}`));
  const everybody = new Set<number>();
  for (const [i, name] of names.entries()) {
    const members = Array.from({ length: 40 }, (_none, j) => (i * 37 + j * 101) % visitors);
    for (const member of members) everybody.add(member);
    await setMembers(name, members);
  }
  const other = keyOf('pay', '2026');
  await setBitmap(other, 16_384, 7);
  const inCollector = any(...names);
  const inRedis: BitExpression = { or: names.map((name) => any(name)) };
  const payers = [...everybody].filter((id) => id % 7 === 0).length;
  const plan = counts(
    inCollector,
    inRedis,
    { and: [inCollector, any(other)] },
    { minus: [inRedis, any(other)] },
  );
  expect(await ask(plan)).toMatchObject({
    counts: [everybody.size, everybody.size, payers, everybody.size - payers],
  });
});

test('a key of another type ends the question with an error, and leaves no temporary key', async () => {
  await setBitmap(keyOf('a', '2026'), 16_384, 2);
  await setBitmap(keyOf('b', '2026'), 16_384, 3);
  await redis.connection.call('HSET', [keyOf('c', '2026'), 'x', '1']);
  const plan = counts({
    and: [{ or: [any(keyOf('a', '2026')), any(keyOf('b', '2026'))] }, any(keyOf('c', '2026'))],
  });
  await expect(ask(plan)).rejects.toMatchObject({
    code: 'CB_REDIS_REPLY',
    message: expect.stringContaining('WRONGTYPE'),
  });
  expect(await redis.connection.call('KEYS', ['*tmp*'])).toEqual([]);
});

test('what a question writes for itself is in no append-only file', async () => {
  const own = await startTestRedis('--appendonly', 'yes', '--appendfsync', 'always');
  const written = async () =>
    Number(/aof_current_size:(\d+)/.exec(String(await own.connection.call('INFO', [])))?.[1]);
  try {
    await own.connection.call('SET', [keys.ids, '100']);
    for (const name of ['a', 'b']) await own.connection.call('SETBIT', [keyOf(name, '2026'), '511', '1']);
    const before = await written();
    const plan = counts({ and: [any(keyOf('a', '2026')), any(keyOf('b', '2026'))] });
    expect(await executeVisitorQuery(own.connection, keys, plan)).toMatchObject({ counts: [1] });
    expect(await written()).toBe(before);
    await own.connection.call('SET', ['x', '1']);
    expect(await written()).toBeGreaterThan(before);
  } finally {
    await own.stop();
  }
});

test('a question whose time is over, or whose client is gone, ends before its next script', async () => {
  const plan = counts(any(keyOf('a', '2026')));
  const clock = new ManualClock(0);
  const scripts = new VisitorScripts(redis.connection, { clock, timeoutMs: 50 });
  clock.advanceMs(50);
  expect(() => scripts.check()).toThrow('longer than 50 ms');
  const late = executeVisitorQuery(redis.connection, keys, plan, { clock: systemClock, timeoutMs: 0 });
  await expect(late).rejects.toMatchObject({ code: 'CB_QUERY_TIMEOUT' });
  const gone = executeVisitorQuery(redis.connection, keys, plan, { signal: AbortSignal.abort() });
  await expect(gone).rejects.toMatchObject({ code: 'CB_QUERY_CANCELLED' });
});

test('scripts of two questions take turns, and one that fails does not hold up the next', async () => {
  const order: string[] = [];
  const script = { text: 'return 1', sha1: 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db' };
  const limits = { clock: systemClock, timeoutMs: 10_000 };
  const [heavy, light] = [
    new VisitorScripts(redis.connection, limits),
    new VisitorScripts(redis.connection, limits),
  ];
  const note = (name: string) => () => void order.push(name);
  const broken = { text: 'return nonsense()', sha1: '0000000000000000000000000000000000000000' };
  await Promise.all([
    heavy.run(broken, [], []).catch(note('failed')),
    light.run(script, [], []).then(note('light')),
    heavy.run(script, [], []).then(note('heavy')),
  ]);
  expect(order).toEqual(['failed', 'light', 'heavy']);
});

test('a set whose dump is compressed is read all the same', async () => {
  const members = Array.from({ length: 500 }, (_none, i) => 5 + 1024 * i);
  const minutes = ['2026-11-20-10-00', '2026-11-20-10-01'].map((bucket) => keyOf('view', bucket));
  await redis.connection.call('SET', [keys.ids, String(2 ** 20)]);
  await setMembers(minutes[0] as string, members);
  await setMembers(minutes[1] as string, [...members.slice(0, 40), 7]);
  expect(((await redis.connection.callBuffer('DUMP', [minutes[0] as string])) as Buffer)[1]).toBe(0xc3);
  const limits = { ways: { counts: 'collector' as const } };
  const reply = await executeVisitorQuery(redis.connection, keys, counts(any(...minutes)), limits);
  expect(reply).toMatchObject({ counts: [501] });
});

test('a set that Redis keeps as texts, and not as integers, is read all the same', async () => {
  const own = await startTestRedis('--set-max-intset-entries', '4');
  try {
    await own.connection.call('SET', [keys.ids, '100']);
    const minutes = ['2026-11-20-10-00', '2026-11-20-10-01'].map((bucket) => keyOf('view', bucket));
    for (const [i, key] of minutes.entries())
      await own.connection.call('SADD', [
        key,
        ...Array.from({ length: 20 }, (_none, j) => String(10 * i + j)),
      ]);
    const plan = counts(any(...minutes), any(minutes[0] as string), any('missing'));
    for (const way of ['redis', 'collector'] as const) {
      const limits = { ways: { counts: way } };
      expect(await executeVisitorQuery(own.connection, keys, plan, limits)).toMatchObject({
        counts: [30, 20, 0],
      });
    }
  } finally {
    await own.stop();
  }
});

test('bits of one segment never count in another', async () => {
  await redis.connection.call('SET', [keys.ids, String(2 ** 20 + 10)]);
  await setMembers(keyOf('a', '2026'), [1, 2, 3]);
  await setMembers(`${keyOf('a', '2026')}::s1`, [2, 3]);
  await setMembers(keyOf('b', '2026'), [3]);
  await setMembers(`${keyOf('b', '2026')}::s1`, [1]);
  const [a, b] = [any(keyOf('a', '2026')), any(keyOf('b', '2026'))];
  expect(await ask(counts(a, { and: [a, b] }, { minus: [a, b] }, { or: [a, b] }))).toMatchObject({
    counts: [5, 1, 4, 6],
  });
});
