import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestRedis } from '../server/store/redis.testing.ts';
import { resolveAccess } from './cli-serve-access.ts';
import { makeHome, Program } from './program.testing.ts';

let home: ReturnType<typeof makeHome>;
let server: Program | undefined;
let url = '';

beforeEach(() => {
  home = makeHome();
});
afterEach(async () => {
  server?.child.kill('SIGTERM');
  await server?.ended;
  server = undefined;
  home.remove();
});

async function serve(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<void> {
  server = new Program(['serve', '--port', '0', ...args], home.path, environment);
  url = (await server.says(/listening on (http:[^\s;]+)/))[1] ?? '';
}

const run = (args: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  new Program(args, home.path, { CROWDBEAT_SERVER: url, ...environment }).ended;

const status = async (path: string): Promise<number> => (await fetch(url + path)).status;

test('it is open on loopback with the embedded Redis only, unless somebody says otherwise', () => {
  expect(resolveAccess({}, '127.0.0.1', undefined)).toBe('open');
  expect(resolveAccess({}, '::1', undefined)).toBe('open');
  expect(resolveAccess({}, '0.0.0.0', undefined)).toBe('closed');
  expect(resolveAccess({}, '192.168.1.5', undefined)).toBe('closed');
  expect(resolveAccess({}, '127.0.0.1', 'redis://127.0.0.1')).toBe('closed');
  expect(resolveAccess({ closed: true }, '127.0.0.1', undefined)).toBe('closed');
  expect(resolveAccess({ open: true }, '0.0.0.0', 'redis://127.0.0.1')).toBe('open');
});

test('a fresh embedded start is open and says so, and leaves an admin whose password only the owner can read', async () => {
  await serve([]);
  expect(server?.stdout).toContain('OPEN: nobody is asked for a token');
  const [, path = ''] = await (server as Program).says(/its password is in (\S+)/);
  expect(path).toBe(join(home.path, '.crowdbeat', 'admin.json'));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const admin = JSON.parse(readFileSync(path, 'utf8')) as { password: string };
  expect(server?.stdout).not.toContain(admin.password);
  expect(await status('/totals')).toBe(200);
  const auth = await run(['auth', '--username', 'admin'], { CROWDBEAT_PASSWORD: admin.password });
  expect(auth).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[\w-]{43}\.ZGVtbw\n$/) });
}, 60_000);

test('a closed one is used by auth, user and cors, with no secret among the arguments', async () => {
  await serve(['--closed', '--workers', '2'], { CROWDBEAT_ADMIN_PASSWORD: 'a given password' });
  expect(server?.stdout).toContain('closed: a token or a publish key is needed');
  expect(readdirSync(join(home.path, '.crowdbeat'))).not.toContain('admin.json');
  for (let i = 0; i < 4; i++) expect(await status('/totals')).toBe(401);
  const auth = await run(['auth', '--username', 'admin'], { CROWDBEAT_PASSWORD: 'a given password' });
  const token = { CROWDBEAT_TOKEN: auth.stdout.trim() };
  const add = ['user', 'add', '--username', 'instrument', '--rights', '["publish"]'];
  expect(await run(add, { ...token, CROWDBEAT_PASSWORD: 'ChangeMeNow!' })).toMatchObject({
    code: 0,
    stdout: '',
  });
  const list = await run(['user', 'list'], token);
  expect(JSON.parse(list.stdout)).toContainEqual({ username: 'instrument', rights: ['publish'] });
  expect((await run(['cors', 'add', '--domains', 'shop.example'], token)).code).toBe(0);
  expect(await run(['cors', 'list'], token)).toMatchObject({ stdout: '["shop.example"]\n', stderr: '' });
  const refused = await run(['user', 'remove', '--username', 'admin'], token);
  expect(refused.stderr).toContain('user/remove: the account would be left without an admin (409)');
  expect((await run(['user', 'list'])).stderr).toContain('a token is needed');
}, 60_000);

test('another Redis has no admin until somebody makes the first one', async () => {
  const redis = await startTestRedis();
  await serve(['--redis', redis.socketPath]);
  expect(server?.stdout).toContain('nobody can log in yet');
  const secret = { CROWDBEAT_PASSWORD: 'the first password' };
  const first = ['user', 'add', '--first-admin', '--account', 'acme', '--redis', redis.socketPath];
  expect((await run(first, secret)).stdout).toContain('the account acme has the admin admin');
  expect((await run(first, secret)).stderr).toContain('the account acme has a user admin already');
  expect((await run(first, { CROWDBEAT_PASSWORD: 'short' })).stderr).toContain('password: needs 8 to 1024');
  const auth = await run(['auth', '--username', 'acme/admin'], secret);
  expect((await run(['user', 'list'], { CROWDBEAT_TOKEN: auth.stdout.trim() })).code).toBe(0);
  server?.child.kill('SIGTERM');
  await server?.ended;
  await redis.stop();
}, 60_000);

test.each<[string[], string]>([
  [['user', 'drop'], 'user: knows add, update, remove, get, list, password, got "drop"'],
  [['user', 'add', '--username', 'u', '--rights', '[]'], '--password: needs a password, or -'],
  [['user', 'add', '--rights', '[]'], '--username: is needed'],
  [['user', 'list', '--first-admin'], '--first-admin: goes with user add only'],
  [['user', 'list', '--server', 'nowhere'], '--server: needs http://host:port, got "nowhere"'],
  [['user', 'list', '--server', 'http://127.0.0.1:9'], 'http://127.0.0.1:9 does not answer'],
  [['cors', 'add'], '--domains: is needed'],
  [['auth'], '--username: is needed'],
])('%j is refused with one sentence', async (args, message) => {
  const { code, stderr } = await run(args, { CROWDBEAT_SERVER: 'http://127.0.0.1:9' });
  expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/^ {4}at /m);
  expect(code).toBe(1);
});
