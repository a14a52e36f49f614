import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ended, makeHome, Program, until } from './program.testing.ts';

const password = 'a given password';
const secret = { CROWDBEAT_PASSWORD: password };

let home: ReturnType<typeof makeHome>;
let crowdHome: ReturnType<typeof makeHome>;
let server: Program;
let url = '';
let token = '';

beforeAll(async () => {
  home = makeHome();
  crowdHome = makeHome();
  server = new Program(['serve', '--port', '0', '--closed'], home.path, {
    CROWDBEAT_ADMIN_PASSWORD: password,
  });
  url = (await server.says(/listening on (http:[^\s;]+)/))[1] ?? '';
  token = await ask('/auth', { username: 'admin', password });
});
afterAll(async () => {
  server?.child.kill('SIGTERM');
  await server?.ended;
  home?.remove();
  crowdHome?.remove();
});

async function ask(path: string, form: Record<string, string>): Promise<string> {
  const headers = token === '' ? {} : { 'm1-auth-token': token };
  const reply = await fetch(url + path, { method: 'POST', headers, body: new URLSearchParams(form) });
  expect(reply.ok, path).toBe(true);
  return reply.text();
}

async function sessions(): Promise<number> {
  const reply = await fetch(`${url}/totals`, { headers: { 'm1-auth-token': token } });
  return ((await reply.json()) as { sessions: number }).sessions;
}

const sim = (args: readonly string[], environment: NodeJS.ProcessEnv = {}, duration = '2s'): Program =>
  new Program(
    ['sim', '20', '--duration', duration, '--heartbeat', '300ms', '--target', url, ...args],
    crowdHome.path,
    environment,
  );

/** Everything that the run said and left behind. */
function everythingOf({ stdout, stderr }: Ended): string {
  const files = readdirSync(crowdHome.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'config.json')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  return [stdout, stderr, ...files].join('\n');
}

test('a crowd logs in at a closed collector by its config file, beats into the stash, and its audit holds', async () => {
  const config = join(crowdHome.path, 'config.json');
  const seed = { server: url, session: 'stash', username: 'admin', password };
  writeFileSync(config, JSON.stringify(seed));
  const args = [
    'sim',
    config,
    '20',
    '--duration',
    '2s',
    '--heartbeat',
    '300ms',
    '--json',
    join(crowdHome.path, 'out.json'),
  ];
  const ended = await new Program(args, crowdHome.path).ended;
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toMatch(/heartbeats of \d+ sessions to the session store stash; as admin\n/);
  const { sentTo, audit } = JSON.parse(readFileSync(join(crowdHome.path, 'out.json'), 'utf8'));
  expect([sentTo.as, audit.ok]).toEqual(['admin', true]);
  expect(everythingOf(ended)).not.toContain(password);
});

test('a token that dies in the middle of a run is replaced, and no event is lost', async () => {
  const run = sim(['--username', 'admin', '--session', 'stash'], secret, '6s');
  const before = await sessions();
  let now = before;
  const looks = setInterval(() => void sessions().then((count) => (now = count)), 50);
  await until('everybody to arrive', () => now >= before + 20).finally(() => clearInterval(looks));
  // A password that is set, to the same one too, ends all tokens of its user.
  await ask('/user/password', { password });
  const ended = await run.ended;
  token = await ask('/auth', { username: 'admin', password });
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toMatch(/repeated: .*http 401/);
  expect(ended.stdout).toMatch(/Audit {6}ok: /);
});

test('a wrong password, and none at all, are one sentence before the first visitor', async () => {
  const wrong = await sim(['--username', 'admin'], { CROWDBEAT_PASSWORD: 'gu3ssed' }).ended;
  expect(wrong).toMatchObject({ code: 1 });
  expect(wrong.stderr).toMatch(/^crowdbeat: login of "admin" at http:\S+: 401: [^\n]*\n$/);
  expect(wrong.stdout).not.toContain('present');
  expect(everythingOf(wrong)).not.toContain('gu3ssed');
  const none = await sim([]).ended;
  expect(none.stderr).toMatch(/GET \/totals answered 401: .*; log in with --username\n$/);
  const unsaid = await sim(['--username', 'admin']).ended;
  expect(unsaid.stderr).toMatch(/--username: needs a password too/);
  const shown = await sim(['--username', 'admin', '--password', 'gu3ssed']).ended;
  expect([shown.code, everythingOf(shown).includes('gu3ssed')]).toEqual([1, false]);
});

test('a user without the right to update sessions is told so before the first visitor', async () => {
  await ask('/user/add', { username: 'half', password: 'half a password', rights: '["publish","get"]' });
  const file = join(crowdHome.path, 'config.json');
  writeFileSync(file, 'half a password\n');
  const access = ['--user', 'half', '--password-file', file];
  const refused = await sim([...access, '--session', 'stash']).ended;
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/POST \/session\/update answered 403: .*sessionUpdate/);
  const allowed = await sim(access).ended;
  expect(allowed).toMatchObject({ code: 0, stderr: '' });
});

test('a publish key lets a crowd write and ask nothing', async () => {
  const { key } = JSON.parse(await ask('/property/key', { property: 'demo/site' })) as { key: string };
  const audited = await sim(['--key', key]).ended;
  expect(audited.stderr).toMatch(/--key: a publish key answers no questions/);
  const ended = await sim(['--key', key, '--no-audit']).ended;
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toMatch(/events to \/write; as publish key\n/);
  expect(ended.stdout).toMatch(/\nall +(\d[\d,]*) +\1 +0 /);
  expect(everythingOf(ended)).not.toContain(key);
  const wrong = await sim(['--key', 'pk_wrong', '--no-audit']).ended;
  expect(wrong.stderr).toMatch(/POST \/write answered 401: /);
});
