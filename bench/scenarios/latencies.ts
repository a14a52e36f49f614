/** Bucket counts as the latency of a trial's record. */
import { HistogramSet, Recorder } from '../../sim/measure/index.ts';
import { type BucketCounts, type Latency, latencyRecord } from '../record/index.ts';

/** Every value counts as the highest of its bucket: true to 3 digits, as percentiles of a histogram are. */
export function latencyOfBuckets(...histograms: readonly Pick<BucketCounts, 'highUs' | 'counts'>[]): Latency {
  const recorder = new Recorder();
  const series = recorder.seriesOf('response', 'all');
  for (const { highUs, counts } of histograms)
    for (const [at, us] of highUs.entries())
      for (let left = counts[at] as number; left > 0; left -= 1) recorder.record(series, us);
  const set = new HistogramSet({ steadyFromMs: 0 });
  set.add(recorder.takeInterval(1));
  const histogram = set.histogram('whole', 'response');
  return histogram === undefined ? emptyLatency : latencyRecord(histogram);
}

export const emptyLatency: Latency = {
  ...{ n: 0, min: 0, p50: null, p90: null, p99: null, p999: null, max: 0, mean: 0, hdr: null },
};
