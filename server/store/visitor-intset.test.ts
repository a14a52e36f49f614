import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from './redis.testing.ts';
import { readIntsetDump } from './visitor-intset.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

async function dumpOf(members: readonly number[]): Promise<Buffer> {
  await redis.connection.call('DEL', ['set']);
  await redis.connection.call('SADD', ['set', ...members.map(String)]);
  return (await redis.connection.callBuffer('DUMP', ['set'])) as Buffer;
}

/** From all over the segment, of 2 bytes each, and side by side. */
const anyMembers = fc.oneof(
  fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 20 - 1 }), { minLength: 1, maxLength: 512 }),
  fc.uniqueArray(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 512 }),
  fc
    .tuple(
      fc.integer({ min: 0, max: 2 ** 19 }),
      fc.integer({ min: 1, max: 512 }),
      fc.constantFrom(1, 2, 256, 1024),
    )
    .map(([first, length, step]) => Array.from({ length }, (_none, i) => first + i * step)),
);

test('the dump of a set has its members', async () => {
  await redis.connection.call('CONFIG', ['SET', 'rdbcompression', 'no']);
  await fc.assert(
    fc.asyncProperty(anyMembers, async (members) => {
      expect([...readIntsetDump(await dumpOf(members))]).toEqual([...members].sort((a, b) => a - b));
    }),
    { numRuns: 200 },
  );
});

test('what is no set of small integers is refused', async () => {
  await redis.connection.call('SADD', ['texts', 'a']);
  const texts = (await redis.connection.callBuffer('DUMP', ['texts'])) as Buffer;
  expect(() => readIntsetDump(texts)).toThrow('needs a dump of integers');
  expect(() => readIntsetDump(Buffer.from([0x0b, 8, 8, 0, 0, 0, 0, 0, 0, 0]))).toThrow('of 8 bytes');
});
