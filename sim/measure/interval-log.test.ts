import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Histogram } from 'hdr-histogram-js';
import { HistogramLogReader, listTags } from 'hdr-histogram-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CrowdbeatError } from '../../server/base/errors.ts';
import { HistogramSet } from './histogram-set.ts';
import { IntervalLog } from './interval-log.ts';
import type { Metric } from './interval-snapshot.ts';
import { Recorder } from './recorder.ts';

const startWallMs = Date.UTC(2026, 10, 21, 17, 33, 20, 250);
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'crowdbeat-hlog-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

function record(recorder: Recorder, metric: Metric, eventType: string, values: readonly number[]): void {
  const series = recorder.seriesOf(metric, eventType);
  for (const us of values) recorder.record(series, us);
}

/** Logs one list of `[metric, type, values]` per second. */
async function logSeconds(
  log: IntervalLog,
  seconds: readonly (readonly [Metric, string, number[]][])[],
): Promise<HistogramSet> {
  const recorder = new Recorder();
  const set = new HistogramSet({ steadyFromMs: 0 });
  for (const [second, entries] of seconds.entries()) {
    for (const [metric, eventType, values] of entries) record(recorder, metric, eventType, values);
    set.add(recorder.takeInterval((second + 1) * 1000));
    log.write(set, second * 1000, (second + 1) * 1000);
    set.endInterval();
  }
  await log.close();
  return set;
}

function readAll(path: string): Histogram[] {
  const reader = new HistogramLogReader(readFileSync(path, 'latin1'));
  const histograms: Histogram[] = [];
  for (let next = reader.nextIntervalHistogram(); next !== null; next = reader.nextIntervalHistogram())
    histograms.push(next);
  return histograms;
}

const noStop = (reason: CrowdbeatError): void => {
  throw reason;
};

test('the reader of hdr-histogram-js gives back the same percentiles, times and tags', async () => {
  const path = join(directory, 'whole.hlog');
  const log = new IntervalLog({ path, startWallMs, onStopped: noStop });
  const views = Array.from({ length: 500 }, (_, at) => 37 + at * at * 11);
  const set = await logSeconds(log, [
    [['response', 'view', views]],
    [
      ['response', 'view', [2_500_123]],
      ['response', 'heartbeat', [90]],
      ['service', 'view', [80, 81]],
    ],
  ]);
  const read = readAll(path);
  expect(read.map((one) => [one.tag, one.startTimeStampMsec - startWallMs, one.totalCount])).toEqual([
    ['NO TAG', 0, 500],
    ['response.view', 0, 500],
    ['NO TAG', 1000, 2],
    ['response.view', 1000, 1],
    ['response.heartbeat', 1000, 1],
    ['service', 1000, 2],
  ]);
  expect(read[0]!.endTimeStampMsec - read[0]!.startTimeStampMsec).toBe(1000);
  const sum = read[0]!;
  sum.add(read[2]!);
  const whole = set.histogram('whole', 'response')!;
  for (const percentile of [0.1, 10, 50, 90, 99, 99.9]) {
    expect(Math.min(sum.getValueAtPercentile(percentile), whole.maxUs)).toBe(whole.percentileUs(percentile));
  }
});

test('the header names version, start and units, and the third field is the exact maximum in milliseconds', async () => {
  const path = join(directory, 'header.hlog');
  await logSeconds(new IntervalLog({ path, startWallMs, onStopped: noStop }), [
    [['response', 'view', [1000, 12_345.25]]],
  ]);
  const lines = readFileSync(path, 'latin1').split('\n');
  expect(lines.slice(0, 5)).toEqual([
    '#[Histogram log format version 1.3]',
    '#[StartTime: 1795282400.250 (seconds since epoch), 2026-11-21T17:33:20.250Z]',
    '#[BaseTime: 1795282400.250 (seconds since epoch)]',
    '#[Values: microseconds. Interval_Max: milliseconds (maximum value unit ratio 1000).]',
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
  ]);
  expect(lines[5]).toMatch(/^0\.000,1\.000,12\.345,HISTFAAA[\w+/=]+$/);
  expect(lines[6]).toMatch(/^Tag=response\.view,0\.000,1\.000,12\.345,HISTFAAA[\w+/=]+$/);
  expect(lines.slice(7)).toEqual(['']);
});

test('an interval without a value still has its untagged line', async () => {
  const path = join(directory, 'gap.hlog');
  await logSeconds(new IntervalLog({ path, startWallMs, onStopped: noStop }), [
    [['response', 'view', [5]]],
    [],
    [['response', 'view', [6]]],
  ]);
  const untagged = readAll(path).filter((one) => one.tag === 'NO TAG');
  expect(untagged.map((one) => [one.startTimeStampMsec - startWallMs, one.totalCount])).toEqual([
    [0, 1],
    [1000, 0],
    [2000, 1],
  ]);
});

test('an event type with a comma, a line end or a letter beyond ASCII cannot break a line', async () => {
  const path = join(directory, 'tags.hlog');
  await logSeconds(new IntervalLog({ path, startWallMs, onStopped: noStop }), [
    [['response', 'a,b\nTag=ü', [5]]],
  ]);
  expect(listTags(readFileSync(path, 'latin1'))).toEqual(['NO TAG', 'response.a%2Cb%0ATag%3D%FC']);
  expect(readAll(path)).toHaveLength(2);
});

test('a full disk stops the log with one reason and nothing is thrown', async () => {
  const reasons: CrowdbeatError[] = [];
  const log = new IntervalLog({
    path: '/dev/full',
    startWallMs,
    onStopped: (reason) => reasons.push(reason),
  });
  await logSeconds(log, [[['response', 'view', [5]]], [['response', 'view', [6]]]]);
  expect(reasons).toHaveLength(1);
  expect(reasons[0]!.code).toBe('CB_FILE');
  expect(reasons[0]!.message).toMatch(
    /^interval log \/dev\/full: stopped after 0 bytes, the run goes on: ENOSPC/,
  );
  expect(log.stopped).toBe(reasons[0]);
});

test('a directory that is not there stops the log with one reason', async () => {
  const reasons: CrowdbeatError[] = [];
  const path = join(directory, 'missing', 'run.hlog');
  const log = new IntervalLog({ path, startWallMs, onStopped: (reason) => reasons.push(reason) });
  await logSeconds(log, [[['response', 'view', [5]]]]);
  expect(reasons.map((reason) => reason.message)).toEqual([expect.stringContaining('ENOENT')]);
});

// Without prlimit (util-linux) there is no way to fill a disk by half a line.
const canLimit = spawnSync('prlimit', ['--version']).status === 0;

// prlimit (util-linux) gives the test a file-size limit; a system without it has no such test.
test.skipIf(!canLimit)(
  'a disk that fills up in the middle of a line leaves a log that can be read to its last whole interval',
  async () => {
    const path = join(directory, 'limited.hlog');
    const limitBytes = 6000;
    const reasons: CrowdbeatError[] = [];
    const log = new IntervalLog({ path, startWallMs, onStopped: (reason) => reasons.push(reason) });
    const values = Array.from({ length: 300 }, (_, at) => at * 997);
    // A file size limit of this process stands in for the disk; only the soft limit, so it can be lifted again.
    const setLimit = (bytes: string): void =>
      void execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
    setLimit(String(limitBytes));
    try {
      await logSeconds(
        log,
        Array.from({ length: 20 }, () => [['response', 'view', values]]),
      );
    } finally {
      setLimit('unlimited');
    }
    expect(reasons).toHaveLength(1);
    const text = readFileSync(path, 'latin1');
    expect(text.length).toBeLessThan(limitBytes);
    expect(text.endsWith('\n')).toBe(true);
    const read = readAll(path);
    expect(read.length).toBeGreaterThan(1);
    expect(read.length % 2).toBe(0);
    expect(read.every((one) => one.totalCount === values.length)).toBe(true);
  },
);
