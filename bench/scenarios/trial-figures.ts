/** The figures of a trial from what its programs left: the crowd's interval log and result, the questions' result. */
import type { RunResult } from '../../sim/run/index.ts';
import {
  type BucketCounts,
  decodeHistogram,
  type IntervalLogText,
  type Latency,
  type Trial,
} from '../record/index.ts';
import { mergeHistograms, quantileUs, steadiness } from '../stats/index.ts';
import { latencyOfBuckets } from './latencies.ts';
import type { QueryLoadResult } from './query-load.ts';
import type { TrialLoad } from './trial.ts';

export interface CrowdFigures {
  readonly completed: number;
  readonly latency: { readonly response: Latency; readonly service: Latency };
  readonly lateness: BucketCounts;
  /** Share of all requests' time that was spent waiting for a connection. */
  readonly blockedShare: number;
  readonly steady: Trial['steady'];
}

/** Of the window alone: seconds from the end of the warm-up until the crowd was to leave. */
export function crowdFigures({ intervals }: IntervalLogText, load: TrialLoad): CrowdFigures {
  const [fromMs, toMs] = [load.warmupS * 1000, (load.warmupS + load.measureS) * 1000];
  const within = intervals.filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
  const of = (tag: string): BucketCounts =>
    mergeHistograms(within.filter((interval) => interval.tag === tag).map(({ histogram }) => histogram));
  const [response, blocked] = [of(''), of('blocked')];
  const medians = within
    .filter(({ tag, histogram }) => tag === '' && histogram.total > 0)
    .map(({ histogram }) => Math.max(1, quantileUs(histogram, 0.5) ?? 1));
  const all = sumUs(response);
  return {
    completed: response.total,
    latency: { response: latencyOfBuckets(response), service: latencyOfBuckets(of('service')) },
    lateness: of('lateness'),
    blockedShare: all === 0 ? 0 : Math.min(1, sumUs(blocked) / all),
    steady: steadiness(medians),
  };
}

function sumUs({ lowUs, counts }: BucketCounts): number {
  return lowUs.reduce((sum, us, at) => sum + us * (counts[at] as number), 0);
}

export function rateOf(
  { events, errors }: RunResult,
  completed: number,
  asked: QueryLoadResult,
): Trial['rate'] {
  const failedTries = Object.values(errors).reduce((sum, count) => sum + count, 0);
  const missed = events.planned - events.acked;
  return {
    offered: completed + missed + asked.offered,
    sent: completed + (events.sent - events.acked) + asked.sent,
    completed: completed + asked.completed,
    errors: failedTries + events.rejected + asked.errors,
    unsent: events.failed + events.dropped,
    timeouts: asked.timeouts,
  };
}

/**
 * The crowd keeps its appointments by timers, which Node lets be late by up to a millisecond, in both arms alike and
 * on the quietest machine. What tells of a generator in trouble is what goes beyond.
 */
const timerUs = 1000;

function beyondTimer({ highUs, counts }: BucketCounts): Pick<BucketCounts, 'highUs' | 'counts'> {
  return { highUs: highUs.map((us) => Math.max(0, us - timerUs)), counts };
}

/** The worse of the two generators, which ran one after the other. */
export function generatorOf(
  { generator, events }: RunResult,
  { lateness, blockedShare }: CrowdFigures,
  asked: QueryLoadResult,
): Trial['generator'] {
  const askedLag =
    asked.sendLag.hdr === null ? [] : [decodeHistogram(asked.sendLag.hdr, 'send lag of questions')];
  const { utilisation } = generator.health;
  return {
    sendLag: latencyOfBuckets(beyondTimer(lateness), ...askedLag),
    elu: Math.max(utilisation, asked.elu),
    loopDelayP99Us: asked.loopDelayP99Us,
    cpuS: (generator.cpuUsPerEvent * events.sent) / 1e6 + asked.cpuS,
    blockedShare,
  };
}
