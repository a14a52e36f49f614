import { expect, test } from 'vitest';
import { HistogramSet } from './histogram-set.ts';
import type { IntervalSnapshot, Metric } from './interval-snapshot.ts';
import { Recorder } from './recorder.ts';

function snapshotOf(
  endMs: number,
  values: readonly (readonly [Metric, string, number])[],
  startMs = 0,
): IntervalSnapshot {
  const recorder = new Recorder();
  recorder.takeInterval(startMs);
  for (const [metric, eventType, us] of values) recorder.record(recorder.seriesOf(metric, eventType), us);
  return recorder.takeInterval(endMs);
}

test('microseconds come out as milliseconds', () => {
  const set = new HistogramSet({ steadyFromMs: 0 });
  set.add(snapshotOf(1000, [['response', 'view', 1500]]));
  expect(set.summary('whole', 'response')).toEqual({
    p50: 1.5,
    p90: 1.5,
    p99: 1.5,
    p999: 1.5,
    max: 1.5,
    mean: 1.5,
    count: 1,
  });
});

test('no data has no summary', () => {
  const set = new HistogramSet({ steadyFromMs: 0 });
  expect(set.summary('whole', 'response')).toBeUndefined();
  set.add(snapshotOf(1000, [['service', 'view', 5]]));
  expect(set.summary('whole', 'response')).toBeUndefined();
  expect(set.summaries('whole').response).toEqual({ byType: {} });
});

test('the steady window takes only intervals that began after the ramp', () => {
  const set = new HistogramSet({ steadyFromMs: 2000 });
  set.add(snapshotOf(2000, [['response', 'view', 9000]], 1000));
  set.add(snapshotOf(2500, [['response', 'view', 8000]], 1999));
  set.add(snapshotOf(3000, [['response', 'view', 1000]], 2000));
  set.add(snapshotOf(4000, [['response', 'view', 2000]], 3000));
  expect(set.summary('steady', 'response')).toMatchObject({ count: 2, max: 2, mean: 1.5 });
  expect(set.summary('whole', 'response')).toMatchObject({ count: 4, max: 9, mean: 5 });
});

test('the interval window is emptied by endInterval, the others are not', () => {
  const set = new HistogramSet({ steadyFromMs: 0 });
  set.add(snapshotOf(1000, [['response', 'view', 4000]]));
  expect(set.summary('interval', 'response')).toMatchObject({ count: 1, max: 4 });
  set.endInterval();
  expect(set.summary('interval', 'response')).toBeUndefined();
  set.add(snapshotOf(2000, [['response', 'view', 3000]], 1000));
  expect(set.summary('interval', 'response')).toMatchObject({ count: 1, max: 3, mean: 3 });
  expect(set.summary('whole', 'response')).toMatchObject({ count: 2, max: 4 });
});

test('metrics and event types are kept apart, and a metric also counts all its types together', () => {
  const set = new HistogramSet({ steadyFromMs: 0 });
  set.add(
    snapshotOf(1000, [
      ['response', 'view', 1000],
      ['response', 'heartbeat', 3000],
      ['service', 'view', 500],
    ]),
  );
  const summaries = set.summaries('whole');
  expect(summaries.response.all).toMatchObject({ count: 2, mean: 2 });
  expect(summaries.response.byType['view']).toMatchObject({ count: 1, max: 1 });
  expect(summaries.response.byType['heartbeat']).toMatchObject({ count: 1, max: 3 });
  expect(summaries.service.all).toMatchObject({ count: 1, max: 0.5 });
  expect(Object.keys(summaries.service.byType)).toEqual(['view']);
  expect(summaries.lateness).toEqual({ byType: {} });
  expect(set.eventTypes).toEqual(['view', 'heartbeat']);
});

test('values over 60 s keep their exact maximum and are counted as clamped', () => {
  const set = new HistogramSet({ steadyFromMs: 0 });
  set.add(
    snapshotOf(1000, [
      ['response', 'view', 75_000_000],
      ['response', 'view', 10],
    ]),
  );
  expect(set.histogram('whole', 'response')).toMatchObject({ clamped: 1, maxUs: 75_000_000, minUs: 10 });
  expect(set.summary('whole', 'response')).toMatchObject({ max: 75_000, mean: 37_500.005, count: 2 });
  expect(set.summary('whole', 'response')?.p99).toBeGreaterThan(59_900);
});
