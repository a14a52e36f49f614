import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../server/base/clock.ts';
import { startTestCollector, type TestCollector } from '../server/main/collector.testing.ts';
import { questionOf } from './cli-visitors.ts';
import { makeHome, Program } from './program.testing.ts';

let own: TestCollector;
let home: ReturnType<typeof makeHome>;

beforeAll(async () => {
  own = await startTestCollector({ clock: new ManualClock(Date.UTC(2026, 10, 21, 12)) });
  await own.write([
    { event: { type: 'view' }, visitor: { id: 'ada' }, source: { name: 'mail' } },
    { event: { type: 'view' }, visitor: { id: 'bob' } },
  ]);
});
afterAll(() => own.stop());
beforeEach(() => {
  home = makeHome();
});
afterEach(() => home.remove());

const run = (...args: string[]) =>
  new Program(['visitors', ...args, '--server', own.collector.url], home.path).ended;

test('visitors asks a question in JSON, or the uniques of options', async () => {
  const json = '{"bucket":"2026-11-21","top":{"of":"events"}}';
  expect(JSON.parse((await run(json)).stdout)).toMatchObject({ top: [{ event: 'view', visitors: 2 }] });
  const { code, stdout } = await run('--source', 'mail', '--bucket', '2026-11');
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { visitors: 1 }]);
});

test('what the collector refuses is said in its words, with exit code 1', async () => {
  const { code, stderr } = await run('--event', 'view', '--from', '2026-11-21', '--to', '2026-11-20');
  expect([code, stderr]).toEqual([1, expect.stringContaining('question: to must be after from')]);
});

test('a question may come from standard input; none at all, and two, are refused', async () => {
  const input = (async function* () {
    yield Buffer.from('{"bucket":');
    yield Buffer.from('"2026"}');
  })();
  expect(await questionOf({ question: '-' }, input)).toBe('{"bucket":"2026"}');
  await expect(questionOf({ bucket: '2026' })).rejects.toThrow(
    'needs a question in JSON, or --event or --source',
  );
  await expect(questionOf({ question: '{}', event: 'view' })).rejects.toThrow('got both');
});
