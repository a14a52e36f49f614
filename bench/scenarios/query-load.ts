/**
 * A process of its own that asks a collector the same questions at a fixed rate, open loop, and prints what came of
 * it: each question is meant for a moment, whatever became of the one before.
 *
 *   node dist/bench/scenarios/query-load.js '{"url": …, "ratePerSec": 200, "warmupS": 1, "measureS": 5, "seed": 1}'
 */
import { Agent, request } from 'node:http';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '../../server/base/clock.ts';
import { HistogramSet, type Metric, Recorder } from '../../sim/measure/index.ts';
import { deriveStream } from '../../sim/random/random-stream.ts';
import type { Latency } from '../record/index.ts';
import { latencyRecord } from '../record/index.ts';
import { emptyLatency } from './latencies.ts';

export interface QueryLoad {
  readonly url: string;
  readonly ratePerSec: number;
  readonly warmupS: number;
  readonly measureS: number;
  readonly seed: number;
}

export interface QueryLoadResult {
  readonly startedWallMs: number;
  readonly offered: number;
  readonly sent: number;
  readonly completed: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly ops: Readonly<Record<string, { readonly response: Latency; readonly service: Latency }>>;
  readonly sendLag: Latency;
  readonly elu: number;
  readonly loopDelayP99Us: number;
  readonly cpuS: number;
}

interface Question {
  readonly op: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

const timeoutMs = 10_000;
const connections = 16;
const timerMs = 1.5;

/** What dashboards ask most: one bucket, and a set expression over the day. */
function questionsAt(wallMs: number): Question[] {
  const day = new Date(wallMs).toISOString().slice(0, 10);
  const expression = { and: [{ event: 'view' }, { not: { event: 'purchase' } }] };
  return [
    { op: 'query.count', method: 'GET', path: `/count?event=view&bucket=${day}` },
    {
      op: 'query.visitors',
      method: 'POST',
      path: '/visitors/query',
      body: JSON.stringify({ bucket: day, uniques: expression }),
    },
  ];
}

class Asker {
  readonly recorder = new Recorder();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: connections });
  readonly #url: URL;
  #pending = 0;
  counts = { offered: 0, sent: 0, completed: 0, errors: 0, timeouts: 0 };

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** @param meantMs of the monotonic clock */
  ask({ op, method, path, body }: Question, meantMs: number, counted: boolean): void {
    const sentMs = systemClock.monotonicMs();
    this.#pending += 1;
    if (counted) {
      this.counts.offered += 1;
      this.counts.sent += 1;
      this.#record('lateness', 'all', sentMs - meantMs);
    }
    const finish = (outcome: 'completed' | 'errors' | 'timeouts'): void => {
      this.#pending -= 1;
      if (!counted) return;
      const nowMs = systemClock.monotonicMs();
      if (outcome !== 'completed') this.counts[outcome] += 1;
      if (outcome === 'timeouts') return;
      this.counts.completed += 1;
      this.#record('response', op, nowMs - meantMs);
      this.#record('service', op, nowMs - sentMs);
    };
    const headers =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length };
    const options = { agent: this.#agent, method, path, headers, timeout: timeoutMs };
    const asked = request({ ...options, host: this.#url.hostname, port: this.#url.port }, (response) => {
      response.on('end', () => finish(response.statusCode === 200 ? 'completed' : 'errors')).resume();
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => finish('timeouts'));
    asked.end(body);
  }

  #record(metric: Metric, type: string, ms: number): void {
    this.recorder.record(this.recorder.seriesOf(metric, type), ms * 1000);
  }

  async drain(): Promise<void> {
    const endMs = systemClock.monotonicMs() + timeoutMs;
    while (this.#pending > 0 && systemClock.monotonicMs() < endMs) await pause(5);
    this.#agent.destroy();
  }
}

async function run(load: QueryLoad): Promise<QueryLoadResult> {
  const asker = new Asker(load.url);
  const stream = deriveStream(load.seed, 77);
  const questions = questionsAt(systemClock.wallMs());
  const [warmupMs, wholeMs] = [load.warmupS * 1000, (load.warmupS + load.measureS) * 1000];
  const startMs = systemClock.monotonicMs();
  const startedWallMs = systemClock.wallMs();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let [dueMs, asked, before, cpu] = [0, 0, performance.eventLoopUtilization(), process.cpuUsage()];
  while (dueMs < wholeMs) {
    await until(startMs + dueMs);
    const counted = dueMs >= warmupMs;
    if (counted && asker.counts.offered === 0) {
      delay.reset();
      [before, cpu] = [performance.eventLoopUtilization(), process.cpuUsage()];
    }
    asker.ask(questions[asked % questions.length] as Question, startMs + dueMs, counted);
    asked += 1;
    // Exponential gaps: a Poisson process, the same for the same seed.
    dueMs += (-Math.log(1 - stream.int(1 << 30) / (1 << 30)) * 1000) / load.ratePerSec;
  }
  const elu = performance.eventLoopUtilization(before).utilization;
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  await asker.drain();
  return {
    startedWallMs,
    ...asker.counts,
    ...latenciesOf(asker, questions),
    elu,
    ...loopDelay(delay),
    cpuS: (user + system) / 1e6,
  };
}

/** A timer is true to a millisecond or two; the rest is waited for turn by turn of the event loop. */
async function until(momentMs: number): Promise<void> {
  for (;;) {
    const waitMs = momentMs - systemClock.monotonicMs();
    if (waitMs <= 0) return;
    if (waitMs > timerMs) await pause(waitMs - timerMs);
    else await turn();
  }
}

/** The timer's own period is in each value. */
function loopDelay(delay: { percentile(p: number): number }): { loopDelayP99Us: number } {
  return { loopDelayP99Us: Math.max(0, delay.percentile(99) / 1000 - 1000) };
}

function latenciesOf(
  { recorder }: Asker,
  questions: readonly Question[],
): Pick<QueryLoadResult, 'ops' | 'sendLag'> {
  const set = new HistogramSet({ steadyFromMs: 0 });
  set.add(recorder.takeInterval(1));
  const latency = (metric: Metric, type: string): Latency | undefined => {
    const histogram = set.histogram('whole', metric, type);
    return histogram === undefined ? undefined : latencyRecord(histogram);
  };
  const ops = Object.fromEntries(
    questions.map(({ op }) => [
      op,
      { response: latency('response', op) ?? emptyLatency, service: latency('service', op) ?? emptyLatency },
    ]),
  );
  return { ops, sendLag: latency('lateness', 'all') ?? emptyLatency };
}

// Whoever started this is gone: nobody reads the answer.
process.once('disconnect', () => process.exit(1));
const result = await run(JSON.parse(process.argv[2] ?? '{}') as QueryLoad);
process.stdout.write(JSON.stringify(result), () => process.exit(0));
