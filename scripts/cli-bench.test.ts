import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeHome, Program } from './program.testing.ts';

let home: ReturnType<typeof makeHome>;

beforeEach(() => {
  home = makeHome();
});

afterEach(() => home.remove());

const bench = (...args: string[]): Program => new Program(['bench', ...args], home.path);

test('every scenario that is listed says what it asks and what it does not measure', async () => {
  const { stdout, code } = await bench('list').ended;
  for (const name of ['crowd', 'generator', 'cost', 'enrich', 'query-visitors'])
    expect(stdout).toMatch(new RegExp(`^${name} +\\S.*\\?$`, 'm'));
  expect(stdout.match(/Not measured: /g)).toHaveLength(5);
  expect(code).toBe(0);
});

test('every scenario runs to its end at smoke size, with figures that are numbers and no event lost', async () => {
  const { stdout, stderr } = await bench('run', '--smoke').ended;
  expect(stdout).toMatch(/^20 visitors: events lost +0 events/m);
  expect(stdout).toMatch(/^ratio ours : autocannon +[\d.]+ x$/m);
  expect(stdout).toMatch(/ratio collector : echo +[\d.]+ x$/m);
  expect(stdout).toMatch(/^batches of 100: events a second +\d+ 1\/s$/m);
  expect(stdout).toMatch(/^collector with place and agent +[\d.]+ us\/event$/m);
  expect(stdout).toMatch(/^A AND B NOT C, a month: ratio +[\d.]+ x$/m);
  expect(stdout).toMatch(/^ordered funnel of 4, a dense day, window 30: p99 +[\d.]+ ms$/m);
  expect(stdout).not.toContain('NaN');
  // A busy machine may make so short a crowd late; an audit that fails is a fault on any machine.
  expect(stdout).not.toMatch(/PROBLEM .*audit/);
  expect(stderr).toBe('');
}, 180_000);

test('a scenario or verb that there is not is refused by name', async () => {
  expect((await bench('run', 'everything').ended).stderr).toContain(
    'bench: needs one of crowd, generator, cost, enrich, query-visitors, got "everything"',
  );
  expect((await bench('walk').ended).stderr).toContain('bench: needs list or run, got "walk"');
});
