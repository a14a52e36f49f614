import { afterAll, beforeAll, expect, it } from 'vitest';
import { Gate } from '../access/authorize.ts';
import { systemClock } from '../base/clock.ts';
import { startTestRedis, type TestRedis } from '../store/redis.testing.ts';
import { Admission } from './admission.ts';
import { send } from './answer.ts';
import type { Route } from './router.ts';
import { type HttpServer, startHttpServer } from './server.ts';

let redis: TestRedis;
let server: HttpServer;
const log = (): void => {};
const forgotten = (method: 'GET' | 'POST'): Route => ({
  method,
  path: '/forgotten',
  handle: (_request, response) => send(response, { status: 200, json: '"came in"' }),
});

beforeAll(async () => {
  redis = await startTestRedis();
  const gate = new Gate({ connection: redis.connection, clock: systemClock, mode: 'closed' });
  const routes = [forgotten('GET'), forgotten('POST'), { ...forgotten('GET'), path: '/open', right: 'none' }];
  server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    routes,
    log,
    admission: new Admission(gate, log),
  });
});
afterAll(async () => {
  await server.close(0);
  await redis.stop();
});

const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);

it('a route that says nothing of rights is closed', async () => {
  for (const method of ['GET', 'POST', 'HEAD'])
    expect((await ask('/forgotten', { method })).status).toBe(401);
  expect((await ask('/open')).status).toBe(200);
});

it('while Redis is away nobody gets in who is not known, and is told to come again', async () => {
  redis.process.kill('SIGSTOP');
  const token = `${'a'.repeat(43)}.ZGVtbw`;
  const waiting = ask('/forgotten', { headers: { 'm1-auth-token': token } });
  redis.process.kill('SIGKILL');
  const reply = await waiting;
  expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1']);
});
