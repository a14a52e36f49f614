import { expect, test } from 'vitest';
import { readFlushConfig } from './flush-config.ts';

const good = { server: 'https://collector.example/m1', session: 'stash', timeoutSeconds: 25 };
const read = (config: object) => readFlushConfig(JSON.stringify(config), 'config.json');

test('reads the keys of the sample, and fills in the others', () => {
  expect(read({ ...good, username: 'flush', password: 'secret', property: 'acme/shop' })).toEqual({
    server: new URL('https://collector.example/m1'),
    session: 'stash',
    username: 'flush',
    password: 'secret',
    timeoutMs: 25_000,
    pollMs: 3000,
    property: { account: 'acme', property: 'shop' },
  });
  expect(read(good)).toMatchObject({ username: undefined, property: undefined });
});

test('each key that does not do is named with its rule and value', () => {
  const refused: [object, RegExp][] = [
    [{ server: 'collector' }, /^config\.json: server must be the address of a collector.*got "collector"$/],
    [{ server: 'ftp://x' }, /server must be/],
    [{ server: undefined }, /server must be.*got nothing/],
    [{ session: 7 }, /session must be a text, got 7/],
    [{ session: undefined }, /session must be the name of a session store, such as stash/],
    [{ timeoutSeconds: '25' }, /timeoutSeconds must be a number of seconds.*got "25"/],
    [{ timeoutSeconds: undefined }, /timeoutSeconds must be/],
    [{ timeoutSeconds: 0 }, /timeoutSeconds must be/],
    [{ pollSeconds: 1e9 }, /pollSeconds must be/],
    [{ timeoutseconds: 25 }, /timeoutseconds is not a key; known are server, session/],
    [{ username: 'flush' }, /password is needed/],
    [{ password: 'x' }, /username is needed/],
    [{ property: 'site' }, /property must be account\/property/],
  ];
  for (const [config, says] of refused)
    expect(() => read({ ...good, ...config })).toThrow(
      expect.objectContaining({ code: 'CB_OPTION', message: expect.stringMatching(says) }),
    );
  expect(() => readFlushConfig('[]', 'x')).toThrow('x: must be a JSON object');
});

test('no message shows a password', () => {
  for (const text of [
    '{"password": 12345678, "username": "a", "session": "s"}',
    '{"session": "s", "password": "12345678" "x"}',
    '{"session": "s", "username": 7, "password": "12345678"}',
  ]) {
    let message = '';
    try {
      readFlushConfig(text, 'x');
    } catch (thrown) {
      message = String(thrown);
    }
    expect(message).not.toBe('');
    expect(message).not.toContain('12345678');
  }
});
