/** Every command line of MinusOneDB's page on event capture, with a shell and curl, against a closed collector. */
import { spawn } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFirstAdmin } from '../server/access/first-admin.ts';
import { systemClock } from '../server/base/clock.ts';
import { writeTestDatabase } from '../server/ingest/enrich/geo.testing.ts';
import { startTestRedis, type TestRedis } from '../server/store/redis.testing.ts';
import { m1Program, makeHome, Program } from './program.testing.ts';

const password = 'a long enough password';
const scripts = fileURLToPath(new URL('.', import.meta.url));

const home = makeHome();
let redis: TestRedis;
let server: Program;
let url = '';
/** Of the admin of acme, whom the lines of curl are for; those of m1 are for shop-demo. */
let token = '';

const run = (args: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  new Program(args, home.path, { CROWDBEAT_PASSWORD: password, ...environment }).ended;

const m1 = (...words: string[]) =>
  new Program(words, home.path, { CROWDBEAT_PASSWORD: password }, m1Program).ended;

beforeAll(async () => {
  redis = await startTestRedis();
  const admin = { account: 'acme', username: 'admin', password };
  await makeFirstAdmin(redis.connection, systemClock, { ...admin, account: 'demo' });
  await makeFirstAdmin(redis.connection, systemClock, admin);
  const geo = join(home.path, 'geo.mmdb');
  const california = { country: { iso_code: 'US' }, subdivisions: [{ iso_code: 'CA' }] };
  writeTestDatabase(geo, 4, { '198.51.100.0/24': california });
  const serve = ['serve', '--port', '0', '--redis', redis.socketPath];
  server = new Program([...serve, '--geo-db', geo, '--trust-proxy', 'loopback'], home.path);
  url = (await server.says(/listening on (http:[^\s;]+).* closed/))[1] ?? '';
  const elsewhere = { CROWDBEAT_SERVER: url };
  token = (await run(['auth', '--username', 'acme/admin'], elsewhere)).stdout.trim();
  expect(await m1('login', 'shop-demo', '-username', 'admin', '-server', url)).toMatchObject({
    code: 0,
    stderr: '',
  });
  const create = await run(['env', 'create', 'shop-demo', 'events.json']);
  expect(create.stdout).toBe(`shop-demo: made the property demo/shop at ${url}\n`);
  const add = ['env', 'add-stores', 'site-acme', token, 'eventsSessionStore.json'];
  expect((await run(add, elsewhere)).stdout).toContain('acme/site, with the session store stash');
  const demo = (await run(['auth', '--username', 'admin'], elsewhere)).stdout.trim();
  await writeEvents(demo, 'demo/shop');
  await writeEvents(token, 'acme/site');
});

async function writeEvents(publisher: string, property: string): Promise<void> {
  const items = ['view', 'view', 'heartbeat', 'sessionTimeout'].map((type, index) => ({
    event: { type },
    visitor: { id: `v${index}` },
    session: { id: 's' },
  }));
  const reply = await fetch(`${url}/write?property=${property}`, {
    method: 'POST',
    headers: { 'm1-auth-token': publisher, 'x-forwarded-for': '198.51.100.7' },
    body: JSON.stringify({ items }),
  });
  expect(await reply.json()).toMatchObject({ accepted: items.length });
}

afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.ended;
  await redis.stop();
  home.remove();
});

interface SeedLine {
  readonly kind: string;
  readonly text: string;
}

const seedLines: readonly SeedLine[] = readFileSync(join(scripts, 'seed-lines.txt'), 'utf8')
  .split(/\n\n+/)
  .flatMap((block) => {
    const [, kind = '', text = ''] = /^# answers (\w+)\n([\s\S]+)$/.exec(block.trim()) ?? [];
    return text === '' ? [] : [{ kind, text }];
  });

interface Answered {
  readonly status: number;
  readonly text: string;
}

/** Runs it as it stands there, but for the host, the names and the token. A refusal of m1's counts as its status. */
async function answerTo({ text }: SeedLine): Promise<Answered> {
  const isCurl = text.startsWith('curl');
  const line = text
    .replaceAll('https://envName-accountName.minusonedb.com', url)
    .replaceAll('envName-accountName', 'shop-demo')
    .replaceAll('envKey', '-');
  const { stdout, stderr } = await shell(isCurl ? `${line} -sS -w '\\n%{http_code}'` : line);
  if (!isCurl)
    return { status: Number(/was answered (\d+)/.exec(stderr)?.[1] ?? 200), text: stdout + stderr };
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end)), text: stdout.slice(0, end) };
}

function shell(line: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { REDIS_URL: _ignored, ...inherited } = process.env;
  const child = spawn('sh', ['-c', line], {
    env: {
      ...inherited,
      PATH: `${scripts}:${inherited['PATH']}`,
      CROWDBEAT_HOME: home.path,
      adminToken: token,
      myToken: token,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', () => resolve({ stdout, stderr })));
}

interface Documents {
  readonly response: { readonly numFound: number; readonly docs: readonly Record<string, never>[] };
}

const checks: Readonly<Record<string, (text: string) => void>> = {
  nothing: (text) => expect(text).toBe(''),
  words: (text) => expect(text).toBe('shop-demo: demo/shop, with the session store stash\n'),
  events(text) {
    const { response } = JSON.parse(text) as Documents;
    expect(response).toMatchObject({ numFound: 4, start: 0 });
    const received = response.docs.map((document) => document['_m1']?.['receivedUTC'] as unknown as number);
    expect(received).toEqual([...received].sort((a, b) => b - a));
    expect(received).toHaveLength(4);
  },
  heartbeats(text) {
    const { response } = JSON.parse(text) as Documents;
    expect(response).toMatchObject({ numFound: 1, docs: [{ event: { type: 'heartbeat' } }] });
  },
  departures(text) {
    const { response } = JSON.parse(text) as Documents;
    expect(response).toMatchObject({ numFound: 1, docs: [{ event: { type: 'sessionTimeout' } }] });
  },
  states(text) {
    const { facets } = JSON.parse(text) as { facets: unknown };
    expect(facets).toEqual({ count: 4, by_state: { buckets: [{ val: 'CA', count: 4 }] } });
  },
  sessions(text) {
    const times = { receivedUTC: expect.any(Number), session: { lastUpdated: expect.any(Number) } };
    const item = { session: { id: 's' }, event: { type: 'heartbeat' }, _m1: times };
    expect(JSON.parse(text)).toMatchObject({ count: 1, items: [item] });
  },
};

/** In both properties; the second time it is the same session. */
async function sendHeartbeat(): Promise<void> {
  const ops = [{ upsert: [{ event: { type: 'heartbeat' }, session: { id: 's' }, visitor: { id: 'v' } }] }];
  const update = ['session/update', '-store', 'stash', '-ops', JSON.stringify(ops)];
  expect((await m1('shop-demo', ...update)).code).toBe(0);
  const body = JSON.stringify({ store: 'stash', ops });
  await fetch(`${url}/session/update`, { method: 'POST', headers: { 'm1-auth-token': token }, body });
}

test('the fixture has every line of the page: 15 of m1 and 12 of curl', () => {
  const of = (word: string): number => seedLines.filter(({ text }) => text.startsWith(`${word} `)).length;
  expect([of('m1'), of('curl')]).toEqual([15, 12]);
  for (const { kind } of seedLines) expect(Object.keys(checks)).toContain(kind);
});

// In the order of the page: later lines need what earlier ones made.
test.each(seedLines.map((line, index) => [index + 1, line.text.split('\n', 1)[0], line] as const))(
  'line %i: %s',
  async (_number, _text, line) => {
    if (line.kind === 'sessions') await sendHeartbeat();
    const { status, text } = await answerTo(line);
    expect(status, text).toBeGreaterThanOrEqual(200);
    expect(status, text).toBeLessThan(300);
    checks[line.kind]?.(text);
  },
);

test('afterwards the users have the rights of the page, and no more', async () => {
  const list = await m1('shop-demo', 'user/list');
  expect(JSON.parse(list.stdout)).toEqual([
    { username: 'admin', rights: ['admin'] },
    { username: 'flush', rights: ['publish', 'sessionUpdate', 'sessionQuery'] },
    { username: 'instrument', rights: ['publish', 'sessionUpdate'] },
  ]);
  const auth = ['shop-demo', 'auth', '-username', 'instrument', '-password', 'ChangeMeNow!'];
  const instrument = { 'm1-auth-token': (await m1(...auth)).stdout.trim() };
  const question = `${url}/session/query?store=stash&property=demo/shop`;
  expect((await fetch(question, { headers: instrument })).status).toBe(403);
  const cors = await m1('shop-demo', 'system/cors/list');
  expect(JSON.parse(cors.stdout)).toEqual(['localhost.somethingunique', 'minusonedb.com']);
});

test('the flusher of the page runs with its config and its user, and says that there is nothing to flush', async () => {
  const config = join(home.path, 'config.json');
  writeFileSync(
    config,
    JSON.stringify({
      server: url,
      session: 'stash',
      username: 'flush',
      password: 'change this password',
      timeoutSeconds: 3600,
      property: 'demo/shop',
    }),
  );
  const flush = new Program(['flush', config], home.path);
  await flush.says(/^nothing to flush$/m);
  flush.child.kill('SIGTERM');
  expect((await flush.ended).code).toBe(0);
});

test('what m1 keeps of a login can be read by its owner alone', () => {
  expect(statSync(join(home.path, '.crowdbeat', 'environments.json')).mode & 0o777).toBe(0o600);
});
