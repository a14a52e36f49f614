/**
 * Reads `.hlog` files: HdrHistogram's interval log, as `sim/measure/interval-log.ts` writes and draws it.
 * Times in the file are seconds since BaseTime; here they are milliseconds of the run.
 */
import { CrowdbeatError } from '../../server/base/errors.ts';
import { type BucketCounts, decodeHistogram } from './histogram-codec.ts';
import { readTextOr } from './json-lines.ts';

export interface Interval {
  /** `response.view`, `service` …; empty for response of all event types. */
  readonly tag: string;
  readonly startMs: number;
  readonly lengthMs: number;
  readonly maxUs: number;
  readonly histogram: BucketCounts;
}

export interface IntervalLogText {
  /** Epoch ms at which the run began; undefined if the log doesn't say. */
  readonly startWallMs: number | undefined;
  readonly intervals: readonly Interval[];
  readonly notes: readonly string[];
}

const linePattern = /^(?:Tag=([^,\s]+),)?([\d.]+),([\d.]+),([\d.]+),(HIST[\w+/=]+)$/;

/** Throws CrowdbeatError CB_FILE or CB_RECORD naming file and line. A torn last line is passed over and said. */
export function readIntervalLog(path: string): IntervalLogText {
  const lines = readTextOr(path, '').split('\n');
  const tail = lines.pop() ?? '';
  const notes = tail === '' ? [] : [`${path}:${lines.length + 1}: the last line is torn and was passed over`];
  const intervals = lines.flatMap((line, index) => {
    if (line === '' || line.startsWith('#') || line.startsWith('"StartTimestamp"')) return [];
    return [readInterval(line, `${path}:${index + 1}`)];
  });
  return { startWallMs: startOf(lines), intervals, notes };
}

function readInterval(line: string, place: string): Interval {
  const match = linePattern.exec(line);
  if (match === null) {
    const shown = line.length <= 60 ? line : `${line.slice(0, 60)}…`;
    throw new CrowdbeatError(
      'CB_RECORD',
      `${place}: needs [Tag=x,]start,length,max,histogram, got ${JSON.stringify(shown)}`,
    );
  }
  const [, tag = '', start, length, max, histogram = ''] = match;
  return {
    tag: unescapeTag(tag),
    startMs: Math.round(Number(start) * 1000),
    lengthMs: Math.round(Number(length) * 1000),
    maxUs: Number(max) * 1000,
    histogram: decodeHistogram(histogram, place),
  };
}

function startOf(lines: readonly string[]): number | undefined {
  for (const line of lines) {
    const match = /^#\[StartTime: ([\d.]+) /.exec(line);
    if (match !== null) return Math.round(Number(match[1]) * 1000);
  }
  return undefined;
}

function unescapeTag(tag: string): string {
  return tag.replace(/%([0-9A-F]{2,4})/g, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
