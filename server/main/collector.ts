/** The collector: everything that answers HTTP, put together. */
import { type Clock, systemClock } from '../base/clock.ts';
import { countRoute } from '../http/count.ts';
import type { Log } from '../http/failure.ts';
import { healthRoute, pingRoute } from '../http/health.ts';
import { type HttpServer, startHttpServer } from '../http/server.ts';
import { totalsRoute } from '../http/totals.ts';
import { writeRoute } from '../http/write.ts';
import { Batcher } from '../ingest/batcher.ts';
import type { HealthReply } from '../protocol/replies.ts';
import { type ConnectOptions, connectRedis, type RedisConnection } from '../store/connection.ts';
import { type Retention, withDefaults } from '../store/retention.ts';
import { commitBytesMax, commitEventsMax, PropertyStore } from '../store/store.ts';
import { limitRepeats } from './log-limiter.ts';
import { readVersion } from './version.ts';

export interface CollectorOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Where Redis is, in the forms that `connectRedis` knows. */
  readonly redisUrl: string;
  readonly clock?: Clock;
  /** Gets one line for each internal error. Default: stderr. */
  readonly log?: Log;
  /** Bounds of all queues together. Default 50,000 events and 64 MiB. */
  readonly queueEventsMax?: number;
  readonly queueBytesMax?: number;
  /** How long a write may wait for others to share its commit. Default 4 ms. */
  readonly lingerMs?: number;
  readonly retention?: Partial<Retention>;
  readonly redis?: ConnectOptions;
  readonly headersTimeoutMs?: number | undefined;
  readonly requestTimeoutMs?: number | undefined;
  readonly idleTimeoutMs?: number | undefined;
  /** Connections at a time; more are answered 503 and closed. Default: what the descriptors allow. */
  readonly connectionsMax?: number | undefined;
  /** Which of how many processes of this collector this is. Default: the only one. */
  readonly worker?: WorkerPlace;
}

export interface WorkerPlace {
  /** From 1. */
  readonly number: number;
  readonly workers: number;
}

export interface Collector {
  readonly url: string;
  readonly port: number;
  /** Stops listening, finishes what is in flight (at most 10 s), drains the queues, closes Redis. */
  close(): Promise<void>;
}

const closeDeadlineMs = 10_000;

/**
 * Throws CB_REDIS_UNREACHABLE, CB_REDIS_TOO_OLD, CB_PORT_TAKEN, CB_OPTION; leaves nothing open then.
 */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  // Two connections: a long answer to a query must not stand in the way of a commit.
  const ingest = await connectRedis(options.redisUrl, options.redis);
  let queries: RedisConnection | undefined;
  try {
    queries = await connectRedis(options.redisUrl, options.redis);
    return await assemble(options, ingest, queries);
  } catch (thrown) {
    await Promise.all([ingest.close(), queries?.close()]);
    throw thrown;
  }
}

async function assemble(
  options: CollectorOptions,
  ingest: RedisConnection,
  queries: RedisConnection,
): Promise<Collector> {
  const { clock = systemClock } = options;
  const log = limitRepeats(options.log ?? logToStderr, clock);
  const { host, port, headersTimeoutMs, requestTimeoutMs, idleTimeoutMs, connectionsMax } = options;
  const bounds = { headersTimeoutMs, requestTimeoutMs, idleTimeoutMs, connectionsMax };
  const batcher = makeBatcher(options, ingest, clock);
  const routes = [
    writeRoute({ batcher, clock, log }),
    countRoute({ connection: queries, retention: withDefaults(options.retention), clock, log }),
    totalsRoute(queries, log),
    healthRoute(healthReader(batcher, ingest, clock, options.worker), log),
    pingRoute(log),
  ];
  try {
    const server = await startHttpServer({ host, port, routes, log, clock, ...bounds });
    return openCollector(host, server, batcher, [ingest, queries]);
  } catch (thrown) {
    batcher.close();
    throw thrown;
  }
}

function openCollector(
  host: string,
  server: HttpServer,
  batcher: Batcher,
  connections: readonly RedisConnection[],
): Collector {
  const { port } = server;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await server.close(closeDeadlineMs);
    await batcher.drain();
    batcher.close();
    await Promise.all(connections.map((connection) => connection.close()));
  };
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    url,
    port,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

function makeBatcher(options: CollectorOptions, connection: RedisConnection, clock: Clock): Batcher {
  const { queueEventsMax, queueBytesMax, lingerMs } = options;
  const storeOptions = options.retention === undefined ? { clock } : { clock, retention: options.retention };
  return new Batcher({
    clock,
    openStore: (property) => new PropertyStore(connection, property, storeOptions),
    batchEventsMax: commitEventsMax,
    batchBytesMax: commitBytesMax,
    queueEventsMax,
    queueBytesMax,
    lingerMs,
  });
}

function healthReader(
  batcher: Batcher,
  connection: RedisConnection,
  clock: Clock,
  { number, workers }: WorkerPlace = { number: 1, workers: 1 },
): () => HealthReply {
  const version = readVersion();
  const place = { pid: process.pid, worker: number, workers };
  const startedMs = clock.monotonicMs();
  return () => {
    const isConnected = connection.isReady();
    return {
      overall: { status: isConnected ? 'PASSED' : 'FAILED' },
      collector: { version, ...place, uptimeMs: Math.round(clock.monotonicMs() - startedMs) },
      redis: { status: isConnected ? 'connected' : 'away', version: connection.serverVersion },
      queue: batcher.queued,
    };
  };
}

function logToStderr(line: string): void {
  process.stderr.write(`crowdbeat: ${line}\n`);
}
