/** Comparisons for tests of what is made from them: whole sessions, with real histograms, the same every time. */
import { HistogramSet, Recorder } from '../../sim/measure/index.ts';
import { deriveStream } from '../../sim/random/random-stream.ts';
import { compareSession } from '../compare/index.ts';
import { type Latency, latencyRecord, type Session, type StoredSession } from '../record/index.ts';
import { samplePlan, sampleSession, sampleTrial } from '../record/session.testing.ts';
import type { Reported } from './reported.ts';

/** 12,000 latencies about a median, with a tail: enough for a p99 of 100 samples. */
export function latencyOf(medianUs: number, seed: number, count = 12_000): Latency {
  const recorder = new Recorder();
  const series = recorder.seriesOf('response', 'view');
  const stream = deriveStream(seed, 1);
  for (let at = 0; at < count; at += 1) {
    const share = (at + 0.5) / count;
    const shape = (share / (1 - share)) ** 0.22;
    recorder.record(series, Math.round(medianUs * shape * (1 + (stream.int(100) - 50) / 2000)));
  }
  const set = new HistogramSet({ steadyFromMs: 0 });
  set.add(recorder.takeInterval(1000));
  const histogram = set.histogram('whole', 'response');
  if (histogram === undefined) throw new Error('nothing was recorded');
  return latencyRecord(histogram);
}

export interface StoredMaking {
  readonly pairs?: number;
  /** Of the candidate's latency to the base's. */
  readonly factor?: number;
  readonly session?: Partial<Session>;
}

/** A session of two operations, `view` and `query.and`, of which the candidate's `query.and` is slower. */
export function madeSession({ pairs = 12, factor = 1, session = {} }: StoredMaking = {}): StoredSession {
  const whole = sampleSession({ plan: samplePlan(pairs), ...session });
  const trials = Array.from({ length: pairs }, (_, at) => at + 1).flatMap((pair) =>
    (['B', 'C'] as const).map((arm) => {
      const level = 1 + pair / 60 + (arm === 'C' ? ((pair * 7) % 11) / 500 - 0.01 : 0);
      const query = 2400 * level * (arm === 'C' ? factor : 1);
      const latencies = (medianUs: number, seed: number) => ({
        response: latencyOf(medianUs, seed),
        service: latencyOf(medianUs * 0.9, seed + 1),
      });
      const ops = { view: latencies(800 * level, pair), 'query.and': latencies(query, pair + 50) };
      return sampleTrial(pair, arm, 800, { ops });
    }),
  );
  return { session: whole, trials, notes: [] };
}

/** `query.and` 20 % slower in the first session and in the one that confirms it. */
export function regressedReport(): Reported {
  const stored = madeSession({ factor: 1.2 });
  const fresh = { id: 'fresh', kind: 'confirm', confirms: stored.session.id, seed: 7 } as const;
  const confirmation = madeSession({ pairs: 8, factor: 1.2, session: fresh });
  return { stored, comparison: compareSession(stored, { tool: '0.1.0', confirmation }) };
}
