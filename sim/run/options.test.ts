import { expect, test } from 'vitest';
import { describeOptions, resolveSimOptions } from './options.ts';

const failure = (flags: object, file: object = {}): string => {
  try {
    resolveSimOptions(flags as never, file as never, 'crowd.json');
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
};

test('what nobody said has a default', () => {
  expect(resolveSimOptions({})).toMatchObject({
    visitors: 100,
    durationMs: 60_000,
    seed: 1,
    heartbeatMs: 5000,
    rampPerSecond: 3000,
    target: undefined,
    property: { account: 'demo', property: 'site' },
    connections: 64,
    phase: 'spread',
    logClients: 1000,
    audit: true,
  });
});

test('a flag wins over the config file, the file over the default', () => {
  const options = resolveSimOptions({ visitors: '7', seed: 3 }, { visitors: 9, heartbeat: '2s' });
  expect([options.visitors, options.seed, options.heartbeatMs, options.connections]).toEqual([
    7, 3, 2000, 64,
  ]);
});

test('a larger crowd gets more connections, within bounds, unless they are given', () => {
  const connections = [8000, 8001, 50_000, 64_000, 1_000_000].map(
    (visitors) => resolveSimOptions({ visitors }).connections,
  );
  expect(connections).toEqual([64, 65, 400, 512, 512]);
  expect(resolveSimOptions({ visitors: 50_000, connections: 5 }).connections).toBe(5);
});

test('the seed document’s keys are known; its server is the target', () => {
  const file = { server: 'http://127.0.0.1:7070', session: null, username: 'u', password: 'p' };
  expect(resolveSimOptions({}, file).target?.port).toBe('7070');
});

test.each([
  [{ visitors: '0' }, 'number of visitors: needs a whole number from 1 to 1000000, got "0"'],
  [{ visitors: '1e3' }, 'number of visitors: needs a whole number from 1 to 1000000, got "1e3"'],
  [
    { duration: '60' },
    '--duration: needs a duration of at least 1s such as 60s or 10m, or forever, got "60"',
  ],
  [
    { duration: '10ms' },
    '--duration: needs a duration of at least 1s such as 60s or 10m, or forever, got "10ms"',
  ],
  [{ heartbeat: '5' }, '--heartbeat: needs a duration from 100ms to 1d such as 5s, or none, got "5"'],
  [{ ramp: '3000' }, '--ramp: needs a rate such as 3000/s, from 0.01/s to 1000000/s, got "3000"'],
  [{ seed: -1 }, '--seed: needs a whole number from 0 to 4294967295, got -1'],
  [
    { target: 'ftp://x' },
    '--target: needs an http or https URL without user, query or fragment, got "ftp://x"',
  ],
  [{ property: 'site' }, '--property: needs two names such as account/property, got "site"'],
  [{ workers: 65 }, '--workers: needs a whole number from 1 to 64, got 65'],
  [{ workers: 3, connections: 2 }, '--connections: needs at least one for each of the 3 workers, got 2'],
  [{ phase: 'random' }, '--phase: needs spread or sync, got "random"'],
  [{ json: '' }, '--json: needs a file name, got ""'],
  [{ 'give-up': '500ms' }, '--give-up: needs a duration from 1s to 1d such as 60s, or never, got "500ms"'],
  [{ 'log-clients': -1 }, '--log-clients: needs a whole number from 0 to 100000, got -1'],
])('%j is refused, naming the option, the rule and the value', (flags, message) => {
  expect(failure(flags)).toBe(message);
});

test('a config file with an unknown key or a bad value is refused by name', () => {
  expect(failure({}, { visitor: 5 })).toBe('crowd.json: unknown key "visitor"');
  expect(failure({}, { server: 'nowhere' })).toBe(
    'crowd.json: "server": needs an http or https URL without user, query or fragment, got "nowhere"',
  );
  expect(failure({}, { heartbeat: 5 })).toBe(
    'crowd.json: "heartbeat": needs a duration from 100ms to 1d such as 5s, or none, got 5',
  );
});

test('the resolved options are plain JSON, an endless run included', () => {
  const described = describeOptions(resolveSimOptions({ duration: 'forever', property: 'a/b' }));
  expect(JSON.parse(JSON.stringify(described))).toMatchObject({
    durationMs: 'forever',
    property: 'a/b',
    target: null,
  });
});

test('a crowd may ask for more than stored, in three words only', () => {
  expect([undefined, 'replicated'].map((durability) => resolveSimOptions({ durability }).durability)).toEqual(
    ['stored', 'replicated'],
  );
  expect(failure({ durability: 'safe' })).toBe(
    '--durability: needs stored, fsynced or replicated, got "safe"',
  );
});
