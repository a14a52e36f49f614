/** What an operator looks at: the figures, the health and the upkeep of one process of the collector. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../http/failure.ts';
import type { MetricsText } from '../http/metrics.ts';
import { RequestCounts } from '../http/request-counts.ts';
import type { Batcher, PropertyCommits } from '../ingest/batcher.ts';
import type { GeoSource } from '../ingest/enrich/geo-database.ts';
import { EventCounts } from '../ingest/event-counts.ts';
import type { HealthReply } from '../protocol/replies.ts';
import type { RedisConnection } from '../store/connection.ts';
import type { Retention } from '../store/retention.ts';
import { EventLoopLag } from './event-loop-lag.ts';
import { judgeHealth, redisHealth } from './health.ts';
import { Metrics } from './metrics.ts';
import { CommitCounts, meteredCommits } from './metrics-commits.ts';
import type { MetricsPeers } from './metrics-gather.ts';
import { RedisWatch } from './redis-watch.ts';
import { Sweeper } from './sweeper.ts';
import { readBuild, readVersion } from './version.ts';

export interface OperationsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Commits go through it. */
  readonly ingest: RedisConnection;
  /** What places are read from, if they are. */
  readonly geo?: GeoSource | undefined;
  /** Questions go through it, those about the state of Redis too. */
  readonly queries: RedisConnection;
  /** Bounds of the queues. */
  readonly queueMax: { readonly events: number; readonly bytes: number };
  /** From 1, of how many processes. */
  readonly place: { readonly number: number; readonly workers: number };
  readonly retention: Retention;
  readonly sweepIntervalMs?: number | undefined;
  /** The other processes of this collector; without them the figures are of this one. */
  readonly peers?: MetricsPeers | undefined;
}

const nothingQueued = { events: 0, bytes: 0 };

export class Operations {
  readonly events = new EventCounts();
  readonly commits = new CommitCounts();
  readonly requests = new RequestCounts();
  readonly #options: OperationsOptions;
  readonly #lag = new EventLoopLag();
  readonly #watch: RedisWatch;
  readonly #metrics: Metrics;
  readonly #sweeper: Sweeper;
  readonly #version = readVersion();
  readonly #startedMs: number;
  #batcher: Batcher | undefined;

  constructor(options: OperationsOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
    this.#watch = new RedisWatch(options.ingest, options.clock, options.log);
    this.#metrics = new Metrics({
      events: this.events,
      commits: this.commits,
      requests: this.requests,
      queued: () => this.#batcher?.queued ?? nothingQueued,
      loopLag: () => this.#lag.read(),
      redisResets: () => options.ingest.resets + options.queries.resets,
    });
    const { queries: connection, clock, log, retention, sweepIntervalMs: intervalMs } = options;
    this.#sweeper = new Sweeper({ connection, clock, log, retention, intervalMs });
    options.peers?.serve(() => this.#metrics.data());
  }

  /** Says whose queues are looked at. */
  watch(batcher: Batcher): void {
    this.#batcher = batcher;
  }

  /** A property's store, with its commits counted. */
  metered(store: PropertyCommits): PropertyCommits {
    return meteredCommits(store, this.commits, this.events, this.#options.clock);
  }

  /** Of all processes of this collector. */
  metrics(): Promise<MetricsText> {
    return this.#options.peers?.gather() ?? this.#metrics.text();
  }

  async health(): Promise<HealthReply> {
    const { clock, ingest, queueMax, place } = this.#options;
    const redis = await this.#watch.look();
    const queue = this.#batcher?.queued ?? nothingQueued;
    const loopLag = this.#lag.read();
    const { status, problems } = judgeHealth({ nowMs: clock.wallMs(), redis, queue, queueMax, loopLag });
    const uptimeMs = Math.round(clock.monotonicMs() - this.#startedMs);
    return {
      overall: { status },
      problems,
      collector: {
        version: this.#version,
        build: readBuild(),
        pid: process.pid,
        worker: place.number,
        workers: place.workers,
        uptimeMs,
      },
      redis: redisHealth(redis, ingest.serverVersion),
      queue: { ...queue, eventsMax: queueMax.events, bytesMax: queueMax.bytes },
      geo: geoHealth(this.#options.geo),
      eventLoop: { lagP99Ms: loopLag.p99Ms, lagMaxMs: loopLag.maxMs },
    };
  }

  /** Before the connections are closed. */
  async stop(): Promise<void> {
    this.#watch.stop();
    this.#lag.stop();
    await this.#sweeper.stop();
  }
}

/** Not the file's path: this reply is for everybody. */
function geoHealth(source: GeoSource | undefined): NonNullable<HealthReply['geo']> {
  if (source === undefined) return { status: 'off' };
  const { type, built, attribution } = source;
  return { status: 'on', database: type, built, ...(attribution === undefined ? {} : { attribution }) };
}
