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

const target = 'http://127.0.0.1:7070';

test('the seed document’s keys are used: a session store, a user and its password', () => {
  const file = { server: target, session: 'stash', username: 'u', password: 'p' };
  const options = resolveSimOptions({}, file);
  expect(options).toMatchObject({ sessionStore: 'stash', access: { username: 'u', password: 'p' } });
  expect(resolveSimOptions({}, { ...file, session: null }).sessionStore).toBeUndefined();
  expect(resolveSimOptions({ session: 'none' }, file).sessionStore).toBeUndefined();
});

test('a password from outside wins over that of the file, and without a user it concerns nobody', () => {
  expect(resolveSimOptions({ password: 'a' }, { username: 'u', password: 'b' }).access.password).toBe('a');
  expect(resolveSimOptions({ password: 'a' }).access).toEqual({});
});

test('the options that are stored with results hold no password and no key', () => {
  const file = { server: target, username: 'u', password: 'geheim', key: 'pk_geheim' };
  const stored = JSON.stringify(describeOptions(resolveSimOptions({}, file)));
  expect(stored).toContain('"access":{"username":"u","key":"a publish key"}');
  expect(stored).not.toContain('geheim');
});

test('a user of another account means the site of that account, unless a property is named', () => {
  const user = { username: 'acme/ann', password: 'p' };
  expect(resolveSimOptions(user).property).toEqual({ account: 'acme', property: 'site' });
  expect(resolveSimOptions({ ...user, property: 'acme/blog' }).property.property).toBe('blog');
});

test('only our own collector is told addresses of visitors by itself', () => {
  expect(resolveSimOptions({}).clientHeaders).toBe(true);
  expect(resolveSimOptions({ target }).clientHeaders).toBe(false);
  expect(resolveSimOptions({ target, 'client-headers': true }).clientHeaders).toBe(true);
});

test.each([
  [{ username: 'u' }, /^--username: needs a password too, in CROWDBEAT_PASSWORD, --password-file, or/],
  [{ username: '' }, /^--username: needs a text that is not empty$/],
  [{ username: 'u', password: 7 }, /^--password: needs a text that is not empty$/],
  [{ key: 'pk with spaces' }, /^--key: needs a publish key, visible ASCII without spaces$/],
  [{ target, key: 'pk' }, /^--key: a publish key answers no questions: the audit needs --username/],
  [{ target, key: 'pk', audit: false, session: 'stash' }, /^--key: a publish key opens no session store/],
  [{ 'await-timeouts': '9s' }, /^--await-timeouts: needs --session/],
  [{ 'await-timeouts': '9' }, /^--await-timeouts: needs a duration from 1s to 1d such as 60s, got "9"$/],
  [{ session: '' }, /^--session: needs the name of a session store such as stash, or none, got ""$/],
  [{ session: 'x'.repeat(129) }, /^--session: needs the name of a session store/],
])('%j is refused', (flags, message) => {
  expect(failure(flags)).toMatch(message);
});

test('no refusal repeats a password or a key', () => {
  expect(failure({}, { username: 'u', password: ['geheim'] })).toBe(
    'crowd.json: "password": needs a text that is not empty',
  );
  expect(failure({ key: 'geheim geheim' })).not.toContain('geheim');
});
