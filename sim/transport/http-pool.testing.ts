/** Pools and servers of the pool's tests: what a test opened is closed after it. */
import { afterEach } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { HttpPool, type HttpPoolOptions } from './http-pool.ts';
import { Exchanges, type OnRequest, type RawServer, startRawServer, until } from './raw-server.testing.ts';

export let exchanges = new Exchanges();
let pools: HttpPool[] = [];
let servers: RawServer[] = [];

afterEach(async () => {
  for (const pool of pools) pool.close();
  await Promise.all(servers.map((server) => server.close()));
  exchanges = new Exchanges();
  pools = [];
  servers = [];
});

export async function serve(onRequest: OnRequest, port = 0): Promise<RawServer> {
  const server = await startRawServer(onRequest, port);
  servers.push(server);
  return server;
}

export function poolTo(url: URL, options: Partial<HttpPoolOptions> = {}): HttpPool {
  const limits = { connections: 1, requestTimeoutMs: 5000, connectTimeoutMs: 5000 };
  const pool = new HttpPool({ url, ...limits, clock: systemClock, handler: exchanges, ...options });
  pools.push(pool);
  return pool;
}

export const settled = (count: number): Promise<void> =>
  until(`${count} exchanges are settled`, () => exchanges.settled >= count);

/** Long enough for three sweeps of the pool: what has not happened by then does not happen by itself. */
export const threeSweeps = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 170));
