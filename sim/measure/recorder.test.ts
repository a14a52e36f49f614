import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { type IntervalSnapshot, metrics, transferablesOf } from './interval-snapshot.ts';
import { indexOf, latencyUsMax } from './latency-index.ts';
import { Recorder } from './recorder.ts';

function only(snapshot: IntervalSnapshot) {
  expect(snapshot.series).toHaveLength(1);
  return snapshot.series[0]!;
}

test('an interval holds each bucket once, with its count and the exact extremes and sum', () => {
  const recorder = new Recorder();
  const view = recorder.seriesOf('response', 'view');
  for (const us of [5000.75, 17, 5001, 17, 4999]) recorder.record(view, us);
  const series = only(recorder.takeInterval(1000));
  expect([...series.indices]).toEqual([indexOf(5000), indexOf(17), indexOf(4999)]);
  expect([...series.counts]).toEqual([2, 2, 1]);
  expect(series).toMatchObject({
    metric: 'response',
    eventType: 'view',
    count: 5,
    sumUs: 15_034.75,
    maxUs: 5001,
    minUs: 17,
    clamped: 0,
  });
});

test('a fraction of a microsecond is cut, not rounded, for the bucket', () => {
  const recorder = new Recorder();
  recorder.record(recorder.seriesOf('service', 'view'), 41.999);
  expect([...only(recorder.takeInterval(1)).indices]).toEqual([41]);
});

test('a value above 60 s counts as 60 s and as clamped, and keeps its exact maximum', () => {
  const recorder = new Recorder();
  const series = recorder.seriesOf('response', 'view');
  recorder.record(series, latencyUsMax);
  recorder.record(series, latencyUsMax + 0.5);
  recorder.record(series, 3e12);
  const taken = only(recorder.takeInterval(1));
  expect([...taken.indices]).toEqual([indexOf(latencyUsMax)]);
  expect([...taken.counts]).toEqual([3]);
  expect(taken.clamped).toBe(2);
  expect(taken.maxUs).toBe(3e12);
});

test('a value below zero counts as zero', () => {
  const recorder = new Recorder();
  recorder.record(recorder.seriesOf('lateness', 'view'), -350);
  const taken = only(recorder.takeInterval(1));
  expect([...taken.indices]).toEqual([0]);
  expect(taken).toMatchObject({ count: 1, sumUs: 0, maxUs: 0, minUs: 0 });
});

test('a value that is no number, or a series of nobody, is a programmer error', () => {
  const recorder = new Recorder();
  const series = recorder.seriesOf('response', 'view');
  expect(() => recorder.record(series, Number.NaN)).toThrow('needs a series of this recorder and a number');
  expect(() => recorder.record(series, Number.POSITIVE_INFINITY)).toThrow();
  expect(() => recorder.record(series + 1, 5)).toThrow();
});

test('taking an interval forgets it, and the next begins where it ended', () => {
  const recorder = new Recorder();
  const series = recorder.seriesOf('response', 'view');
  recorder.record(series, 100);
  recorder.record(series, 900_000);
  expect(recorder.takeInterval(1000)).toMatchObject({ startMs: 0, endMs: 1000 });
  recorder.record(series, 100);
  const second = recorder.takeInterval(2003);
  expect(second).toMatchObject({ startMs: 1000, endMs: 2003 });
  expect([...only(second).indices]).toEqual([100]);
  expect([...only(second).counts]).toEqual([1]);
  expect(only(second)).toMatchObject({ count: 1, sumUs: 100, maxUs: 100, minUs: 100 });
  expect(recorder.takeInterval(3000).series).toEqual([]);
});

test('metrics and event types are apart, and the same pair is the same series', () => {
  const recorder = new Recorder();
  const numbers = metrics.flatMap((metric) =>
    ['view', 'heartbeat'].map((type) => recorder.seriesOf(metric, type)),
  );
  expect(new Set(numbers).size).toBe(8);
  expect(recorder.seriesOf('service', 'view')).toBe(recorder.seriesOf('service', 'view'));
  for (const [at, number] of numbers.entries()) recorder.record(number, at + 1);
  const named = recorder
    .takeInterval(1)
    .series.map((series) => `${series.metric} ${series.eventType} ${series.sumUs}`);
  expect(named).toEqual([
    'response view 1',
    'response heartbeat 2',
    'service view 3',
    'service heartbeat 4',
    'lateness view 5',
    'lateness heartbeat 6',
    'blocked view 7',
    'blocked heartbeat 8',
  ]);
});

test('a snapshot crosses to another thread by transfer', () => {
  const recorder = new Recorder();
  recorder.record(recorder.seriesOf('response', 'view'), 77);
  const snapshot = recorder.takeInterval(1000);
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(snapshot, transferablesOf(snapshot));
  const received = receiveMessageOnPort(port2)?.message as IntervalSnapshot;
  port1.close();
  expect([...only(received).indices]).toEqual([77]);
  expect(snapshot.series[0]?.indices.byteLength).toBe(0);
});
