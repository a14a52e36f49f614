import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { announceNode, type CollectorNode, withdrawNode } from './nodes.ts';
import { pollUntil, startTestRedis, type TestRedis } from './redis.testing.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());
beforeEach(() => redis.connection.call('FLUSHALL', []));

const node = (id: string, started: number): CollectorNode => ({
  id,
  url: `http://127.0.0.1:7070/${id}`,
  version: '1.0.0',
  pid: 7,
  host: 'here',
  started,
  worker: 1,
  workers: 1,
});

const ids = (nodes: readonly CollectorNode[]): string[] => nodes.map(({ id }) => id);

test('each announcement answers with all that live, the oldest first, with what they said', async () => {
  expect(await announceNode(redis.connection, node('b', 20))).toEqual([node('b', 20)]);
  expect(await announceNode(redis.connection, node('a', 10))).toEqual([node('a', 10), node('b', 20)]);
  expect(ids(await announceNode(redis.connection, node('b', 20)))).toEqual(['a', 'b']);
});

test('who ends is gone at once, who falls silent after its life, and nothing is left in the end', async () => {
  await announceNode(redis.connection, node('ends', 1), 60_000);
  await announceNode(redis.connection, node('silent', 2), 50);
  await withdrawNode(redis.connection, 'ends');
  const others = async (): Promise<string[]> => ids(await announceNode(redis.connection, node('c', 3), 200));
  expect(await others()).not.toContain('ends');
  await pollUntil(async () => !(await others()).includes('silent'), 'the silent one was not forgotten');
  expect(await others()).toEqual(['c']);
  await pollUntil(async () => (await redis.connection.call('DBSIZE', [])) === 0, 'keys were left');
});
