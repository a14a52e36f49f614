/** The public entry of this room. */
export { HistogramSet, type LatencyWindow, latencyWindows, type MetricSummary } from './histogram-set.ts';
export { IntervalLog, type IntervalLogOptions } from './interval-log.ts';
export { type IntervalSnapshot, type Metric, metrics, transferablesOf } from './interval-snapshot.ts';
export type { LatencySummary } from './latency-histogram.ts';
export { latencyUsMax } from './latency-index.ts';
export { Recorder } from './recorder.ts';
