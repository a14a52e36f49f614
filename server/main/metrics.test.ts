import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventCounts } from '../ingest/event-counts.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';
import { addedMetrics, Metrics } from './metrics.ts';
import { CommitCounts } from './metrics-commits.ts';
import { PlainHistogram } from './metrics-histogram.ts';

let test: TestCollector;
beforeAll(async () => {
  test = await startTestCollector();
});
afterAll(() => test.stop());

/** The value of one line of the text, by name and labels. */
function figureOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

async function read(): Promise<string> {
  const reply = await fetch(`${test.collector.url}/metrics`);
  expect(reply.status).toBe(200);
  expect(reply.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return reply.text();
}

const event = (seq: number) => ({ event: { type: 'view', seq }, session: { id: 'm' }, visitor: { id: 'm' } });

describe('GET /metrics', () => {
  it('counts events by what became of them, on the direct path and on the other', async () => {
    await test.write(event(1));
    await test.write(event(1));
    await test.write(event(2), { 'content-type': 'text/plain' });
    await test.write({ items: [event(3), { event: { type: 'view' } }, event(30_000)] });
    await test.write({ event: {} });
    const text = await read();
    expect(figureOf(text, 'crowdbeat_events_total{outcome="accepted",reason=""}')).toBe(3);
    expect(figureOf(text, 'crowdbeat_events_total{outcome="duplicate",reason=""}')).toBe(1);
    expect(figureOf(text, 'crowdbeat_events_total{outcome="rejected",reason="missing_visitor"}')).toBe(1);
    expect(figureOf(text, 'crowdbeat_events_total{outcome="rejected",reason="seq_jump"}')).toBe(1);
    expect(figureOf(text, 'crowdbeat_events_total{outcome="rejected",reason="missing_type"}')).toBe(1);
    expect(figureOf(text, 'crowdbeat_events_total{outcome="rejected",reason="too_old"}')).toBe(0);
  });

  it('counts requests by route and status; a path that nobody knows is no route of its own', async () => {
    const before = await read();
    await test.get('/made/up/by/a/scanner');
    await test.get('/count?event=view');
    await test.write('no json');
    const text = await read();
    const grown = (series: string): number => (figureOf(text, series) ?? 0) - (figureOf(before, series) ?? 0);
    expect(grown('crowdbeat_requests_total{route="other",status="404"}')).toBe(1);
    expect(grown('crowdbeat_requests_total{route="/count",status="400"}')).toBe(1);
    expect(grown('crowdbeat_requests_total{route="/write",status="400"}')).toBe(1);
    expect(grown('crowdbeat_requests_total{route="/metrics",status="200"}')).toBe(1);
    expect(text).not.toContain('scanner');
  });

  it('tells of batches, commits, queue, connections, event loop and process', async () => {
    const text = await read();
    const commits = figureOf(text, 'crowdbeat_commit_seconds_count');
    expect(commits).toBeGreaterThan(0);
    expect(figureOf(text, 'crowdbeat_batch_events_count')).toBe(commits);
    expect(figureOf(text, 'crowdbeat_batch_events_bucket{le="+Inf"}')).toBe(commits);
    expect(figureOf(text, 'crowdbeat_batch_events_sum')).toBeGreaterThanOrEqual(commits ?? 0);
    expect(figureOf(text, 'crowdbeat_queue_events')).toBe(0);
    expect(figureOf(text, 'crowdbeat_connections')).toBeGreaterThan(0);
    for (const name of [
      'crowdbeat_event_loop_lag_p99_seconds',
      'crowdbeat_redis_resets_total',
      'process_resident_memory_bytes',
      'nodejs_heap_size_used_bytes',
    ])
      expect([name, figureOf(text, name)]).toEqual([name, expect.any(Number)]);
  });

  it('refuses query parameters and other methods', async () => {
    expect((await test.get('/metrics?name=x')).status).toBe(400);
    expect((await fetch(`${test.collector.url}/metrics`, { method: 'DELETE' })).status).toBe(405);
  });
});

describe('the figures of several processes', () => {
  it('are added up, and of the lag the worst is told', async () => {
    const processes = [1, 2, 3].map((number) => metricsOf(number));
    const { text } = await addedMetrics(await Promise.all(processes.map((one) => one.data())));
    expect(figureOf(text, 'crowdbeat_events_total{outcome="accepted",reason=""}')).toBe(6);
    expect(figureOf(text, 'crowdbeat_queue_events')).toBe(60);
    expect(figureOf(text, 'crowdbeat_batch_events_count')).toBe(3);
    expect(figureOf(text, 'crowdbeat_batch_events_sum')).toBe(6);
    expect(figureOf(text, 'crowdbeat_batch_events_bucket{le="2"}')).toBe(2);
    expect(figureOf(text, 'crowdbeat_event_loop_lag_p99_seconds')).toBe(0.03);
  });
});

function metricsOf(number: number): Metrics {
  const commits = new CommitCounts();
  commits.batchEvents.observe(number);
  return new Metrics({
    events: { accepted: number, duplicates: 0, rejected: new Map() } as unknown as EventCounts,
    commits,
    requests: { connections: 1, connectionsRefused: 0, entries: () => [] } as never,
    queued: () => ({ events: 10 * number, bytes: 0 }),
    loopLag: () => ({ p99Ms: 10 * number, maxMs: 0 }),
    redisResets: () => 0,
  });
}

it('a histogram counts a value at its bound to that bound, and one above all to none', () => {
  const histogram = new PlainHistogram([1, 10]);
  for (const value of [0.5, 1, 1.5, 10, 11]) histogram.observe(value);
  expect(histogram.counts).toEqual([2, 2, 1]);
  expect(histogram.sum).toBe(24);
});
