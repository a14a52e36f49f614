import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { RawClient, writeRequest } from '../http/http-client.testing.ts';
import { pollUntil, startTestRedis } from '../store/redis.testing.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function start(...options: Parameters<typeof startTestCollector>): Promise<TestCollector> {
  const test = await startTestCollector(...options);
  opened.push(() => test.stop());
  return test;
}

/** A client as it should be: one connection, one event after the other, and every one must be answered 200. */
class GoodClient {
  answered = 0;
  readonly #client: RawClient;
  readonly #done: Promise<void>;
  #isEnding = false;

  constructor(port: number) {
    this.#client = new RawClient(port);
    this.#done = this.#write();
    // It is awaited in `stop`; until then a failure must not end the process.
    this.#done.catch(() => undefined);
  }

  /** Resolves after so many further answers; rejects when one is missing. */
  async goesOn(answers = 20): Promise<void> {
    const before = this.answered;
    await Promise.race([
      pollUntil(() => this.answered >= before + answers, `only ${this.answered - before} answers`),
      this.#done,
    ]);
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.#done;
    this.#client.close();
  }

  async #write(): Promise<void> {
    for (let seq = 1; !this.#isEnding; seq++) {
      const event = { event: { type: 'view', seq }, session: { id: 'good' }, visitor: { id: 'good' } };
      this.#client.send(writeRequest(JSON.stringify(event)));
      expect((await this.#client.reply()).status).toBe(200);
      this.answered += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function goodClient(port: number): GoodClient {
  const good = new GoodClient(port);
  opened.push(() => good.stop());
  return good;
}

function hostileSocket(port: number): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => socket.destroy());
  opened.push(() => socket.destroy());
  return socket;
}

function hostileClient(port: number): RawClient {
  const client = new RawClient(port);
  opened.push(() => client.close());
  return client;
}

const endless = 'POST /write HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';

describe('beside a client that behaves', () => {
  it('clients that send a byte now and then, in headers or body, get a 408 and are cut', async () => {
    const test = await start({ headersTimeoutMs: 400, requestTimeoutMs: 900 });
    const good = goodClient(test.collector.port);
    const slow = Array.from({ length: 40 }, (_none, index) => {
      const client = hostileClient(test.collector.port);
      client.send(
        index % 2 === 0
          ? 'GET /ping HTTP/1.1\r\n'
          : 'POST /write HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n',
      );
      const drip = setInterval(() => client.send('a'), 50);
      opened.push(() => clearInterval(drip));
      return client;
    });
    for (const client of slow) {
      expect((await client.reply()).status).toBe(408);
      await client.ended();
    }
    await good.goesOn();
  });

  it('connections that never send anything are cut, and so are idle ones after a request', async () => {
    const test = await start({ headersTimeoutMs: 400, requestTimeoutMs: 900, idleTimeoutMs: 300 });
    const good = goodClient(test.collector.port);
    const silent = Array.from({ length: 50 }, () => hostileClient(test.collector.port));
    const idle = Array.from({ length: 50 }, () => hostileClient(test.collector.port));
    for (const client of idle) {
      client.send('GET /ping HTTP/1.1\r\nhost: x\r\n\r\n');
      expect((await client.reply()).status).toBe(200);
    }
    for (const client of [...silent, ...idle]) await client.ended();
    await good.goesOn();
  });

  it('a megabyte of headers is answered 431 before it has come', async () => {
    const test = await start();
    const good = goodClient(test.collector.port);
    const long = `x-long: ${'a'.repeat(1_048_576)}\r\n`;
    const many = Array.from({ length: 60_000 }, (_none, index) => `x-${index}: aaaaaaaa\r\n`).join('');
    for (const headers of [long, many]) {
      const clients = Array.from({ length: 20 }, () => hostileClient(test.collector.port));
      for (const client of clients) client.send(`GET /ping HTTP/1.1\r\nhost: x\r\n${headers}\r\n`);
      for (const client of clients) {
        expect(await client.reply()).toMatchObject({ status: 431, headers: { connection: 'close' } });
        await client.ended();
      }
    }
    await good.goesOn();
  });

  it('bodies that never end are cut: 408 when they trickle, 413 when they flow', async () => {
    const test = await start({ headersTimeoutMs: 600, requestTimeoutMs: 600 });
    const good = goodClient(test.collector.port);
    const trickling = Array.from({ length: 20 }, () => hostileClient(test.collector.port));
    const flowing = Array.from({ length: 10 }, () => hostileClient(test.collector.port));
    const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`;
    for (const client of [...trickling, ...flowing]) client.send(endless);
    const drip = setInterval(() => {
      for (const client of trickling) client.send('1\r\n \r\n');
      for (const client of flowing) if (client.socket.writableLength < 500_000) client.send(chunk);
    }, 5);
    opened.push(() => clearInterval(drip));
    for (const client of flowing) expect((await client.reply()).status).toBe(413);
    for (const client of trickling) expect((await client.reply()).status).toBe(408);
    for (const client of [...trickling, ...flowing]) await client.ended();
    await good.goesOn();
  });

  it('a thousand connections, reset at every stage of a request, leave nothing behind', async () => {
    const test = await start();
    const good = goodClient(test.collector.port);
    const body = JSON.stringify({ event: { type: 'click' }, visitor: { id: 'hostile' } });
    const request = writeRequest(body);
    const stages = [0, 10, request.length - body.length, request.length - 1, request.length];
    for (let round = 0; round < 10; round++) {
      const sockets = Array.from({ length: 100 }, () => hostileSocket(test.collector.port));
      await Promise.all(
        sockets.map(async (socket, index) => {
          await once(socket, 'connect');
          const stage = stages[index % stages.length] ?? 0;
          if (stage > 0) await new Promise((resolve) => socket.write(request.subarray(0, stage), resolve));
          socket.resetAndDestroy();
        }),
      );
    }
    await good.goesOn();
    const { json } = await test.get('/totals');
    const { byType } = json as { byType: Record<string, number> };
    expect(byType['click'] ?? 0).toBeLessThanOrEqual(200);
    expect(test.logged).toEqual([]);
  });

  it('one that asks and never reads is held back, not stored up', async () => {
    const test = await start();
    const good = goodClient(test.collector.port);
    const greedy = hostileSocket(test.collector.port).pause();
    const requests = Buffer.from('GET /health HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2000));
    let sent = 0;
    // 128 MB of requests would be 600 MB of replies; the sockets' own buffers hold a few MB of them.
    while (sent < 2000 && greedy.writableLength < 4 * 1_048_576) {
      greedy.write(requests);
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(greedy.writableLength).toBeGreaterThanOrEqual(4 * 1_048_576);
    await good.goesOn();
  });
});

describe('more connections than a collector may hold', () => {
  it('get a 503 that says so, at once, and the connections that were there go on', async () => {
    const test = await start({ connectionsMax: 20 });
    const good = goodClient(test.collector.port);
    await good.goesOn(1);
    const held = Array.from({ length: 19 }, () => hostileClient(test.collector.port));
    for (const client of held) {
      client.send('GET /ping HTTP/1.1\r\nhost: x\r\n\r\n');
      expect((await client.reply()).status).toBe(200);
    }
    for (let more = 0; more < 30; more++) {
      const client = hostileClient(test.collector.port);
      // One with a request on its way gets one reply, not two.
      if (more % 2 === 0) client.send('GET /ping HTTP/1.1\r\nhost: x\r\n\r\n');
      const reply = await client.reply();
      expect(reply).toMatchObject({ status: 503, headers: { 'retry-after': '1', connection: 'close' } });
      expect(JSON.parse(reply.body)).toMatchObject({ status: 503, code: 'too_many_connections' });
      await expect(client.reply()).rejects.toThrow('the connection ended after ""');
    }
    expect(test.logged).toEqual(['connections: 20 are open, the most allowed; more are refused']);
    await good.goesOn();
    for (const client of held) client.close();
    await pollUntil(async () => {
      const client = hostileClient(test.collector.port);
      client.send('GET /ping HTTP/1.1\r\nhost: x\r\n\r\n');
      const reply = await client.reply().catch(() => undefined);
      client.close();
      return reply?.status === 200;
    }, 'no connection was taken again');
  });
});

const program = resolve(import.meta.dirname, '../../dist/scripts/crowdbeat.js');

interface Served {
  readonly port: number;
  readonly child: ChildProcess;
  readonly stderr: () => string;
}

/** A collector as a process of its own, which has all its descriptors for itself. */
async function serve(shell: string, ...options: string[]): Promise<Served> {
  const redis = await startTestRedis();
  opened.push(() => redis.stop());
  const args = ['serve', '--port', '0', '--redis', redis.socketPath, '--open', ...options];
  const child = spawn('sh', ['-c', `${shell} exec "$@"`, 'sh', process.execPath, program, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr?.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  const exited = once(child, 'exit');
  opened.push(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const failed = exited.then(() => Promise.reject(new Error(`the collector did not start: ${stderr}`)));
  const [ready] = (await Promise.race([once(child, 'message'), failed])) as [{ listening: string }];
  failed.catch(() => undefined);
  return { port: Number(new URL(ready.listening).port), child, stderr: () => stderr };
}

const descriptorsOf = (pid: number): number => readdirSync(join('/proc', String(pid), 'fd')).length;

/** CPU time of a process so far, in clock ticks of 10 ms. */
function ticksOf(pid: number): number {
  const fields =
    readFileSync(join('/proc', String(pid), 'stat'), 'utf8')
      .split(') ')[1]
      ?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

const descriptorsMax = Number(
  /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1],
);
/** 10,000 where the limit allows them: an eighth of the descriptors is spare, and tests need some themselves. */
const idleCount = Math.min(10_000, Math.floor((descriptorsMax - 400) * 0.85));

describe('a collector process', () => {
  it(`answers beside ${idleCount} idle connections`, async () => {
    const { port, child, stderr } = await serve('');
    const good = goodClient(port);
    for (let open = 0; open < idleCount; open += 250) {
      const sockets = Array.from({ length: Math.min(250, idleCount - open) }, () => hostileSocket(port));
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    }
    await pollUntil(() => descriptorsOf(child.pid ?? 0) > idleCount, 'the connections were not accepted');
    await good.goesOn(100);
    expect(stderr()).toBe('');
  });

  it('without a descriptor left neither spins nor dies, and takes connections again when some are free', async () => {
    const limit = 256;
    const { port, child, stderr } = await serve(`ulimit -n ${limit};`, '--connections-max', '100000');
    const pid = child.pid ?? 0;
    const good = goodClient(port);
    await good.goesOn(1);
    const sockets = Array.from({ length: 600 }, () => hostileSocket(port));
    await Promise.all(
      sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])),
    );
    await pollUntil(() => descriptorsOf(pid) >= limit - 1, 'descriptors were left');
    const before = ticksOf(pid);
    const waitedMs = 1000;
    await new Promise((resolve) => setTimeout(resolve, waitedMs));
    // One that spins takes all of a core: 100 ticks a second, or as many as the machine leaves it.
    expect(ticksOf(pid) - before).toBeLessThan(60);
    await good.goesOn();
    for (const socket of sockets) socket.destroy();
    await pollUntil(() => descriptorsOf(pid) < limit / 2, 'descriptors were not freed');
    const client = hostileClient(port);
    client.send('GET /ping HTTP/1.1\r\nhost: x\r\n\r\n');
    expect((await client.reply()).status).toBe(200);
    expect(stderr().split('\n').length).toBeLessThan(20);
    expect(child.exitCode).toBe(null);
  });

  it('keeps descriptors for itself by refusing connections in time', async () => {
    const { port, child } = await serve('ulimit -n 256;');
    const good = goodClient(port);
    await good.goesOn(1);
    const clients = Array.from({ length: 240 }, () => hostileClient(port));
    const replies = await Promise.all(clients.slice(200).map((client) => client.reply()));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([503]));
    expect(descriptorsOf(child.pid ?? 0)).toBeLessThan(256);
    await good.goesOn();
  });
});
