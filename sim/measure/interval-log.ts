/**
 * The `.hlog` of a run: HdrHistogram's interval log, format version 1.3, one group of lines per interval.
 *
 *   #[Histogram log format version 1.3]
 *   #[StartTime: 1795280000.000 (seconds since epoch), 2026-11-21T17:33:20.000Z]
 *   #[BaseTime: 1795280000.000 (seconds since epoch)]
 *   #[Values: microseconds. Interval_Max: milliseconds (maximum value unit ratio 1000).]
 *   "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
 *   4.000,1.000,12.345,HISTFAAA…                     response, all event types
 *   Tag=response.view,4.000,1.000,12.345,HISTFAAA…   response of one type
 *   Tag=service,4.000,1.000,11.800,HISTFAAA…         service, lateness, blocked of all types
 *
 * The untagged line is there in every interval, also an empty one: HistogramLogProcessor reads only
 * untagged lines unless told otherwise, and a gap must be visible. A tagged line is there if something was
 * recorded. Timestamps are seconds since the start of the run, as BaseTime says. In a tag, everything but
 * letters, digits and `_ . -` is written as %XX.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import type { HistogramSet } from './histogram-set.ts';
import { metrics } from './interval-snapshot.ts';
import { LatencyHistogram } from './latency-histogram.ts';

export interface IntervalLogOptions {
  readonly path: string;
  /** Epoch ms at which the run began. */
  readonly startWallMs: number;
  /** Called at most once, when the log was given up; the run goes on without it. */
  readonly onStopped: (reason: CrowdbeatError) => void;
}

/** Writes in order behind the caller's back; a slow or full disk never holds up or ends the run. */
export class IntervalLog {
  readonly #options: IntervalLogOptions;
  #handle: FileHandle | undefined;
  #queue: Promise<void>;
  #stopped: CrowdbeatError | undefined;
  #bytesWritten = 0;

  constructor(options: IntervalLogOptions) {
    this.#options = options;
    this.#queue = this.#guard(async () => {
      this.#handle = await open(options.path, 'w');
      await this.#append(header(options.startWallMs));
    });
  }

  /** Why the log was given up, if it was. */
  get stopped(): CrowdbeatError | undefined {
    return this.#stopped;
  }

  /**
   * Logs the window `interval` of a set. Encodes at once, so the set may be emptied afterwards.
   * Times are milliseconds of the run.
   */
  write(set: HistogramSet, startMs: number, endMs: number): void {
    if (this.#stopped !== undefined) return;
    const text = intervalLines(set, startMs, endMs);
    this.#queue = this.#queue.then(() => this.#guard(() => this.#append(text)));
  }

  /** Resolves when everything is on its way to the disk and the file is closed. Never rejects. */
  async close(): Promise<void> {
    this.#queue = this.#queue.then(() => this.#closeFile());
    await this.#queue;
  }

  async #append(text: string): Promise<void> {
    if (this.#stopped !== undefined || this.#handle === undefined) return;
    const bytes = Buffer.from(text, 'latin1');
    await this.#handle.writeFile(bytes);
    this.#bytesWritten += bytes.length;
  }

  async #guard(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      const { path, onStopped } = this.#options;
      const message = `interval log ${path}: stopped after ${this.#bytesWritten} bytes, the run goes on: ${messageOf(error)}`;
      this.#stopped = new CrowdbeatError('CB_FILE', message, { cause: error });
      // A full disk may have taken half a line, which no reader could decode.
      await this.#handle?.truncate(this.#bytesWritten).catch(() => undefined);
      await this.#closeFile();
      onStopped(this.#stopped);
    }
  }

  async #closeFile(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    // What close() could complain about was already reported, or concerns bytes the kernel has taken.
    await handle?.close().catch(() => undefined);
  }
}

function header(startWallMs: number): string {
  const seconds = `${(startWallMs / 1000).toFixed(3)} (seconds since epoch)`;
  return [
    '#[Histogram log format version 1.3]',
    `#[StartTime: ${seconds}, ${new Date(startWallMs).toISOString()}]`,
    `#[BaseTime: ${seconds}]`,
    '#[Values: microseconds. Interval_Max: milliseconds (maximum value unit ratio 1000).]',
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n',
  ].join('\n');
}

const empty = new LatencyHistogram();

function intervalLines(set: HistogramSet, startMs: number, endMs: number): string {
  const times = `${(startMs / 1000).toFixed(3)},${((endMs - startMs) / 1000).toFixed(3)}`;
  const line = (tag: string, histogram: LatencyHistogram): string =>
    `${tag}${times},${(histogram.maxUs / 1000).toFixed(3)},${histogram.encode()}\n`;
  const tagged = (name: string, histogram: LatencyHistogram | undefined): string =>
    histogram === undefined || histogram.count === 0 ? '' : line(`Tag=${escapeTag(name)},`, histogram);
  let lines = line('', set.histogram('interval', 'response') ?? empty);
  for (const eventType of set.eventTypes) {
    lines += tagged(`response.${eventType}`, set.histogram('interval', 'response', eventType));
  }
  for (const metric of metrics) {
    if (metric !== 'response') lines += tagged(metric, set.histogram('interval', metric));
  }
  return lines;
}

/** Commas and line ends would break the line, anything beyond ASCII its encoding. */
function escapeTag(name: string): string {
  return name.replace(
    /[^\w.-]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
}
