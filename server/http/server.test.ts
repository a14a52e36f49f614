import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../protocol/limits.ts';
import { type Answer, send } from './answer.ts';
import { answeringRoute } from './answering.ts';
import { bodyReader } from './body.ts';
import { RawClient, writeRequest } from './http-client.testing.ts';
import type { Response } from './request.ts';
import type { Route } from './router.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from './server.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

const logged: string[] = [];
const log = (line: string): void => {
  logged.push(line);
};

/** Answers with the length of the body, and an answer that the test gives when it wants to. */
const held: Response[] = [];
const read = bodyReader((_request, response, body) =>
  send(response, { status: 200, json: String(body.length) }),
);
const routes: readonly Route[] = [
  { method: 'POST', path: '/length', handle: read },
  { method: 'GET', path: '/held', handle: (_request, response) => held.push(response) },
  answeringRoute('/ping', [], log, async () => ({ status: 200, json: 'true' })),
  answeringRoute('/broken', [], log, async (): Promise<Answer> => {
    throw new Error('password=hunter2\nsecond line');
  }),
];

async function start(changes: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const server = await startHttpServer({ host: '127.0.0.1', port: 0, routes, log, ...changes });
  opened.push({ close: () => server.close(0) });
  return server;
}

function connect(server: HttpServer): RawClient {
  const client = new RawClient(server.port);
  opened.push(client);
  return client;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: test\r\n\r\n`;
const post = (body: string | Buffer): Buffer => writeRequest(body, 'x: y', '/length');

async function untilHeld(count: number): Promise<void> {
  while (held.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('the HTTP server', () => {
  it('owes nothing to a client that went away with several requests open', async () => {
    const server = await startHttpServer({ host: '127.0.0.1', port: 0, routes, log });
    const client = connect(server);
    client.send(get('/held').repeat(3));
    await untilHeld(3);
    client.close();
    held.splice(0);
    // Would wait for the second and third reply, which nobody can be given, until this deadline.
    await server.close(600_000);
  });

  it('answers many requests on one connection', async () => {
    const client = connect(await start());
    for (const body of ['abc', '', 'x'.repeat(70_000)]) {
      client.send(post(body));
      expect(await client.reply()).toMatchObject({ status: 200, body: String(body.length) });
    }
  });

  it('reads a body that comes in pieces, and a chunked one', async () => {
    const client = connect(await start());
    const request = post('pieces');
    for (const byte of request) {
      client.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.reply()).body).toBe('6');
    client.send(
      'POST /length HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n',
    );
    expect((await client.reply()).body).toBe('7');
  });

  it('takes a body of 1 MiB, and refuses one byte more with 413 and closes', async () => {
    const server = await start();
    const client = connect(server);
    client.send(post('x'.repeat(limits.bodyBytesMax)));
    expect((await client.reply()).body).toBe(String(limits.bodyBytesMax));
    client.send(post('x'.repeat(limits.bodyBytesMax + 1)));
    const reply = await client.reply();
    expect(reply).toMatchObject({ status: 413, headers: { connection: 'close' } });
    expect(JSON.parse(reply.body)).toMatchObject({ status: 413, code: 'too_large' });
    await client.ended();
  });

  it('counts a chunked body while it streams, and answers 413 before it ends', async () => {
    const client = connect(await start());
    client.send('POST /length HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n');
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536), Buffer.from('\r\n')]);
    for (let sent = 0; sent <= limits.bodyBytesMax; sent += 65_536) client.send(chunk);
    expect((await client.reply()).status).toBe(413);
    await client.ended();
  });

  it('answers an announced giant before its body comes', async () => {
    const client = connect(await start());
    client.send('POST /length HTTP/1.1\r\nhost: test\r\ncontent-length: 9999999999\r\n\r\n');
    expect((await client.reply()).status).toBe(413);
    await client.ended();
  });

  it('answers 404 and 405 and keeps the connection, also when a body follows', async () => {
    const client = connect(await start());
    client.send(writeRequest('{}', 'x: y', '/nowhere'));
    const missing = await client.reply();
    expect(missing.status).toBe(404);
    expect(JSON.parse(missing.body)).toEqual({
      status: 404,
      code: 'not_found',
      message: 'no such path: /nowhere',
    });
    client.send(get('/length'));
    expect(await client.reply()).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    client.send(writeRequest('{}', 'x: y', '/ping'));
    expect(await client.reply()).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    client.send(get('/ping'));
    expect((await client.reply()).body).toBe('true');
  });

  it('names an unknown, a repeated and a malformed query parameter', async () => {
    const client = connect(await start());
    const wrong = [
      ['/ping?asynch=true', 'unknown parameter "asynch"; known: property'],
      ['/ping?property=a/b&property=a/b', 'parameter "property" is given twice'],
      ['/ping?property=%ff', '"property=%ff" is not percent-encoded UTF-8'],
      ['/ping?property=nonsense', 'property=: needs account/property'],
    ] as const;
    for (const [path, message] of wrong) {
      client.send(get(path));
      const reply = await client.reply();
      expect(reply.status).toBe(400);
      expect(JSON.parse(reply.body).message).toContain(message);
    }
  });

  it('hides what went wrong inside from the client, and logs it in one line', async () => {
    const client = connect(await start());
    client.send(get('/broken'));
    const reply = await client.reply();
    expect(reply.status).toBe(500);
    expect(reply.body).not.toContain('hunter2');
    expect(logged).toHaveLength(1);
    expect(logged.splice(0)[0]).toMatch(/^GET \/broken: password=hunter2 second line at .*server\.test\.ts/);
  });

  it('answers bytes that are no HTTP with 400 and closes', async () => {
    const client = connect(await start());
    client.send('what is this?\r\n\r\n');
    const reply = await client.reply();
    expect(reply.status).toBe(400);
    expect(JSON.parse(reply.body).code).toBe('bad_request');
    await client.ended();
  });

  it('answers too many header bytes with 431', async () => {
    const client = connect(await start());
    client.send(`GET /ping HTTP/1.1\r\nhost: test\r\nx: ${'x'.repeat(17_000)}\r\n\r\n`);
    expect((await client.reply()).status).toBe(431);
  });

  it('never lets the answer to garbage pass for the answer to the request before it', async () => {
    const client = connect(await start());
    client.send(`${get('/held')}garbage\r\n\r\n`);
    await expect(client.reply()).rejects.toThrow('the connection ended after ""');
    held.splice(0);
  });

  it('answers 408 to a client that does not finish its headers, or its body', async () => {
    const server = await start({ headersTimeoutMs: 100, requestTimeoutMs: 150 });
    for (const half of ['POST /length HTTP/1.1\r\nhost: test\r\n', post('half a body').subarray(0, -3)]) {
      const client = connect(server);
      client.send(half);
      expect((await client.reply()).status).toBe(408);
      await client.ended();
    }
  });

  it('survives clients that go away in the middle of headers, of a body, and before their reply', async () => {
    const server = await start();
    const requests = ['POST /len', post('half a body').subarray(0, -3), get('/held')];
    const clients = requests.map(() => connect(server));
    for (const [i, client] of clients.entries()) client.send(requests[i] ?? '');
    await untilHeld(1);
    for (const client of clients) client.socket.resetAndDestroy();
    const gone = held.splice(0)[0] as Response;
    while (!gone.destroyed) await new Promise((resolve) => setTimeout(resolve, 5));
    send(gone, { status: 200, json: '"nobody reads this"' });
    const client = connect(server);
    client.send(get('/ping'));
    expect((await client.reply()).status).toBe(200);
  });

  it('says which port is taken', async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toMatchObject({
      code: 'CB_PORT_TAKEN',
      message: `port ${port} on 127.0.0.1 is in use; choose another with --port`,
    });
  });

  it('says which address it cannot listen on', async () => {
    await expect(start({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'CB_OPTION' });
  });
});

describe('closing the HTTP server', () => {
  it('finishes requests in flight, and neither waits for idle connections nor for half a header', async () => {
    const server = await start();
    const [busy, idle, half] = [connect(server), connect(server), connect(server)];
    idle.send(get('/ping'));
    await idle.reply();
    half.send('GET /pi');
    busy.send(get('/held'));
    await untilHeld(1);
    const closed = server.close(60_000);
    await idle.ended();
    send(held.splice(0)[0] as Response, { status: 200, json: '"late"' });
    expect(await busy.reply()).toMatchObject({ body: '"late"', headers: { connection: 'close' } });
    await Promise.all([closed, half.ended(), busy.ended()]);
  });

  it('takes no new connection, and asks the clients that it still serves to go', async () => {
    const server = await start();
    const client = connect(server);
    client.send(Buffer.concat([Buffer.from(get('/ping')), post('half a body').subarray(0, -3)]));
    await client.reply();
    const closed = server.close(60_000);
    await expect(connect(server).reply()).rejects.toThrow('the connection ended');
    client.send('ody');
    expect(await client.reply()).toMatchObject({ body: '11', headers: { connection: 'close' } });
    await closed;
  });

  it('answers a request that arrives while others are finished, and closes its connection', async () => {
    const server = await start();
    const [busy, late] = [connect(server), connect(server)];
    late.send('GET /ping HTTP/1.1\r\n');
    busy.send(get('/held'));
    await untilHeld(1);
    const closed = server.close(60_000);
    late.send('host: test\r\n\r\n');
    expect(await late.reply()).toMatchObject({ body: 'true', headers: { connection: 'close' } });
    send(held.splice(0)[0] as Response, { status: 200, json: '1' });
    await closed;
  });

  it('gives up on a request that outlives the deadline', async () => {
    const server = await start();
    const client = connect(server);
    client.send(get('/held'));
    await untilHeld(1);
    await server.close(50);
    await expect(client.reply()).rejects.toThrow('the connection ended');
    held.splice(0);
  });
});
