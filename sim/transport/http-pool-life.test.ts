import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { ManualClock } from '../../server/base/clock.ts';
import { exchanges, poolTo, serve, settled } from './http-pool.testing.ts';
import { postText, replyText, until } from './raw-server.testing.ts';

test('a body without a length lasts until the target closes', async () => {
  const server = await serve((socket) =>
    socket.write('HTTP/1.1 200 OK\r\n\r\nfirst ', () => socket.end('second')),
  );
  const pool = poolTo(server.url);
  pool.send(1, postText('x'));
  await settled(1);
  expect(exchanges.replies).toMatchObject([{ status: 200, body: 'first second' }]);
  expect(pool.open).toBe(0);
});

test('a large body in many pieces arrives whole', async () => {
  const body = 'abcdefghij'.repeat(100_000);
  const server = await serve((socket) => socket.write(replyText(body)));
  const pool = poolTo(server.url);
  for (const token of [1, 2]) pool.send(token, postText('x'));
  await settled(2);
  expect(exchanges.replies.map((reply) => reply.body === body)).toEqual([true, true]);
  expect(server.connections).toHaveLength(1);
});

test('Retry-After is read as seconds or as a date, and -1 stands for none or nonsense', async () => {
  const clock = new ManualClock(Date.UTC(2026, 10, 21, 12, 0, 0));
  const values = ['7', 'Sat, 21 Nov 2026 12:00:30 GMT', 'Sat, 21 Nov 2026 11:00:00 GMT', 'soon', '-5'];
  const server = await serve((socket, number) =>
    socket.write(`HTTP/1.1 503 Busy\r\nretry-after: ${values[number - 1]}\r\ncontent-length: 0\r\n\r\n`),
  );
  const pool = poolTo(server.url, { clock });
  for (let token = 1; token <= values.length; token += 1) pool.send(token, postText('x'));
  await settled(values.length);
  expect(exchanges.replies.map((reply) => reply.retryAfterMs)).toEqual([7000, 30_000, 0, -1, -1]);
});

test('what one reply says about itself is not taken over by the next', async () => {
  const texts = [
    'HTTP/1.0 503 Busy\r\nconnection: keep-alive\r\nretry-after: 9\r\ncontent-length: 1\r\n\r\nx',
    'HTTP/1.0 200 OK\r\n\r\nuntil closed',
  ];
  const server = await serve((socket, number) => {
    socket.write(texts[number - 1] ?? replyText('third'));
    if (number === 2) socket.end();
  });
  const pool = poolTo(server.url);
  for (const token of [1, 2, 3]) pool.send(token, postText('x'));
  await settled(3);
  expect(exchanges.replies).toEqual([
    { token: 1, status: 503, retryAfterMs: 9000, body: 'x' },
    { token: 2, status: 200, retryAfterMs: -1, body: 'until closed' },
    { token: 3, status: 200, retryAfterMs: -1, body: 'third' },
  ]);
  expect(server.connections).toHaveLength(2);
});

test('HTTP/1.0 that keeps alive once need not keep alive again', async () => {
  const texts = ['connection: keep-alive\r\n', ''];
  const server = await serve((socket, number) =>
    socket.write(`HTTP/1.0 200 OK\r\n${texts[(number - 1) % 2]}content-length: 1\r\n\r\nx`),
  );
  const pool = poolTo(server.url);
  for (const token of [1, 2, 3, 4]) pool.send(token, postText('x'));
  await settled(4);
  expect(server.connections).toHaveLength(2);
});

test('a target that closes after every second reply is answered with new connections and no failure', async () => {
  const server = await serve((socket, number) => {
    if (number % 2 === 0) socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    else socket.write(replyText('ok'));
  });
  const pool = poolTo(server.url);
  for (let token = 1; token <= 10; token += 1) pool.send(token, postText('x'));
  await settled(10);
  expect(exchanges.failures).toEqual([]);
  expect(server.connections).toHaveLength(5);
});

test('an idle connection that the target closes is forgotten and another opened when needed', async () => {
  const server = await serve((socket) => socket.write(replyText('ok')));
  const pool = poolTo(server.url);
  pool.send(1, postText('x'));
  await settled(1);
  server.connections[0]?.end();
  await until('the pool noticed', () => pool.open === 0);
  expect(pool.idle).toBe(0);
  pool.send(2, postText('y'));
  await settled(2);
  expect(exchanges.failures).toEqual([]);
  expect(server.connections).toHaveLength(2);
});

test('a request into a connection that was closed while idle fails as reset, maybe delivered', async () => {
  const server = await serve((socket) => socket.write(replyText('ok')));
  const pool = poolTo(server.url);
  pool.send(1, postText('x'));
  await settled(1);
  // Sent in the same turn in which the target closes: the pool cannot know yet.
  server.connections[0]?.resetAndDestroy();
  pool.send(2, postText('y'));
  await settled(2);
  expect(exchanges.failures).toMatchObject([{ token: 2, kind: 'reset', maybeDelivered: true }]);
});

test('bytes that nobody asked for cost an idle connection, not the next request', async () => {
  const server = await serve((socket) => socket.write(replyText('ok')));
  const pool = poolTo(server.url);
  pool.send(1, postText('x'));
  await settled(1);
  server.connections[0]?.write(replyText('unsolicited'));
  await until('the pool noticed', () => pool.open === 0);
  pool.send(2, postText('y'));
  await settled(2);
  expect(exchanges.replies.map((reply) => reply.body)).toEqual(['ok', 'ok']);
});

test('a reply that comes before the request has left ends the connection', async () => {
  const server = await serve(() => undefined);
  const pool = poolTo(server.url);
  pool.send(1, postText('x'.repeat(16_000_000)));
  await until('connected', () => server.connections.length === 1);
  server.connections[0]?.pause();
  server.connections[0]?.write(replyText('too much', 'HTTP/1.1 413 Content Too Large'));
  await settled(1);
  expect(exchanges.replies).toMatchObject([{ token: 1, status: 413 }]);
  expect(pool.open).toBe(0);
});

test('a waiting request can be withdrawn, one that was sent cannot', async () => {
  const held: (() => void)[] = [];
  const server = await serve((socket) => held.push(() => socket.write(replyText('ok'))));
  const pool = poolTo(server.url);
  for (const token of [1, 2, 3]) pool.send(token, postText(`body ${token}`));
  await until('the first is in flight', () => held.length === 1);
  expect([pool.withdraw(1), pool.withdraw(2), pool.withdraw(2)]).toEqual([false, true, false]);
  expect(pool.waiting).toBe(1);
  held[0]?.();
  await until('the third is in flight', () => held.length === 2);
  held[1]?.();
  await settled(2);
  expect(server.requests).toEqual([postText('body 1'), postText('body 3')]);
  expect(exchanges.replies.map((reply) => reply.token)).toEqual([1, 3]);
});

test('close fails what is in flight and what waits, at once', async () => {
  const server = await serve(() => undefined);
  const pool = poolTo(server.url);
  for (const token of [1, 2]) pool.send(token, postText('x'));
  await until('one is in flight', () => pool.inFlight === 1);
  pool.close();
  expect(exchanges.failures).toMatchObject([
    { token: 1, kind: 'closed_early', maybeDelivered: true },
    { token: 2, kind: 'closed_early', maybeDelivered: false },
  ]);
  expect([pool.open, pool.idle, pool.inFlight, pool.waiting]).toEqual([0, 0, 0, 0]);
});

test('a request sent to a closed pool fails, but not within send', async () => {
  const pool = poolTo(new URL('http://127.0.0.1:1'));
  pool.close();
  pool.send(1, postText('x'));
  expect(exchanges.settled).toBe(0);
  await settled(1);
  expect(exchanges.failures).toMatchObject([{ token: 1, kind: 'closed_early', maybeDelivered: false }]);
});

test('ten thousand requests in a closed loop all come back, each once', async () => {
  const server = await serve((socket, _number, request) => socket.write(replyText(request.slice(-6))));
  const pool = poolTo(server.url, { connections: 16 });
  let next = 0;
  const sendNext = (): void => {
    next += 1;
    if (next <= 10_000) pool.send(next, postText(String(next).padStart(6, '0')));
  };
  exchanges.afterReply = sendNext;
  for (let at = 0; at < 40; at += 1) sendNext();
  await settled(10_000);
  expect(exchanges.failures).toEqual([]);
  expect(exchanges.replies.every((reply) => Number(reply.body) === reply.token)).toBe(true);
  expect(new Set(exchanges.replies.map((reply) => reply.token)).size).toBe(10_000);
  expect(server.connections.length).toBeLessThanOrEqual(16);
});

test('an address that is neither http nor https is refused by name', () => {
  expect(() => poolTo(new URL('ftp://127.0.0.1/'))).toThrow(
    'target: needs an http: or https: address, got "ftp://127.0.0.1/"',
  );
});

// Without prlimit (util-linux) a process can't be short of descriptors for the length of a test.
const canLimit = spawnSync('prlimit', ['--version']).status === 0;

// prlimit (util-linux) takes the descriptors away; a system without it has no such test.
test.skipIf(!canLimit)('a machine out of descriptors is told from a target that is away', async () => {
  const server = await serve((socket) => socket.write(replyText('ok')));
  const pool = poolTo(server.url);
  // A shell takes the descriptors away and gives them back, as this process can't start one in between.
  const limit = `prlimit --pid ${process.pid} --nofile`;
  const script = `old=$(${limit} --raw --noheadings -o SOFT); ${limit}=3: && echo taken; read go; ${limit}=$old:; echo back`;
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  expect(String(await once(shell.stdout, 'data'))).toBe('taken\n');
  pool.send(1, postText('x'));
  await settled(1);
  shell.stdin.write('go\n');
  expect(String(await once(shell.stdout, 'data'))).toBe('back\n');
  expect(exchanges.failures).toMatchObject([{ token: 1, kind: 'no_descriptors', maybeDelivered: false }]);
  pool.send(2, postText('y'));
  await settled(2);
  expect(exchanges.replies).toMatchObject([{ token: 2, status: 200 }]);
});
