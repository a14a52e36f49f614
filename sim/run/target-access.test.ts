import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { TargetAccess } from './target-access.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** Hands out `t1`, `t2` …, and remembers what it was asked. */
async function startDoor(answer: (login: number) => { status: number; text: string }) {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push(`${request.url} ${Buffer.concat(chunks)}`);
      const { status, text } = answer(asked.length);
      response.writeHead(status).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => server.closeAllConnections());
  opened.push(() => server.close());
  return { asked, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`) };
}

const tokens = (login: number) => ({ status: 200, text: `t${login}\n` });
const user = { username: 'ann', password: 's e&cret' };

async function open(url: URL, ttlMs?: number): Promise<TargetAccess> {
  const access = await TargetAccess.open({ ...user, url, ttlMs });
  opened.push(() => access.close());
  return access;
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = systemClock.monotonicMs() + 20_000;
  while (!condition()) {
    if (systemClock.monotonicMs() > endMs) throw new Error('waited 20 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('without a user nobody logs in; a key is kept', async () => {
  const door = await startDoor(tokens);
  const access = await TargetAccess.open({ url: door.url, key: 'pk_1' });
  await access.renew('none');
  expect([access.token, access.key, door.asked]).toEqual([undefined, 'pk_1', []]);
});

test('logs in with name, password and the token’s life, and renews before half of it is over', async () => {
  const door = await startDoor(tokens);
  const access = await open(door.url, 100);
  expect(access.token).toBe('t1');
  const told: string[] = [];
  access.onToken = (token) => told.push(token);
  await until(() => told.length >= 2);
  expect(told.slice(0, 2)).toEqual(['t2', 't3']);
  expect(door.asked[0]).toBe('/prefix/auth username=ann&password=s+e%26cret&ttl=100');
});

test('a refused token is renewed once, however many ask; who comes with an older one is told today’s', async () => {
  const door = await startDoor(tokens);
  const access = await open(door.url);
  await Promise.all([access.renew('t1'), access.renew('t1'), access.renew('t1')]);
  expect([access.token, door.asked.length]).toEqual(['t2', 2]);
  const told: string[] = [];
  access.onToken = (token) => told.push(token);
  await access.renew('t1');
  expect([told, door.asked.length]).toEqual([['t2'], 2]);
});

test('a wrong password is one sentence without it', async () => {
  const door = await startDoor(() => ({ status: 401, text: '{"status":401,"message":"wrong password"}' }));
  await expect(open(door.url)).rejects.toMatchObject({
    code: 'CB_REFUSED',
    message: `login of "ann" at ${door.url.href}: 401: wrong password`,
  });
});

test('an answer that is no token is not believed, and not repeated', async () => {
  const door = await startDoor(() => ({ status: 200, text: '<h1>hello s e&cret</h1>\n<p>' }));
  await expect(open(door.url)).rejects.toMatchObject({
    message: `login of "ann" at ${door.url.href}: its answer is no token`,
  });
});

test('a login that is refused during a run is said once and not tried again', async () => {
  const door = await startDoor((login) => (login === 1 ? tokens(1) : { status: 401, text: 'gone' }));
  const access = await open(door.url);
  const told: string[] = [];
  access.onRefused = (why) => told.push(why);
  for (let time = 0; time < 3; time++) await access.renew('t1');
  expect(told).toEqual([`login of "ann" at ${door.url.href}: 401 gone`]);
  expect(door.asked.length).toBe(2);
});

test('a login that fails for now is tried again by itself', async () => {
  const door = await startDoor((login) => (login === 2 ? { status: 503, text: 'busy' } : tokens(login)));
  const access = await open(door.url);
  await access.renew('t1');
  expect(access.token).toBe('t1');
  await until(() => access.token === 't3');
});
