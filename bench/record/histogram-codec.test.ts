import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HistogramSet, IntervalLog, Recorder } from '../../sim/measure/index.ts';
import { decodeHistogram } from './histogram-codec.ts';
import { readIntervalLog } from './interval-log.ts';
import { latencyRecord } from './trial.ts';

let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'crowdbeat-codec-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

function record(values: readonly number[], eventType = 'view'): HistogramSet {
  const recorder = new Recorder();
  const series = recorder.seriesOf('response', eventType);
  for (const us of values) recorder.record(series, us);
  const set = new HistogramSet({ steadyFromMs: 0 });
  set.add(recorder.takeInterval(1000));
  return set;
}

test('every value lies in a bucket of the decoded histogram, as often as it was recorded', () => {
  const values = fc.array(fc.integer({ min: 0, max: 60_000_000 }), { minLength: 1, maxLength: 60 });
  const property = fc.property(values, (recorded) => {
    const histogram = record(recorded).histogram('whole', 'response')!;
    const { lowUs, highUs, counts, total } = decodeHistogram(histogram.encode(), 'test');
    expect(total).toBe(recorded.length);
    for (const [at, count] of counts.entries()) {
      const inside = recorded.filter((value) => value >= lowUs[at]! && value <= highUs[at]!);
      expect(count).toBe(inside.length);
    }
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(total);
  });
  fc.assert(property, { seed: 11, numRuns: 80 });
});

test('the five bytes of the worked example are five zeros and one 4', () => {
  const payload = Buffer.from([0x0a, 0x05, 0x02]);
  const inner = Buffer.alloc(40);
  inner.writeInt32BE(0x1c849313, 0);
  inner.writeInt32BE(payload.length, 4);
  inner.writeInt32BE(3, 12);
  inner.writeBigInt64BE(1n, 16);
  const zipped = deflateSync(Buffer.concat([inner, payload]));
  const head = Buffer.alloc(8);
  head.writeInt32BE(0x1c849314, 0);
  head.writeInt32BE(zipped.length, 4);
  const text = Buffer.concat([head, zipped]).toString('base64');
  expect(decodeHistogram(text, 'test')).toEqual({ lowUs: [0, 4], highUs: [0, 4], counts: [5, 1], total: 6 });
});

test.each(['', 'HISTFAAA', 'bm90IGEgaGlzdG9ncmFtIGF0IGFsbA==', 'HISTFAAAAAh4nGNgYGA='])(
  '%j is refused with the place it stands in',
  (text) => {
    expect(() => decodeHistogram(text, 'a.hlog:7')).toThrow(
      'a.hlog:7: needs an HdrHistogram (V2, compressed)',
    );
  },
);

test('a record of a histogram leaves out percentiles that too few samples carry', () => {
  const few = latencyRecord(
    record(Array.from({ length: 100 }, (_, at) => 100 + at)).histogram('whole', 'response')!,
  );
  expect([few.n, few.min, few.max, few.p50, few.p90, few.p99, few.p999]).toEqual([
    100,
    100,
    199,
    149,
    189,
    null,
    null,
  ]);
  expect(few.mean).toBeCloseTo(149.5, 9);
  expect(decodeHistogram(few.hdr!, 'test').total).toBe(100);
});

async function writeLog(name: string): Promise<string> {
  const path = join(directory, name);
  const fail = (reason: Error): never => {
    throw reason;
  };
  const log = new IntervalLog({ path, startWallMs: 1_795_282_400_250, onStopped: fail });
  for (const second of [0, 1])
    log.write(record([500, 900 + second], 'a,b'), second * 1000, (second + 1) * 1000);
  await log.close();
  return path;
}

test('the log of a run is read back with its times, tags and counts', async () => {
  const log = readIntervalLog(await writeLog('whole.hlog'));
  expect(log.startWallMs).toBe(1_795_282_400_250);
  expect(log.notes).toEqual([]);
  expect(log.intervals.map(({ tag, startMs, lengthMs, maxUs }) => [tag, startMs, lengthMs, maxUs])).toEqual([
    ['', 0, 1000, 900],
    ['response.a,b', 0, 1000, 900],
    ['', 1000, 1000, 901],
    ['response.a,b', 1000, 1000, 901],
  ]);
  expect(log.intervals.map(({ histogram }) => histogram.total)).toEqual([2, 2, 2, 2]);
});

test('a log that was cut off is read to its last whole line, and one that was spoilt is refused by line', async () => {
  const path = await writeLog('cut.hlog');
  const whole = readIntervalLog(path).intervals.length;
  const text = readFileSync(path, 'latin1');
  truncateSync(path, text.length - 5);
  const cut = readIntervalLog(path);
  expect(cut.intervals).toHaveLength(whole - 1);
  expect(cut.notes[0]).toContain('the last line is torn');
  writeFileSync(path, text.replace('0.000,1.000', '0.000;1.000'));
  expect(() => readIntervalLog(path)).toThrow(`${path}:6: needs [Tag=x,]start,length,max,histogram`);
});
