import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EnvironmentBook, findEnvironment, propertyOfEnvironment } from './cli-env-book.ts';

let folder = '';
let path = '';
let book: EnvironmentBook;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crowdbeat-book-'));
  path = join(folder, 'state', 'environments.json');
  book = new EnvironmentBook(path);
});
afterEach(() => rmSync(folder, { recursive: true }));

const shop = { server: 'http://10.0.0.1:7070', property: { account: 'acme', property: 'shop' }, token: 't1' };

test.each([
  ['site-demo', { account: 'demo', property: 'site' }],
  ['live-shop-acme', { account: 'acme', property: 'live-shop' }],
  ['demo', undefined],
  ['-demo', undefined],
  ['site-', undefined],
  ['a/b-demo', undefined],
])('%s is the property that stands before its last hyphen', (name, property) => {
  expect(propertyOfEnvironment(name)).toEqual(property);
});

test('what is written is read again, whatever it is called, and only the owner can read it', () => {
  for (const name of ['shop-acme', '__proto__', 'shop-acme']) book.write(name, { ...shop, username: 'ann' });
  const entry = { ...shop, username: 'ann' };
  expect([...book.read()]).toEqual([
    ['shop-acme', entry],
    ['__proto__', entry],
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, 'state'))).toEqual(['environments.json']);
});

test('a file that others can read, or that is spoilt, is refused without a word of what it holds', () => {
  book.write('shop-acme', shop);
  chmodSync(path, 0o640);
  expect(() => book.read()).toThrow(`${path}: others can read it: chmod 600`);
  const texts = {
    '{"a": "secret': 'is not JSON',
    '["secret"]': 'is no object',
    '{"a-b": {"server": 1, "token": "secret"}}': '"a-b": server must be a text',
    '{"a-b": {"server": "http://h", "token": "secret"}}':
      '"a-b" needs a server, and as property account/property',
  };
  chmodSync(path, 0o600);
  for (const [text, what] of Object.entries(texts)) {
    writeFileSync(path, text);
    expect(() => book.read()).toThrow(expect.objectContaining({ message: `${path}: ${what}` }));
  }
});

test('an environment of the file is taken from there, with a token of the environment only where it has none', () => {
  const variables = { CROWDBEAT_SERVER: 'http://elsewhere', CROWDBEAT_TOKEN: 't2' };
  book.write('shop-acme', shop);
  expect(findEnvironment('shop-acme', book, variables)).toEqual(shop);
  book.write('shop-acme', { ...shop, token: undefined });
  expect(findEnvironment('shop-acme', book, variables)).toEqual({ ...shop, token: 't2' });
});

test('others are where CROWDBEAT_SERVER says, and site-demo is here without it', () => {
  const variables = { CROWDBEAT_SERVER: 'http://elsewhere' };
  expect(findEnvironment('blog-acme', book, variables)).toEqual({
    server: 'http://elsewhere',
    property: { account: 'acme', property: 'blog' },
    token: undefined,
  });
  expect(findEnvironment('site-demo', book, {})).toMatchObject({ server: 'http://127.0.0.1:7070' });
  expect(() => findEnvironment('blog', book, variables)).toThrow('"blog" is no known environment');
  book.write('shop-acme', shop);
  expect(() => findEnvironment('shop-acne', book, {})).toThrow(
    '"shop-acne" is no known environment (site-demo, shop-acme)',
  );
});
