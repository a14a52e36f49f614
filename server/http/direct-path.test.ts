import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../protocol/limits.ts';
import { propertyHeader } from '../protocol/property.ts';
import { type Answer, prepared, send } from './answer.ts';
import { answeringRoute } from './answering.ts';
import { bodyReader } from './body.ts';
import { RawClient, writeRequest } from './http-client.testing.ts';
import type { PendingReply, Route } from './router.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from './server.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

/** What a request said, as both paths understood it. */
function answerTo(body: Buffer, property: string | undefined): Answer {
  const digest = createHash('sha1').update(body).digest('hex');
  return { status: 200, json: JSON.stringify({ bytes: body.length, digest, property }) };
}

const handle = bodyReader((request, response, body) =>
  send(response, answerTo(body, request.headers[propertyHeader] as string | undefined)),
);
/** The route on node:http alone, and with a direct path beside it. */
const plainRoute: Route = { method: 'POST', path: '/write', handle };
let direct = 0;
const directRoute: Route = {
  ...plainRoute,
  handleWhole(body, head, _ip, reply) {
    direct += 1;
    reply.answer(answerTo(body, head.property));
  },
};
/** Keeps the replies that are owed, for the test to give. */
const held: PendingReply[] = [];
const holdingRoute: Route = {
  ...plainRoute,
  handleWhole: (_body, _property, _ip, reply) => void held.push(reply),
};
const log = (): void => {};
const ping = answeringRoute('/ping', [], log, async () => ({ status: 200, json: 'true' }));

function serverOf(route: Route, changes: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  return startHttpServer({ host: '127.0.0.1', port: 0, routes: [route, ping], log, ...changes });
}

async function start(route: Route, changes: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const server = await serverOf(route, changes);
  opened.push({ close: () => server.close(0) });
  return server;
}

function client(server: HttpServer): RawClient {
  const raw = new RawClient(server.port);
  opened.push(raw);
  return raw;
}

async function untilHeld(count: number): Promise<void> {
  while (held.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Sends pieces, ends the sending side, and gives all that came back until the server closed; dates blanked. */
function exchange(port: number, pieces: readonly Buffer[]): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    // A reset after the reply is how a connection with unread bytes ends.
    socket.on('error', () => {});
    socket.on('close', () => resolve(received.replaceAll(/Date: [^\r]*/g, 'Date: …')));
    const sendFrom = (index: number): void => {
      if (index === pieces.length) socket.end();
      else socket.write(pieces[index] as Buffer, () => setImmediate(sendFrom, index + 1));
    };
    sendFrom(0);
  });
}

const head = (lines: readonly string[]): string =>
  `POST /write HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const usual = ['host: test', 'content-type: application/json', 'content-length: 5'];
const body = 'hello';

const badRequest = 'this is no valid HTTP/1.1 request"}';
const badRequestPattern = /HTTP\/1\.1 400 [^{]*\{[^}]*this is no valid HTTP\/1\.1 request"\}$/;

describe('the direct path beside node:http', () => {
  let both: readonly [HttpServer, HttpServer];
  beforeAll(async () => {
    both = [await serverOf(plainRoute), await serverOf(directRoute)];
  });
  afterAll(async () => {
    for (const server of both) await server.close(0);
  });

  async function answersOf(pieces: readonly Buffer[]): Promise<readonly [plain: string, own: string]> {
    const [plain = '', own = ''] = await Promise.all(both.map(({ port }) => exchange(port, pieces)));
    return [plain, own];
  }

  /**
   * Both servers must answer the same bytes with the same bytes. Gives how many requests went direct.
   *
   * One difference is allowed: when rubbish follows a good request in one piece, node:http comes upon it
   * before the request is answered and can only break off; the direct path has answered, and says 400.
   */
  async function compare(...pieces: readonly (string | Buffer)[]): Promise<number> {
    const before = direct;
    const [plain, own] = await answersOf(pieces.map((piece) => Buffer.from(piece as string, 'latin1')));
    const isBrokenOff = own !== plain && own.endsWith(badRequest);
    expect(isBrokenOff ? own.slice(0, plain.length) : own).toBe(plain);
    if (isBrokenOff) expect(own.split('HTTP/1.1 200 OK')).toHaveLength(1 + direct - before);
    return direct - before;
  }

  /** How far replies get before rubbish breaks a connection off is chance; what they say is not. */
  async function compareToTheBreak(pieces: readonly Buffer[]): Promise<void> {
    const [plain, own] = (await answersOf(pieces)).map((text) => text.replace(badRequestPattern, ''));
    const length = Math.min(plain?.length ?? 0, own?.length ?? 0);
    expect(own?.slice(0, length)).toBe(plain?.slice(0, length));
  }

  it('gives the same reply, byte for byte, to a plain write, and gives it directly', async () => {
    expect(await compare(head(usual) + body)).toBe(1);
    expect(await compare(head([...usual, `${propertyHeader}: a/b`, 'Connection: Keep-Alive']) + body)).toBe(
      1,
    );
    expect(await compare(writeRequest('x'.repeat(200_000)))).toBe(1);
    expect(await compare(head(['HOST:test', 'CONTENT-TYPE:  application/json \t', 'Content-Length:0']))).toBe(
      1,
    );
  });

  it('understands a request that is cut anywhere', async () => {
    const bytes = Buffer.from(head(usual) + body);
    for (let cut = 1; cut < bytes.length; cut++)
      expect(await compare(bytes.subarray(0, cut), bytes.subarray(cut))).toBe(1);
  }, 30_000);

  it('answers pipelined requests in their order, also when one of them is not its own', async () => {
    const write = head(usual) + body;
    const get = 'GET /ping HTTP/1.1\r\nhost: test\r\n\r\n';
    expect(await compare(write.repeat(100))).toBe(100);
    expect(await compare(write + get + write)).toBe(1);
    expect(await compare(write + get.slice(0, 9), get.slice(9) + write)).toBe(1);
  });

  const doubtful: Readonly<Record<string, string>> = {
    'a length and chunks (CL.TE)': `${head([...usual, 'transfer-encoding: chunked'])}0\r\n\r\nGET /ping HTTP/1.1\r\n\r\n`,
    'chunks and a length (TE.CL)': `${head(['transfer-encoding: chunked', ...usual])}5\r\nhello\r\n0\r\n\r\n`,
    'chunks alone': `${head(['host: t', 'transfer-encoding: chunked'])}5\r\nhello\r\n0\r\n\r\n`,
    'an unknown transfer-encoding': head([...usual, 'transfer-encoding: xchunked']) + body,
    'a transfer-encoding behind a space': head([...usual, 'transfer-encoding : chunked']) + body,
    'two lengths': head([...usual, 'content-length: 6']) + body,
    'two equal lengths': head([...usual, 'content-length: 5']) + body,
    'a list of lengths': head(['host: t', 'content-length: 5, 5']) + body,
    'a signed length': head(['host: t', 'content-length: +5']) + body,
    'a negative length': head(['host: t', 'content-length: -5']) + body,
    'a hexadecimal length': head(['host: t', 'content-length: 0x5']) + body,
    'a length with a point': head(['host: t', 'content-length: 5.0']) + body,
    'an empty length': head(['host: t', 'content-length:']) + body,
    'a length beyond 2^64': head(['host: t', 'content-length: 18446744073709551621']) + body,
    'a length over the limit': head(['host: t', `content-length: ${limits.bodyBytesMax + 1}`]) + body,
    'no length': head(['host: t', 'content-type: application/json']) + body,
    'line feeds alone': (head(usual) + body).replaceAll('\r\n', '\n'),
    'one line feed alone': head(usual).replace('test\r\n', 'test\n') + body,
    'a carriage return alone': head(usual).replace('test\r\n', 'test\r') + body,
    'a carriage return in a value': head([...usual, 'x: a\rb']) + body,
    'a folded line': head([...usual, 'x: a', ' b']) + body,
    'a folded length': head(['host: t', 'content-length:', ' 5']) + body,
    'a space before the colon': head(['host: t', 'content-length : 5']) + body,
    'a space before the name': head(['host: t', ' content-length: 5']) + body,
    'a header without a colon': head([...usual, 'nonsense']) + body,
    'a header without a name': head([...usual, ': value']) + body,
    'a NUL in a value': head([...usual, 'x: a\0b']) + body,
    'a NUL in a name': head([...usual, 'x\0: a']) + body,
    'bytes above ASCII in a value': head([...usual, 'x: \xe4\xf6']) + body,
    'a property above ASCII': head([...usual, `${propertyHeader}: \xc3\xa4/b`]) + body,
    'two properties': head([...usual, `${propertyHeader}: a/b`, `${propertyHeader}: c/d`]) + body,
    'no host': head(usual.slice(1)) + body,
    'two hosts': head([...usual, 'host: other']) + body,
    'Expect: 100-continue': head([...usual, 'expect: 100-continue']) + body,
    'Connection: close': head([...usual, 'connection: close']) + body + head(usual) + body,
    'an upgrade': head([...usual, 'connection: upgrade', 'upgrade: websocket']) + body,
    'HTTP/1.0': head(usual).replace('1.1', '1.0') + body,
    'HTTP/1.0 that stays': head([...usual, 'connection: keep-alive']).replace('1.1', '1.0') + body,
    'HTTP/2.0': head(usual).replace('1.1', '2.0') + body,
    'HTTP/1.1 twice': head(usual).replace('1.1', '1.1 HTTP/1.1') + body,
    'a lower-case method': head(usual).replace('POST', 'post') + body,
    'two spaces': head(usual).replace('POST ', 'POST  ') + body,
    'an absolute address': head(usual).replace('/write', 'http://test/write') + body,
    'a query': head(usual).replace('/write', '/write?property=a/b') + body,
    'another path': head(usual).replace('/write', '/writes') + body,
    'empty lines before': `\r\n\r\n${head(usual)}${body}`,
    'rubbish behind the body': `${head(usual)}${body}rubbish\r\n\r\n`,
    'a head of 9 KB': head([...usual, `x: ${'a'.repeat(9000)}`]) + body,
    'a head of 17 KB': head([...usual, `x: ${'a'.repeat(17_000)}`]) + body,
    'a head of 1 MB': head([...usual, `x: ${'a'.repeat(1_000_000)}`]) + body,
    '150 headers': head([...usual, ...Array.from({ length: 150 }, (_, i) => `x${i}: y`)]) + body,
    'a body that is cut off': head(usual) + body.slice(1),
    'a head that is cut off': head(usual).slice(0, -2),
    'nothing at all': '',
  };
  for (const [name, bytes] of Object.entries(doubtful))
    it(`leaves to node:http what both must read alike: ${name}`, () => compare(bytes).then(() => {}));

  it('reads what it reads as node:http does, however a request is mangled and cut', async () => {
    const snippets = ['\r\n', '\n', '\r', ' ', ':', '\0', '\xff', '0', '5', ',', 'chunked', 'close', '\t'];
    const lines = [
      ...usual,
      'transfer-encoding: chunked',
      'Content-Length: 5',
      'connection: keep-alive',
      'connection: close',
      'expect: 100-continue',
      `${propertyHeader}: a/b`,
      'user-agent: x (y; z)',
      'content-encoding: gzip',
    ];
    const mangle = fc.record({
      at: fc.nat(400),
      drop: fc.nat(3),
      put: fc.option(fc.constantFrom(...snippets), { nil: '' }),
    });
    const request = fc
      .tuple(fc.shuffledSubarray(lines, { minLength: 3 }), fc.array(mangle, { maxLength: 2 }))
      .map(([chosen, mangles]) =>
        mangles.reduce(
          (text, { at, drop, put }) => text.slice(0, at) + (put ?? '') + text.slice(at + drop),
          head([...new Set([...usual, ...chosen])]) + body,
        ),
      );
    const property = fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(600), { maxLength: 3 }),
      async (requests, cuts) => {
        const bytes = Buffer.from(requests.join(''), 'latin1');
        const ends = [...new Set(cuts.map((cut) => Math.min(cut, bytes.length)))].sort((a, b) => a - b);
        const pieces = [...ends, bytes.length].map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
        await compareToTheBreak(pieces.filter((piece) => piece.length > 0));
      },
    );
    await fc.assert(property, { numRuns: 300 });
  }, 60_000);
});

describe('a connection of the direct path', () => {
  it('keeps the order of replies, whichever is ready first, and writes node:http’s after them', async () => {
    const raw = client(await start(holdingRoute));
    const write = head(usual) + body;
    raw.send(`${write}${write}GET /ping HTTP/1.1\r\nhost: test\r\n\r\n`);
    await untilHeld(2);
    const [first, second] = held.splice(0) as [PendingReply, PendingReply];
    second.answer({ status: 200, json: '"second"' });
    first.answer({ status: 200, json: '"first, ä"' });
    first.answer({ status: 500, json: '"again"' });
    expect((await raw.reply()).body).toContain('first');
    expect((await raw.reply()).body).toBe('"second"');
    expect((await raw.reply()).body).toBe('true');
  });

  it('makes a prepared answer once, and yet says the right date a second later', async () => {
    let wallMs = 1_795_280_000_000;
    const clock = { wallMs: () => wallMs, monotonicMs: () => 0 };
    const answer = prepared({ status: 200, json: '1' });
    const route: Route = { ...plainRoute, handleWhole: (_b, _p, _i, reply) => reply.answer(answer) };
    const raw = client(await start(route, { clock, headersTimeoutMs: 20 }));
    raw.send(head(usual) + body);
    expect((await raw.reply()).headers['date']).toBe(new Date(wallMs).toUTCString());
    wallMs += 60_000;
    for (;;) {
      raw.send(head(usual) + body);
      const { date } = (await raw.reply()).headers;
      if (date === new Date(wallMs).toUTCString()) return;
      expect(date).toBe(new Date(wallMs - 60_000).toUTCString());
    }
  });

  it('is answered 408 when a request, or its first one, does not come', async () => {
    const server = await start(directRoute, { headersTimeoutMs: 100, requestTimeoutMs: 150 });
    for (const bytes of ['', 'POST /wri', head(usual).slice(0, -1), head(usual) + body.slice(1)]) {
      const raw = client(server);
      raw.send(bytes);
      expect((await raw.reply()).status).toBe(408);
      await raw.ended();
    }
  });

  it('is timed from the beginning of a request, so one byte now and then does not keep it', async () => {
    const server = await start(directRoute, { headersTimeoutMs: 100, requestTimeoutMs: 100 });
    const raw = client(server);
    const dribble = setInterval(() => raw.send(' '), 10);
    raw.send(`${head(usual).slice(0, -2)}x: `);
    expect((await raw.reply()).status).toBe(408);
    clearInterval(dribble);
    await raw.ended();
  });

  it('is closed without a word when it is idle too long between requests, not while a reply is owed', async () => {
    const server = await start(holdingRoute, { idleTimeoutMs: 60 });
    const [busy, idle] = [client(server), client(server)];
    for (const raw of [busy, idle]) raw.send(head(usual) + body);
    await untilHeld(2);
    const [first, second] = held.splice(0) as [PendingReply, PendingReply];
    second.answer({ status: 200, json: '2' });
    const answered = await Promise.race([busy.reply(), idle.reply()]);
    expect(answered.body).toBe('2');
    await Promise.race([busy.ended(), idle.ended()]);
    first.answer({ status: 200, json: '1' });
    const late = await Promise.allSettled([busy.reply(), idle.reply()]);
    expect(late.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('stops reading from a client that sends and sends, and reads on when replies are given', async () => {
    const raw = client(await start(holdingRoute));
    const requests = 3000;
    raw.send(writeRequest('x'.repeat(200)).toString().repeat(requests));
    await untilHeld(64);
    let given = 0;
    let most = 0;
    while (given < requests) {
      await untilHeld(1);
      most = Math.max(most, held.length);
      for (const reply of held.splice(0)) {
        reply.answer({ status: 200, json: String(given++) });
      }
    }
    for (let i = 0; i < requests; i++) expect((await raw.reply()).body).toBe(String(i));
    // One read of a socket gives up to 64 KiB, and what it holds is handled.
    expect(most).toBeLessThan(64 + 65_536 / 250);
  });

  it('takes no harm from clients that go away before their reply', async () => {
    const server = await start(holdingRoute);
    const gone = client(server);
    gone.send((head(usual) + body).repeat(2));
    await untilHeld(2);
    gone.socket.resetAndDestroy();
    const raw = client(server);
    raw.send(head(usual) + body);
    await untilHeld(3);
    for (const reply of held.splice(0)) reply.answer({ status: 200, json: '1' });
    expect((await raw.reply()).body).toBe('1');
  });

  it('is given its replies before the server closes, the last one saying so, and idle ones just end', async () => {
    const server = await start(holdingRoute);
    const [busy, idle, half] = [client(server), client(server), client(server)];
    idle.send(head(usual) + body);
    await untilHeld(1);
    held.splice(0)[0]?.answer({ status: 200, json: '0' });
    await idle.reply();
    busy.send((head(usual) + body).repeat(2));
    half.send(head(usual) + body.slice(0, 2));
    await untilHeld(2);
    const closed = server.close(60_000);
    await idle.ended();
    half.send(body.slice(2));
    await untilHeld(3);
    for (const [i, reply] of held.splice(0).entries()) reply.answer({ status: 200, json: String(i) });
    expect((await busy.reply()).headers['connection']).toBe('keep-alive');
    expect(await busy.reply()).toMatchObject({ body: '1', headers: { connection: 'close' } });
    expect(await half.reply()).toMatchObject({ body: '2', headers: { connection: 'close' } });
    await Promise.all([closed, busy.ended(), half.ended()]);
  });
});
