import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../server/base/clock.ts';
import { HttpPool } from './http-pool.ts';
import {
  Exchanges,
  postText,
  type RawServer,
  replyText,
  startRawServer,
  until,
} from './raw-server.testing.ts';

// A certificate can't be made with node:crypto; without the openssl command there is nothing to test with.
const canMakeCertificate = spawnSync('openssl', ['version']).status === 0;

// Node can't make a certificate by itself; a system without openssl has no such test.
describe.skipIf(!canMakeCertificate)('https', () => {
  let directory = '';
  let exchanges = new Exchanges();
  let server: RawServer | undefined;
  let pool: HttpPool | undefined;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'crowdbeat-tls-'));
    const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', join(directory, 'key.pem'), '-out', join(directory, 'certificate.pem')];
    const made = spawnSync('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      ...names,
      ...files,
    ]);
    expect(made.status, made.stderr.toString()).toBe(0);
  });

  afterEach(async () => {
    pool?.close();
    await server?.close();
    exchanges = new Exchanges();
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  async function serveTls(replyTo: (request: string) => string): Promise<URL> {
    const key = readFileSync(join(directory, 'key.pem'));
    const cert = readFileSync(join(directory, 'certificate.pem'));
    const tls = createServer({ key, cert });
    tls.on('tlsClientError', () => undefined);
    server = await startRawServer((socket, _number, request) => socket.write(replyTo(request)), 0, tls);
    return new URL(`https://127.0.0.1:${server.port}`);
  }

  function poolTo(url: URL, rejectUnauthorized: boolean, connections = 4): HttpPool {
    const limits = { connections, requestTimeoutMs: 5000, connectTimeoutMs: 5000 };
    pool = new HttpPool({ url, ...limits, clock: systemClock, handler: exchanges, rejectUnauthorized });
    return pool;
  }

  test('a thousand exchanges, with bodies over several records, come back each to its own request', async () => {
    const url = await serveTls((request) => replyText(request.slice(-6) + 'x'.repeat(40_000)));
    const target = poolTo(url, false);
    for (let token = 1; token <= 1000; token += 1)
      target.send(token, postText(String(token).padStart(6, '0')));
    await until('all are settled', () => exchanges.settled === 1000);
    expect(exchanges.failures).toEqual([]);
    expect(exchanges.replies.every((reply) => Number(reply.body.slice(0, 6)) === reply.token)).toBe(true);
    expect(exchanges.replies.every((reply) => reply.body.length === 40_006)).toBe(true);
    expect(server?.connections.length).toBeLessThanOrEqual(4);
  });

  test('a certificate that nobody vouches for is refused unless told otherwise, surely before the request', async () => {
    const target = poolTo(await serveTls(() => replyText('ok')), true);
    target.send(1, postText('secret'));
    await until('it failed', () => exchanges.settled === 1);
    expect(exchanges.failures).toMatchObject([{ kind: 'unreachable', maybeDelivered: false }]);
    expect(exchanges.failures[0]?.message).toContain('self-signed certificate');
    expect(server?.requests).toEqual([]);
  });

  test('a target that never answers the handshake is unreachable once the connect time is over', async () => {
    server = await startRawServer(() => undefined);
    const clock = new ManualClock(0);
    const url = new URL(`https://127.0.0.1:${server.port}`);
    pool = new HttpPool({
      url,
      connections: 1,
      requestTimeoutMs: 60_000,
      connectTimeoutMs: 900,
      clock,
      handler: exchanges,
    });
    pool.send(1, postText('x'));
    await until('the target was asked', () => server?.connections.length === 1);
    expect(pool.open).toBe(0);
    clock.advanceMs(900);
    await until('it failed', () => exchanges.settled === 1);
    expect(exchanges.failures).toMatchObject([{ kind: 'unreachable', maybeDelivered: false }]);
    expect(exchanges.failures[0]?.message).toContain('no connection within 900 ms');
  });

  test('a target that speaks no TLS is unreachable', async () => {
    server = await startRawServer(() => undefined);
    const url = new URL(`https://127.0.0.1:${server.port}`);
    const target = poolTo(url, false, 1);
    target.send(1, postText('x'));
    await until('the target was asked', () => server?.connections.length === 1);
    server.connections[0]?.write('220 smtp ready\r\n');
    await until('it failed', () => exchanges.settled === 1);
    expect(exchanges.failures).toMatchObject([{ kind: 'unreachable', maybeDelivered: false }]);
  });
});
