/**
 * What a running crowd shows: on a terminal one line, drawn over each second; elsewhere a plain line every
 * five seconds. Text in, text out: who writes it where is not decided here.
 */
import { formatCount, formatDuration, formatLatencyMs } from '../../server/base/units.ts';
import type { RunView } from './run-monitor.ts';

export interface LiveSink {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

const plainEveryMs = 5000;

/** One line of the state of a run, without a line end. */
export function liveText(view: RunView, durationMs: number): string {
  const { response } = view;
  const latency =
    response === undefined
      ? 'no replies'
      : `p50 ${formatLatencyMs(response.p50)}  p99 ${formatLatencyMs(response.p99)}  max ${formatLatencyMs(response.max)}`;
  const errors = Object.values(view.errorsTotal).reduce((sum, count) => sum + count, 0);
  const parts = [
    timeText(view.elapsedMs, durationMs),
    `${formatCount(view.present)} visitors`,
    `${formatCount(view.eventsPerSecond)} events/s`,
    latency,
    `lateness p99 ${formatLatencyMs(view.lateness?.p99 ?? 0)}`,
    errors === 0 ? 'no errors' : `${formatCount(errors)} failed attempts (${worst(view.errorsTotal)})`,
  ];
  return parts.join('  |  ');
}

/** `20 s, 40 s left`. */
export function timeText(elapsedMs: number, durationMs: number): string {
  const elapsed = formatDuration(Math.round(elapsedMs / 1000) * 1000);
  if (!Number.isFinite(durationMs)) return elapsed;
  const leftMs = Math.max(0, Math.round((durationMs - elapsedMs) / 1000) * 1000);
  return leftMs === 0 && elapsedMs > durationMs + 500
    ? `${elapsed}, settling`
    : `${elapsed}, ${formatDuration(leftMs)} left`;
}

function worst(errors: Readonly<Record<string, number>>): string {
  const [first] = Object.entries(errors).sort(([, a], [, b]) => b - a);
  return first === undefined ? '' : `mostly ${first[0]}`;
}

export class LiveLine {
  readonly #sink: LiveSink;
  readonly #durationMs: number;
  #nextPlainMs = plainEveryMs;
  #drawn = false;

  constructor(sink: LiveSink, durationMs: number) {
    this.#sink = sink;
    this.#durationMs = durationMs;
  }

  show(view: RunView): void {
    const text = liveText(view, this.#durationMs);
    if (this.#sink.isTTY) {
      // Back to column 0 and clear to the end of the line; cut, because a wrapped line can't be drawn over.
      this.#sink.write(`\r\u001b[K${text.slice(0, Math.max(20, this.#sink.columns - 1))}`);
      this.#drawn = true;
    } else if (view.elapsedMs >= this.#nextPlainMs - 100) {
      this.#nextPlainMs += plainEveryMs;
      this.#sink.write(`${text}\n`);
    }
  }

  /** Writes a whole line without spoiling the live one, which is drawn again with the next report. */
  say(text: string): void {
    this.clear();
    this.#sink.write(`${text}\n`);
  }

  clear(): void {
    if (this.#drawn) this.#sink.write('\r\u001b[K');
    this.#drawn = false;
  }
}
