import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { environmentCommand } from './cli-env.ts';
import { m1Command } from './cli-m1.ts';
import { type Ended, m1Program, makeHome, Program } from './program.testing.ts';

/** Where the collector was started, so where the password of its admin lies. */
const home = makeHome();
/** Of somebody who only knows where the collector is. */
const stranger = makeHome();
let server: Program;
let url = '';

beforeAll(async () => {
  server = new Program(['serve', '--port', '0', '--closed'], home.path);
  url = (await server.says(/listening on (http:[^\s;]+)/))[1] ?? '';
});
afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.ended;
  home.remove();
  stranger.remove();
});

const run = (
  [command = '', ...words]: readonly string[],
  at = home,
  environment: NodeJS.ProcessEnv = {},
): Promise<Ended> => {
  const variables = { CROWDBEAT_SERVER: url, ...environment };
  if (command === 'm1') return new Program(words, at.path, variables, m1Program).ended;
  return new Program([command, ...words], at.path, variables).ended;
};

const m1 = (...words: string[]): Promise<Ended> => run(['m1', ...words]);

const json = async (...words: string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await m1(...words);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
};

test('the environment of the first start answers every verb with nothing set up, closed as it is', async () => {
  expect(await json('site-demo', 'ping')).toBe(true);
  expect(await json('site-demo', 'health')).toMatchObject({ overall: { status: 'PASSED' } });
  expect(await json('site-demo', 'schema')).toContainEqual(expect.objectContaining({ name: 'event.type' }));
  expect(await json('site-demo', 'store/list')).toMatchObject([{ name: 'index' }]);
  expect(await json('site-demo', 'session/list')).toMatchObject([{ name: 'stash' }]);
  expect(await json('site-demo', 'user/list')).toEqual([{ username: 'admin', rights: ['admin'] }]);
  const items = JSON.stringify([{ event: { type: 'view' }, visitor: { id: 'v' } }]);
  expect(await json('site-demo', 'write', '-items', items)).toMatchObject({ accepted: 1 });
  expect(await json('site-demo', 'totals')).toMatchObject({ documents: 1 });
});

test('nothing is kept of that, and a stranger to the password gets the collector’s 401 and a way', async () => {
  expect(readdirSync(join(home.path, '.crowdbeat'))).not.toContain('environments.json');
  const { code, stdout, stderr } = await run(['m1', 'site-demo', 'totals'], stranger);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ status: 401, code: 'no_token' });
  expect(stderr).toBe('m1: totals was answered 401: m1 login site-demo -username …\n');
});

test('the admin’s password is sent to no other machine, and for no other account', async () => {
  const seen: string[] = [];
  const listener = createServer((request, response) => {
    seen.push(request.url ?? '');
    response.writeHead(401).end();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  // This machine by a name that doesn't say so.
  const elsewhere = { CROWDBEAT_SERVER: `http://[::ffff:127.0.0.1]:${port}` };
  await run(['m1', 'site-demo', 'totals'], home, elsewhere);
  await run(['m1', 'site-acme', 'totals'], home, { CROWDBEAT_SERVER: `http://127.0.0.1:${port}` });
  listener.close();
  expect(seen).toEqual(['/totals?property=demo%2Fsite', '/totals?property=acme%2Fsite']);
});

test('a login is kept for its environment, with the rights of its user', async () => {
  const add = ['user/add', '-username', 'reader', '-password', 'a fine password', '-rights', '["get"]'];
  expect(await m1('site-demo', ...add)).toMatchObject({ code: 0, stdout: '', stderr: '' });
  const logIn = ['m1', 'login', 'site-demo', '-username', 'reader'];
  const wrong = await run(logIn, stranger, { CROWDBEAT_PASSWORD: 'a wrong password' });
  expect(wrong.stderr).toBe('crowdbeat: auth: the username or the password is wrong (401)\n');
  const right = await run(logIn, stranger, { CROWDBEAT_PASSWORD: 'a fine password' });
  expect(right.stdout).toBe(`site-demo: reader is logged in at ${url}\n`);
  expect((await run(['m1', 'site-demo', 'totals'], stranger, { CROWDBEAT_SERVER: '' })).code).toBe(0);
  const refused = await run(['m1', 'site-demo', 'user/list'], stranger);
  expect(refused).toMatchObject({ code: 1, stderr: 'm1: user/list was answered 403\n' });
  expect(JSON.parse(refused.stdout)).toMatchObject({ code: 'no_right' });
  const list = await run(['env', 'list'], stranger);
  expect(list.stdout).toBe(`site-demo ${url} demo/site\n`);
});

test('a password may come from standard input’s stead, a variable; without one nothing is asked', async () => {
  const words = ['m1', 'site-demo', 'user/password', '-username', 'reader'];
  expect((await run(words)).stderr).toContain('--password: needs a password');
  expect((await run(words, home, { CROWDBEAT_PASSWORD: 'another fine one' })).code).toBe(0);
  const auth = ['m1', 'site-demo', 'auth', '-username', 'reader', '-password'];
  expect((await run([...auth, 'a fine password'], stranger)).code).toBe(1);
  expect((await run([...auth, 'another fine one'], stranger)).stdout).toMatch(/^[\w-]{43}\.ZGVtbw\n$/);
});

test('env create makes a property with its stores, and again changes nothing', async () => {
  const create = ['env', 'create', 'shop-demo', 'eventsSessionStore.json'];
  const made = `property demo/shop at ${url}, with the session store stash\n`;
  expect((await run(create)).stdout).toBe(`shop-demo: made the ${made}`);
  expect((await run(create)).stdout).toBe(`shop-demo: there was already a ${made}`);
  expect(await json('shop-demo', 'session/list')).toMatchObject([{ name: 'stash' }]);
  expect(await json('site-demo', 'property/list')).toEqual(['shop', 'site']);
  expect(readFileSync(join(home.path, '.crowdbeat', 'environments.json'), 'utf8')).not.toContain('token');
});

test('m1 orchestrate addStores adds a store of one’s own file, with a key or without', async () => {
  const file = join(home.path, 'add.json');
  const stores = (store: string): void =>
    writeFileSync(file, JSON.stringify({ environment: { stores: [], sessionStores: [{ store }] } }));
  const add = (key: string) => m1('orchestrate', 'addStores', 'shop-demo', key, file);
  stores('cart');
  expect((await add('-')).stdout).toBe('shop-demo: demo/shop, with the session store cart\n');
  stores('late');
  expect((await add(`${'a'.repeat(43)}.ZGVtbw`)).stderr).toContain('session/add: ');
  expect(await json('shop-demo', 'session/list')).toMatchObject([{ name: 'cart' }, { name: 'stash' }]);
});

test('an environment of another account is not made with this account’s token', async () => {
  const admin = JSON.parse(readFileSync(join(home.path, '.crowdbeat', 'admin.json'), 'utf8'));
  const auth = ['auth', '--username', 'admin'];
  const token = (await run(auth, home, { CROWDBEAT_PASSWORD: admin.password })).stdout.trim();
  const create = ['env', 'create', 'blog-acme', 'events.json'];
  const { code, stderr } = await run(create, stranger, { CROWDBEAT_TOKEN: token });
  expect(stderr).toBe('crowdbeat: property/add: the token is of the account demo, not of acme\n');
  expect(code).toBe(1);
  expect(await json('site-demo', 'property/list')).not.toContain('blog');
  expect((await run(create, stranger)).stderr).toContain('property/add: a token is needed');
});

test('crowdbeat m1 is the same, and says in one sentence what can’t be done', async () => {
  const { code, stderr } = await new Program(['m1', 'nowhere', 'ping', '-a'], home.path).ended;
  expect(stderr).toBe('crowdbeat: m1 ping: -a: needs a value (see --help)\n');
  expect(code).toBe(1);
});

const refusals: readonly [string[], string][] = [
  [['m1', 'orchestrate', 'removeStores'], 'm1 orchestrate: knows addStores, got "removeStores"'],
  [['m1', 'orchestrate', 'addStores', 'e-a'], 'm1 orchestrate addStores: needs NAME KEY FILE, got 1 words'],
  [['m1', 'login', 'e-a', '-user', 'x'], 'm1 login: knows -username, -password, -server, -ttl, got -user'],
  [['m1', 'login', 'e-a'], 'm1 login: needs ENV -username u'],
  [['m1', 'nowhere', 'ping'], '"nowhere" is no known environment (site-demo)'],
  [['m1', 'e-a', 'ping'], '"e-a" is no known environment (site-demo)'],
  [['env', 'drop'], 'env: knows create, add-stores, list, got "drop"'],
  [['env', 'create', 'e-a'], 'env create: needs NAME FILE, got 1 words'],
  [
    ['env', 'create', 'ea', 'events.json'],
    'NAME: needs property-account, or --property account/property, got "ea"',
  ],
  [['env', 'create', 'e-a', 'missing.json'], 'missing.json: can’t be read: ENOENT'],
  [['env', 'add-stores', 'e-a', '-', 'events.json'], '"e-a" is no known environment'],
];

test.each(refusals)('%j is refused before anybody is asked', async ([command, ...words], message) => {
  const fresh = makeHome();
  process.env['CROWDBEAT_HOME'] = fresh.path;
  const [verb, ...args] = words;
  const asked = command === 'm1' ? m1Command(words) : environmentCommand({ verb, args });
  await expect(asked).rejects.toThrow(message);
  fresh.remove();
});
