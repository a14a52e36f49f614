import { expect, test } from 'vitest';
import { ManualClock } from '../../server/base/clock.ts';
import { exchanges, poolTo, serve, settled, threeSweeps } from './http-pool.testing.ts';
import { closedPort, postText, replyText, until } from './raw-server.testing.ts';

test('requests one after the other share one connection, which is opened with the first', async () => {
  const server = await serve((socket, number) => socket.write(replyText(`{"n":${number}}`)));
  const pool = poolTo(server.url, { connections: 10 });
  expect(pool.open).toBe(0);
  for (let token = 1; token <= 3; token += 1) {
    pool.send(token, postText(`body ${token}`));
    await settled(token);
  }
  expect(exchanges.replies).toEqual([
    { token: 1, status: 200, retryAfterMs: -1, body: '{"n":1}' },
    { token: 2, status: 200, retryAfterMs: -1, body: '{"n":2}' },
    { token: 3, status: 200, retryAfterMs: -1, body: '{"n":3}' },
  ]);
  expect(server.connections).toHaveLength(1);
  expect(server.requests).toEqual([postText('body 1'), postText('body 2'), postText('body 3')]);
  expect([pool.open, pool.idle, pool.inFlight, pool.waiting]).toEqual([1, 1, 0, 0]);
});

test('no more connections are opened than allowed, one request is in flight on each, and the rest go in order', async () => {
  const held: (() => void)[] = [];
  const server = await serve((socket, number) => held.push(() => socket.write(replyText(String(number)))));
  const pool = poolTo(server.url, { connections: 2 });
  for (let token = 1; token <= 5; token += 1) pool.send(token, postText(`body ${token}`));
  await until('two requests arrived', () => held.length === 2);
  await threeSweeps();
  expect(held).toHaveLength(2);
  expect([pool.open, pool.inFlight, pool.waiting]).toEqual([2, 2, 3]);
  for (let done = 0; done < 5; done += 1) {
    await until(`request ${done + 1} arrived`, () => held.length > done);
    held[done]?.();
    await settled(done + 1);
  }
  expect(exchanges.sent).toEqual([1, 2, 3, 4, 5]);
  expect(server.connections).toHaveLength(2);
});

test('a request sent from inside a reply goes behind those that already wait', async () => {
  const server = await serve((socket) => socket.write(replyText('ok')));
  const pool = poolTo(server.url);
  exchanges.afterReply = (token) => token === 1 && pool.send(9, postText('late'));
  for (const token of [1, 2, 3]) pool.send(token, postText('x'));
  await settled(4);
  expect(exchanges.sent).toEqual([1, 2, 3, 9]);
});

test('a connection refused fails the oldest request, surely not delivered, and leaves the others waiting', async () => {
  const clock = new ManualClock(0);
  const port = await closedPort();
  const pool = poolTo(new URL(`http://127.0.0.1:${port}`), { clock });
  for (const token of [1, 2, 3]) pool.send(token, postText(`body ${token}`));
  await settled(1);
  await threeSweeps();
  expect(exchanges.failures).toEqual([
    {
      token: 1,
      kind: 'refused',
      maybeDelivered: false,
      message: expect.stringContaining(`connect to 127.0.0.1:${port}`),
    },
  ]);
  expect([pool.waiting, pool.connectsFailed, pool.open]).toEqual([2, 1, 0]);
  clock.advanceMs(60);
  await settled(2);
  expect(exchanges.failures[1]).toMatchObject({ token: 2, kind: 'refused' });
});

test('requests that waited through an outage are sent once the target is back', async () => {
  const clock = new ManualClock(0);
  const port = await closedPort();
  const pool = poolTo(new URL(`http://127.0.0.1:${port}`), { clock, connections: 4 });
  for (let token = 1; token <= 8; token += 1) pool.send(token, postText(`body ${token}`));
  await settled(4);
  const server = await serve((socket) => socket.write(replyText('ok')), port);
  clock.advanceMs(2000);
  await settled(8);
  expect(exchanges.replies.map((reply) => reply.token)).toEqual([5, 6, 7, 8]);
  expect(server.requests).toHaveLength(4);
});

test('a reply ends the outage: the next one begins with the shortest delay again', async () => {
  const clock = new ManualClock(0);
  const port = await closedPort();
  const pool = poolTo(new URL(`http://127.0.0.1:${port}`), { clock, requestTimeoutMs: 1e9 });
  for (let token = 1; token <= 9; token += 1) pool.send(token, postText('x'));
  for (let failed = 1; failed <= 7; failed += 1) {
    await until(`connect ${failed} failed`, () => pool.connectsFailed === failed);
    if (failed < 7) clock.advanceMs(2000);
  }
  const server = await serve((socket) => socket.write(replyText('ok')), port);
  clock.advanceMs(2000);
  await settled(9);
  await server.close();
  await until('the pool noticed', () => pool.open === 0);
  const before = pool.connectsFailed;
  for (const token of [10, 11]) pool.send(token, postText('x'));
  await until('the target was tried', () => pool.connectsFailed === before + 1);
  clock.advanceMs(60);
  await until('it was tried again', () => pool.connectsFailed === before + 2);
});

test('a connect that fails beside an open connection fails no request', async () => {
  let answer: (() => void) | undefined;
  const server = await serve((socket, number) => {
    if (number > 1) socket.write(replyText('second'));
    else answer = () => socket.write(replyText('first'));
  });
  const pool = poolTo(server.url, { connections: 2 });
  pool.send(1, postText('x'));
  await until('the first is in flight', () => answer !== undefined);
  server.stopListening();
  pool.send(2, postText('y'));
  await until('a connect failed', () => pool.connectsFailed > 0);
  expect(pool.lastConnectFailure).toMatchObject({ kind: 'refused' });
  expect([exchanges.settled, pool.waiting]).toEqual([0, 1]);
  answer?.();
  await settled(2);
  expect(exchanges.replies.map((reply) => reply.body)).toEqual(['first', 'second']);
});

test('a dead target is tried with one connection at a time, less and less often', async () => {
  const clock = new ManualClock(0);
  const pool = poolTo(new URL(`http://127.0.0.1:${await closedPort()}`), {
    clock,
    connections: 8,
    requestTimeoutMs: 1e9,
  });
  for (let token = 1; token <= 50; token += 1) pool.send(token, postText('x'));
  await settled(8);
  let tries = 8;
  for (const delayMs of [50, 100, 200, 400, 800, 1600, 2000, 2000]) {
    clock.advanceMs(delayMs / 2 - 1);
    await threeSweeps();
    expect(pool.connectsFailed).toBe(tries);
    clock.advanceMs(delayMs / 2 + 1);
    tries += 1;
    await until(`connect ${tries} failed`, () => pool.connectsFailed === tries);
  }
  expect(exchanges.failures).toHaveLength(tries);
});

test('nobody waits for a dead target longer than a request may take', async () => {
  const clock = new ManualClock(0);
  const pool = poolTo(new URL(`http://127.0.0.1:${await closedPort()}`), { clock, requestTimeoutMs: 3000 });
  for (let token = 1; token <= 20; token += 1) pool.send(token, postText('x'));
  await settled(1);
  clock.advanceMs(3000);
  await settled(20);
  expect(exchanges.failures.every((failure) => failure.kind === 'refused' && !failure.maybeDelivered)).toBe(
    true,
  );
  expect(pool.connectsFailed).toBe(2);
});

test('a target that accepts and closes without a reply is not hammered either', async () => {
  const clock = new ManualClock(0);
  const server = await serve((socket) => socket.destroy());
  const pool = poolTo(server.url, { clock });
  exchanges.afterFailure = (token) => pool.send(token, postText('again'));
  pool.send(1, postText('x'));
  await settled(1);
  await threeSweeps();
  expect(server.connections).toHaveLength(1);
  clock.advanceMs(60);
  await settled(2);
  expect(server.connections).toHaveLength(2);
});

test('no reply in time fails as timeout, and a late reply is not taken for that of the next request', async () => {
  const clock = new ManualClock(0);
  const late: (() => void)[] = [];
  const server = await serve((socket, number) => {
    if (number === 1) late.push(() => socket.write(replyText('late')));
    else socket.write(replyText('in time'));
  });
  const pool = poolTo(server.url, { clock, requestTimeoutMs: 700 });
  pool.send(1, postText('x'));
  await until('the request arrived', () => late.length === 1);
  clock.advanceMs(699);
  await threeSweeps();
  expect(exchanges.settled).toBe(0);
  clock.advanceMs(1);
  await settled(1);
  expect(exchanges.failures[0]).toMatchObject({ token: 1, kind: 'timeout', maybeDelivered: true });
  pool.send(2, postText('y'));
  late[0]?.();
  await settled(2);
  expect(exchanges.replies).toMatchObject([{ token: 2, body: 'in time' }]);
  expect(server.connections).toHaveLength(2);
});

const brokenReplies: [what: string, text: string, kind: string][] = [
  ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'garbage'],
  ['another version', 'HTTP/2.0 200 OK\r\n\r\n', 'garbage'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'garbage'],
  ['a header without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n', 'garbage'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\nlength : 5\r\n\r\n', 'garbage'],
  ['a folded header', 'HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n', 'garbage'],
  ['lines that end with LF alone', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n', 'garbage'],
  ['lengths that differ', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nContent-Length: 3\r\n\r\nab', 'garbage'],
  [
    'a length and chunks',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'garbage',
  ],
  ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n', 'garbage'],
  ['an unknown transfer-encoding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n', 'garbage'],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', 'garbage'],
  [
    'a chunk size that is no number',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n',
    'garbage',
  ],
  [
    'a chunk longer than its size',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabc\r\n',
    'garbage',
  ],
  ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 'garbage'],
  ['a head over 64 KiB', `HTTP/1.1 200 OK\r\na: ${'x'.repeat(70_000)}\r\n`, 'too_large'],
  ['a length over 1 MiB', 'HTTP/1.1 200 OK\r\ncontent-length: 1048577\r\n\r\n', 'too_large'],
  [
    'a length beyond all numbers',
    `HTTP/1.1 200 OK\r\ncontent-length: ${'9'.repeat(40)}\r\n\r\n`,
    'too_large',
  ],
  ['a chunk over 1 MiB', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n100001\r\n', 'too_large'],
  ['an endless body', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1_048_577)}`, 'too_large'],
];

test.each(brokenReplies)(
  '%s fails, maybe delivered, and the connection is not used again',
  async (_what, text, kind) => {
    const server = await serve((socket, number) => socket.write(number === 1 ? text : replyText('fine')));
    const pool = poolTo(server.url);
    exchanges.afterFailure = () => pool.send(2, postText('y'));
    pool.send(1, postText('x'));
    await settled(1);
    expect(exchanges.failures).toMatchObject([{ token: 1, kind, maybeDelivered: true }]);
    await settled(2);
    expect(exchanges.replies).toMatchObject([{ token: 2, body: 'fine' }]);
    expect(server.connections).toHaveLength(2);
  },
);

const cuts: [what: string, before: string, how: 'end' | 'resetAndDestroy', kind: string][] = [
  ['closed before the first byte', '', 'end', 'reset'],
  ['reset before the first byte', '', 'resetAndDestroy', 'reset'],
  ['closed within the head', 'HTTP/1.1 200 OK\r\ncont', 'end', 'closed_early'],
  ['closed within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', 'end', 'closed_early'],
  [
    'closed within the chunks',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    'end',
    'closed_early',
  ],
  ['closed behind an interim reply', 'HTTP/1.1 100 Continue\r\n\r\n', 'end', 'closed_early'],
];

test.each(cuts)('a connection %s: what the failure says', async (_what, before, how, kind) => {
  const server = await serve((socket) => {
    if (before === '') socket[how]();
    else socket.write(before, () => socket[how]());
  });
  poolTo(server.url).send(1, postText('x'));
  await settled(1);
  expect(exchanges.failures).toMatchObject([{ token: 1, kind, maybeDelivered: true }]);
});

test('a connection reset within a reply fails as closed_early', async () => {
  let reset: (() => void) | undefined;
  const server = await serve((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf');
    reset = () => socket.resetAndDestroy();
  });
  const pool = poolTo(server.url);
  pool.send(1, postText('x'));
  await until('the first half is out', () => reset !== undefined);
  await threeSweeps();
  reset?.();
  await settled(1);
  expect(exchanges.failures).toMatchObject([{ kind: 'closed_early', maybeDelivered: true }]);
});

const goodReplies: [what: string, text: string, status: number, body: string, reused: boolean][] = [
  ['a content-length', 'HTTP/1.1 200 OK\r\nContent-LENGTH:\t 5 \r\nx: y\r\n\r\nhello', 200, 'hello', true],
  [
    'a repeated content-length',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello',
    200,
    'hello',
    true,
  ],
  ['an empty body', 'HTTP/1.1 503 \r\ncontent-length: 0\r\n\r\n', 503, '', true],
  ['no reason and no space for it', 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', 200, '', true],
  ['UTF-8', replyText('caf\u00e9 \u20ac'), 200, 'caf\u00e9 \u20ac', true],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;a="b"\r\nhel\r\n2\r\nlo\r\n0\r\nt: u\r\n\r\n',
    200,
    'hello',
    true,
  ],
  ['no chunk but the last', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', 200, '', true],
  ['status 204', 'HTTP/1.1 204 No Content\r\n\r\n', 204, '', true],
  [
    'status 304 with the length of what it does not send',
    'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n',
    304,
    '',
    true,
  ],
  [
    'interim replies before it',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\na: b\r\n\r\n${replyText('x')}`,
    200,
    'x',
    true,
  ],
  [
    'connection: close',
    'HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 2\r\n\r\nok',
    200,
    'ok',
    false,
  ],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', 200, 'ok', false],
  [
    'HTTP/1.0 with keep-alive',
    'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok',
    200,
    'ok',
    true,
  ],
  ['bytes behind it', `${replyText('ok')}HTTP/1.1 408 Request Timeout\r\n\r\n`, 200, 'ok', false],
];

test.each(goodReplies)(
  'a reply with %s, whole or cut at every byte',
  async (_what, text, status, body, reused) => {
    const bytes = Buffer.from(text);
    const server = await serve((socket, number) => {
      const cut = number - 1;
      if (cut === 0 || cut >= bytes.length) socket.write(bytes);
      else socket.write(bytes.subarray(0, cut), () => setTimeout(() => socket.write(bytes.subarray(cut)), 1));
    });
    const pool = poolTo(server.url);
    const rounds = reused ? bytes.length : 3;
    for (let token = 1; token <= rounds; token += 1) {
      pool.send(token, postText('x'));
      await until(`reply ${token}`, () => exchanges.settled >= token);
    }
    expect(exchanges.failures).toEqual([]);
    expect(exchanges.replies.every((reply) => reply.status === status && reply.body === body)).toBe(true);
    expect(server.connections).toHaveLength(reused ? 1 : 3);
  },
);
