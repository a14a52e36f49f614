/**
 * The figures of one process for Prometheus. Only this file and metrics-*.ts know prom-client. Whatever is counted
 * often is a plain number elsewhere and is read here when somebody asks.
 */
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { MetricsText } from '../http/metrics.ts';
import type { RequestCounts } from '../http/request-counts.ts';
import type { EventCounts } from '../ingest/event-counts.ts';
import type { LoopLag } from './event-loop-lag.ts';
import type { CommitCounts } from './metrics-commits.ts';
import { ReadHistogram } from './metrics-histogram.ts';

export interface MetricsSources {
  readonly events: EventCounts;
  readonly commits: CommitCounts;
  readonly requests: RequestCounts;
  readonly queued: () => { readonly events: number; readonly bytes: number };
  readonly loopLag: () => LoopLag;
  /** How often a connection to Redis was lost, all connections together. */
  readonly redisResets: () => number;
}

/** The figures of one process in a form that another process can add up. */
export type MetricsData = readonly object[];

export class Metrics {
  readonly #registry = new Registry();

  constructor(sources: MetricsSources) {
    const register = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#counter(
      'crowdbeat_events_total',
      'Events, by what became of them',
      ['outcome', 'reason'],
      (add) => {
        const { accepted, duplicates, rejected } = sources.events;
        add(accepted, { outcome: 'accepted', reason: '' });
        add(duplicates, { outcome: 'duplicate', reason: '' });
        for (const [reason, count] of rejected) add(count, { outcome: 'rejected', reason });
      },
    );
    this.#counter('crowdbeat_async_events_total', 'Events acknowledged as queued', ['outcome'], (add) => {
      const { queued = 0, failed = 0 } = sources.events.async ?? {};
      add(queued, { outcome: 'queued' });
      add(failed, { outcome: 'failed' });
    });
    this.#counter('crowdbeat_requests_total', 'Requests, by route and status', ['route', 'status'], (add) => {
      for (const { route, status, count } of sources.requests.entries())
        add(count, { route, status: String(status) });
    });
    this.#counter('crowdbeat_commit_errors_total', 'Commits that failed, by error', ['code'], (add) => {
      for (const [code, count] of sources.commits.errors) add(count, { code });
    });
    this.#counter('crowdbeat_redis_resets_total', 'Lost connections to Redis', [], (add) =>
      add(sources.redisResets(), {}),
    );
    this.#counter(
      'crowdbeat_connections_refused_total',
      'Connections refused because too many were open',
      [],
      (add) => add(sources.requests.connectionsRefused, {}),
    );
    const gauge = (name: string, help: string, read: () => number, aggregator: 'sum' | 'max' = 'sum') =>
      new Gauge({
        name,
        help,
        registers: register,
        aggregator,
        collect() {
          this.set(read());
        },
      });
    gauge('crowdbeat_queue_events', 'Events queued or being committed', () => sources.queued().events);
    gauge('crowdbeat_queue_bytes', 'Bytes of these events', () => sources.queued().bytes);
    gauge('crowdbeat_connections', 'Open connections of clients', () => sources.requests.connections);
    const lagSeconds = () => sources.loopLag().p99Ms / 1000;
    gauge('crowdbeat_event_loop_lag_p99_seconds', 'Of the last 5 s; of the worst process', lagSeconds, 'max');
    const { batchEvents, commitSeconds } = sources.commits;
    const batches = new ReadHistogram('crowdbeat_batch_events', 'Events of one commit', batchEvents);
    const times = new ReadHistogram('crowdbeat_commit_seconds', 'Time of one commit', commitSeconds);
    for (const histogram of [batches, times]) this.#registry.registerMetric(histogram);
  }

  /** A counter whose values are read when it is asked for. */
  #counter(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: (add: (value: number, labels: Record<string, string>) => void) => void,
  ): void {
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect() {
        this.reset();
        read((value, labels) => this.inc(labels, value));
      },
    });
  }

  async data(): Promise<MetricsData> {
    return this.#registry.getMetricsAsJSON();
  }

  /** Of this process alone. */
  async text(): Promise<MetricsText> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}

/** The figures of several processes as one: counters, histograms and queues added up, the worst lag. */
export async function addedMetrics(processes: readonly MetricsData[]): Promise<MetricsText> {
  const all = AggregatorRegistry.aggregate([...processes] as object[]);
  return { contentType: all.contentType, text: await all.metrics() };
}
