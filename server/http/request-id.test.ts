import { afterEach, describe, expect, it } from 'vitest';
import type { Answer } from './answer.ts';
import { answeringRoute } from './answering.ts';
import { failureAnswer, type LogDetails } from './failure.ts';
import { RawClient, writeRequest } from './http-client.testing.ts';
import { saneRequestId } from './request-id.ts';
import { type HttpServer, startHttpServer } from './server.ts';

interface Logged extends LogDetails {
  readonly line: string;
}

const logged: Logged[] = [];
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
  logged.length = 0;
});

const log = (line: string, details: LogDetails = {}): void => {
  logged.push({ line, ...details });
};
const broken = async (): Promise<Answer> => {
  throw new Error('broken');
};

/** Of the direct path a body says what is to happen; elsewhere the path does. */
async function connect(): Promise<RawClient> {
  const server: HttpServer = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    log,
    routes: [
      answeringRoute('/broken', [], log, broken),
      answeringRoute('/fine', [], log, async () => ({ status: 200, json: '1' })),
      {
        method: 'POST',
        path: '/write',
        handle: () => expect.unreachable('these requests belong on the direct path'),
        handleWhole(body, _head, _ip, reply) {
          if (body.toString() === '"fine"') reply.answer({ status: 200, json: '1' });
          else if (body.toString() === '"bad"') reply.answer({ status: 400, json: '{}' });
          else reply.answer(failureAnswer(new Error('broken'), 'POST /write', log, reply.requestId));
        },
      },
    ],
  });
  opened.push({ close: () => server.close(0) });
  const client = new RawClient(server.port);
  opened.push(client);
  return client;
}

const get = (path: string, header = 'x: y'): string =>
  `GET ${path} HTTP/1.1\r\nhost: test\r\n${header}\r\n\r\n`;
const json = 'content-type: application/json';
const direct = (body: string, id: string | undefined): Buffer =>
  writeRequest(body, id === undefined ? json : `${json}\r\nX-Request-Id: ${id}`);

describe.each([
  ['node:http', (id: string | undefined) => get('/broken', id && `x-request-id: ${id}`)],
  ['the direct path', (id: string | undefined) => direct('"broken"', id)],
])('an error on %s', (_name, request) => {
  it('has the id that the client gave, in the reply and in the log', async () => {
    const client = await connect();
    client.send(request('from-client/1'));
    const { status, headers } = await client.reply();
    expect([status, headers['x-request-id']]).toEqual([500, 'from-client/1']);
    expect(logged).toMatchObject([{ level: 'error', requestId: 'from-client/1' }]);
  });

  it.each([undefined, 'two words', 'x'.repeat(129), '"quoted"'])(
    'has an id of our own for %j',
    async (id) => {
      const client = await connect();
      client.send(request(id));
      const own = (await client.reply()).headers['x-request-id'];
      expect(own).toMatch(/^[0-9a-f-]{36}$/);
      expect(logged.map(({ requestId }) => requestId)).toEqual([own]);
    },
  );
});

it('an id is repeated in a refusal of the direct path, and costs nothing where all is well', async () => {
  const client = await connect();
  client.send(direct('"bad"', 'r-7'));
  expect((await client.reply()).headers['x-request-id']).toBe('r-7');
  client.send(direct('"fine"', 'r-8'));
  expect((await client.reply()).headers['x-request-id']).toBeUndefined();
  expect(logged).toEqual([]);
});

it('node:http repeats a sane id in every reply, and only once', async () => {
  const client = await connect();
  client.send(get('/fine', 'x-request-id: r-9'));
  expect((await client.reply()).headers['x-request-id']).toBe('r-9');
  client.send(get('/fine', 'x-request-id: <script>'));
  expect((await client.reply()).headers['x-request-id']).toBeUndefined();
});

it('two ids in one request are none', () => {
  expect(saneRequestId(['a', 'b'])).toBeUndefined();
  expect(saneRequestId('a')).toBe('a');
});
