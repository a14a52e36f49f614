/** The collector: everything that answers HTTP, put together. */
import { type AccessMode, Gate } from '../access/authorize.ts';
import type { PasswordCost } from '../access/password.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { accessRoutes } from '../http/access-routes.ts';
import { Admission } from '../http/admission.ts';
import { countRoute } from '../http/count.ts';
import { DurableWrites } from '../http/durable-write.ts';
import { eventRoutes } from '../http/event-routes.ts';
import type { Log, LogLevel } from '../http/failure.ts';
import { healthRoute, pingRoute } from '../http/health.ts';
import { type InjectedDelay, withInjectedDelay } from '../http/injected-delay.ts';
import { metricsRoute } from '../http/metrics.ts';
import { type HttpServer, startHttpServer } from '../http/server.ts';
import { totalsRoute } from '../http/totals.ts';
import { visitorsRoute } from '../http/visitors.ts';
import { writeRoute } from '../http/write.ts';
import { Batcher } from '../ingest/batcher.ts';
import { type EnrichmentOptions, openEnricher } from '../ingest/enrich/open-enricher.ts';
import { defaultTimeLimits, type TimeLimits } from '../ingest/enrich.ts';
import { Intake } from '../ingest/intake.ts';
import { type ConnectOptions, connectRedis, type RedisConnection } from '../store/connection.ts';
import { type Retention, withDefaults } from '../store/retention.ts';
import { commitBytesMax, commitEventsMax, PropertyStore } from '../store/store.ts';
import { applyIdentity } from '../store/users.ts';
import { Announcer } from './announce.ts';
import { Confirming } from './confirming.ts';
import { type EventQueryParts, type EventQueryPartsOptions, openEventQueries } from './event-queries.ts';
import { type LogFormat, makeLog } from './log.ts';
import { limitRepeats } from './log-limiter.ts';
import type { MetricsPeers } from './metrics-gather.ts';
import { Operations, type OperationsOptions } from './operations.ts';
import { Sealing, type SealingOptions } from './sealing.ts';
import type { FlushOptions } from './session-flusher.ts';
import { SessionParts } from './session-parts.ts';

export interface CollectorOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Where Redis is, in the forms that `connectRedis` knows. */
  readonly redisUrl: string;
  readonly clock?: Clock;
  /**
   * `closed`: whoever asks shows a token or a publish key. `open`, the default of this function and of no command:
   * nobody is asked.
   */
  readonly access?: AccessMode | undefined;
  /** Of new passwords; tests take less. */
  readonly passwordCost?: PasswordCost | undefined;
  /** Gets one line for each internal error. Default: stderr, as `logFormat` and `logLevel` say. */
  readonly log?: Log;
  readonly logFormat?: LogFormat | undefined;
  readonly logLevel?: LogLevel | undefined;
  /** Bounds of all queues together. Default 50,000 events and 64 MiB. */
  readonly queueEventsMax?: number;
  readonly queueBytesMax?: number;
  /** How long a write may wait under load for others to share its commit. Default 8 ms. */
  readonly lingerMs?: number;
  readonly retention?: Partial<Retention>;
  /** Between two sweeps of what has expired. Default 1 h. */
  readonly sweepIntervalMs?: number;
  /** How far an event's own time may lie back and ahead. Default: seven days and five minutes. */
  readonly timeLimits?: Partial<TimeLimits> | undefined;
  /** Where visitors are and what they browse with. Default: agents are read, places are not known. */
  readonly enrichment?: EnrichmentOptions | undefined;
  /** Questions about stored events: their limits, and how much is kept in memory for them. */
  readonly eventQueries?: Pick<EventQueryPartsOptions, 'limits' | 'cacheBytesMax'> | undefined;
  /** When full segments of stored events are sealed; see there. */
  readonly sealDelayMs?: SealingOptions['sealDelayMs'];
  readonly sealBacklog?: SealingOptions['sealBacklog'];
  /** Writes an event for each session that fell silent, in every session store. Default: does not. */
  readonly flush?: FlushOptions | undefined;
  readonly redis?: ConnectOptions;
  readonly headersTimeoutMs?: number | undefined;
  readonly requestTimeoutMs?: number | undefined;
  readonly idleTimeoutMs?: number | undefined;
  /** Connections at a time; more are answered 503 and closed. Default: what the descriptors allow. */
  readonly connectionsMax?: number | undefined;
  /** Makes some requests slower by a known share, so that a benchmark can prove that it sees it. Default: none. */
  readonly injectedDelay?: InjectedDelay | undefined;
  /** Which of how many processes of this collector this is. Default: the only one. */
  readonly worker?: WorkerPlace;
  /** How long other collectors believe this one to live after its last sign of life. Default 15 s. */
  readonly nodeLifeMs?: number | undefined;
  /** The other processes, for figures of all of them. */
  readonly peers?: MetricsPeers;
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
  const { logFormat: format, logLevel: level } = options;
  const log = limitRepeats(options.log ?? makeLog({ format, level, clock }), clock);
  const { host, port, headersTimeoutMs, requestTimeoutMs, idleTimeoutMs, connectionsMax } = options;
  const bounds = { headersTimeoutMs, requestTimeoutMs, idleTimeoutMs, connectionsMax };
  const enricher = openEnricher(options.enrichment, { ...defaultTimeLimits, ...options.timeLimits });
  const operations = openOperations(options, { clock, log, ingest, queries, geo: enricher.geoSource });
  const { sealDelayMs, sealBacklog } = options;
  const queuedEvents = (): number => batcher.queued.events;
  const sealing = new Sealing({ connection: queries, clock, log, sealDelayMs, sealBacklog, queuedEvents });
  const batcher = makeBatcher(options, ingest, clock, operations, sealing);
  operations.watch(batcher);
  const intake = makeIntake(batcher, ingest, log);
  operations.events.async = intake.asyncCounts;
  const { worker: place = { number: 1, workers: 1 } } = options;
  const announcer = new Announcer({ connection: queries, clock, place, lifeMs: options.nodeLifeMs });
  const confirming = new Confirming(options.redisUrl, options.redis);
  const durable = new DurableWrites({ intake, batcher, confirmations: () => confirming.open() });
  const { lingerMs, flush } = options;
  const sessions = new SessionParts({ ingest, queries, intake, enricher, clock, log, lingerMs, flush });
  const gate = new Gate({ connection: ingest, clock, mode: options.access ?? 'open' });
  const admission = new Admission(gate, log);
  const events = openEventQueries({
    ...{ connection: queries, clock, log, ...options.eventQueries },
    onUse: (property) => sealing.use(property),
  });
  const routes = [
    ...accessRoutes({
      ...{ connection: ingest, gate, clock, log, passwordCost: options.passwordCost },
      addressOf: (sender) => enricher.receipt(clock.wallMs(), sender).ip,
    }),
    writeRoute({ intake, clock, log, counts: operations.events, enricher, durable }),
    ...eventRoutes({ intake, enricher, counts: operations.events, connection: queries, clock, log }),
    countRoute({ connection: queries, retention: withDefaults(options.retention), clock, log }),
    visitorsRoute({ connection: queries, retention: withDefaults(options.retention), clock, log }),
    ...sessions.routes,
    totalsRoute(queries, log),
    ...events.routes,
    healthRoute(async () => ({ ...(await operations.health()), collectors: announcer.collectors }), log),
    metricsRoute(() => operations.metrics(), log),
    pingRoute(log),
  ];
  try {
    const counts = operations.requests;
    const { injectedDelay } = options;
    const served = injectedDelay === undefined ? routes : withInjectedDelay(routes, injectedDelay, clock);
    const listening = { host, port, routes: served, log, clock, counts, admission, ...bounds };
    const server = await startHttpServer(listening);
    const collector = openCollector(
      host,
      server,
      batcher,
      intake,
      operations,
      announcer,
      confirming,
      sessions,
      events,
      sealing,
      [ingest, queries],
    );
    await announcer.start(collector.url);
    return collector;
  } catch (thrown) {
    events.close();
    await sealing.stop();
    await sessions.stop();
    await operations.stop();
    batcher.close();
    throw thrown;
  }
}

function openCollector(
  host: string,
  server: HttpServer,
  batcher: Batcher,
  intake: Intake,
  operations: Operations,
  announcer: Announcer,
  confirming: Confirming,
  sessions: SessionParts,
  events: EventQueryParts,
  sealing: Sealing,
  connections: readonly RedisConnection[],
): Collector {
  const { port } = server;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await announcer.stop();
    await server.close(closeDeadlineMs);
    await confirming.close();
    events.close();
    await sessions.stop();
    await batcher.drain();
    await intake.drain();
    batcher.close();
    await sealing.stop();
    await operations.stop();
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

function makeIntake(batcher: Batcher, connection: RedisConnection, log: Log): Intake {
  return new Intake({
    batcher,
    applyIdentity: (property, change, wasStoredBefore) =>
      applyIdentity(connection, property, change, wasStoredBefore),
    log: (line) => log(line),
  });
}

const queueEventsMaxDefault = 50_000;
const queueBytesMaxDefault = 64 * 1_048_576;

function openOperations(
  options: CollectorOptions,
  parts: Pick<OperationsOptions, 'clock' | 'log' | 'ingest' | 'queries' | 'geo'>,
): Operations {
  const { queueEventsMax = queueEventsMaxDefault, queueBytesMax = queueBytesMaxDefault } = options;
  const { worker: place = { number: 1, workers: 1 }, peers } = options;
  const queueMax = { events: queueEventsMax, bytes: queueBytesMax };
  const retention = withDefaults(options.retention);
  const { sweepIntervalMs } = options;
  return new Operations({ ...parts, queueMax, place, retention, sweepIntervalMs, peers });
}

function makeBatcher(
  options: CollectorOptions,
  connection: RedisConnection,
  clock: Clock,
  operations: Operations,
  sealing: Sealing,
): Batcher {
  const { queueEventsMax = queueEventsMaxDefault, queueBytesMax = queueBytesMaxDefault, lingerMs } = options;
  const storeOptions = options.retention === undefined ? { clock } : { clock, retention: options.retention };
  return new Batcher({
    clock,
    openStore: (property) =>
      operations.metered(sealing.watched(property, new PropertyStore(connection, property, storeOptions))),
    batchEventsMax: commitEventsMax,
    batchBytesMax: commitBytesMax,
    queueEventsMax,
    queueBytesMax,
    lingerMs,
  });
}
