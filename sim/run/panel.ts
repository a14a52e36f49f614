/**
 * The live panel of a terminal: ten lines, drawn over each second. `panelLines` is pure; `Panel` draws.
 *
 * A terminal too small for it, or one that can't move its cursor, gets the single live line; no terminal, a
 * plain line every five seconds (live-line.ts).
 */
import { formatCount, formatLatencyMs } from '../../server/base/units.ts';
import type { HealthReply } from '../../server/protocol/replies.ts';
import type { LatencySummary } from '../measure/index.ts';
import { LiveLine, type LiveSink, timeText } from './live-line.ts';
import type { RunView } from './run-monitor.ts';
import { sparkline } from './sparkline.ts';
import { validityLimits } from './verdict.ts';

export interface PanelFrame {
  readonly view: RunView;
  /** Visitors present at the end of each second so far. */
  readonly presence: readonly number[];
  /** `away`: it did not answer when last asked. Undefined: never asked yet. */
  readonly health: HealthReply | 'away' | undefined;
  readonly durationMs: number;
  readonly title: string;
}

/** Marks text that matters (`alarm`) or leads (`strong`); without colour both are the identity. */
export interface Palette {
  readonly strong: (text: string) => string;
  readonly alarm: (text: string) => string;
}

export const plainPalette: Palette = { strong: (text) => text, alarm: (text) => text };

export const colourPalette: Palette = {
  strong: (text) => `\u001b[1m${text}\u001b[22m`,
  alarm: (text) => `\u001b[31m${text}\u001b[39m`,
};

export const panelColumnsMin = 60;
export const panelRowsMin = 14;

const label = (name: string): string => name.padEnd(11);
const cell = (text: string): string => text.padStart(10);
const percentiles = ['p50', 'p90', 'p99', 'max'] as const;

export function panelLines(frame: PanelFrame, columns: number, palette: Palette): string[] {
  const { view, presence, durationMs, title } = frame;
  const head = `${timeText(view.elapsedMs, durationMs)}`;
  const presentText = `${formatCount(view.present)} present, ${formatCount(view.started)} came, ${formatCount(view.ended)} left`;
  const curve = sparkline(presence, Math.max(0, columns - presentText.length - 16));
  const byType = Object.entries(view.perSecondByType)
    .map(([type, perSecond]) => `${formatCount(perSecond)} ${type}`)
    .join(', ');
  const latencyRow = (name: string, summary: LatencySummary | undefined): string =>
    `  ${name.padEnd(13)}${percentiles.map((key) => cell(summary === undefined ? '-' : formatLatencyMs(summary[key]))).join('')}`;
  const lines: [text: string, mark: 'none' | 'strong' | 'alarm'][] = [
    [`${title}  ${head}`, 'strong'],
    [`${label('visitors')}${presentText}  ${curve}`, 'none'],
    [`${label('events/s')}${formatCount(view.eventsPerSecond)}: ${byType}`, 'none'],
    [`${label('response')}    ${percentiles.map(cell).join('')}`, 'none'],
    [latencyRow('last second', view.response), 'none'],
    [latencyRow('whole run', view.runResponse), 'none'],
    generatorRow(view),
    errorsRow(view),
    collectorRow(frame.health),
  ];
  return lines.map(([text, mark]) => {
    const cut = text.slice(0, columns - 1);
    return mark === 'none' ? cut : palette[mark](cut);
  });
}

function generatorRow(view: RunView): [string, 'none' | 'alarm'] {
  const lateMs = view.lateness?.p99 ?? 0;
  const parts = [
    `lateness p99 ${formatLatencyMs(lateMs)}`,
    `blocked p99 ${formatLatencyMs(view.blocked?.p99 ?? 0)}`,
    `loop busy ${Math.round(view.utilisation * 100)} %`,
    `${formatCount(view.open)} open`,
  ];
  const late = lateMs > validityLimits.latenessP99MsMax || view.utilisation > validityLimits.utilisationMax;
  const alarms = view.alarms ?? [];
  const doubts = alarms.length === 0 ? '' : `  DOUBTFUL: ${alarms.join(', ')}`;
  return [`${label('generator')}${parts.join(', ')}${doubts}`, late || alarms.length > 0 ? 'alarm' : 'none'];
}

function errorsRow(view: RunView): [string, 'none' | 'alarm'] {
  const kinds = Object.entries(view.errorsTotal).sort(([, a], [, b]) => b - a);
  if (kinds.length === 0) return [`${label('errors')}none`, 'none'];
  const now = Object.values(view.errors).reduce((sum, count) => sum + count, 0);
  const text = kinds.map(([kind, count]) => `${formatCount(count)} ${kind}`).join(', ');
  return [`${label('errors')}${text} (${formatCount(now)} in the last second)`, now > 0 ? 'alarm' : 'none'];
}

function collectorRow(health: PanelFrame['health']): [string, 'none' | 'alarm'] {
  if (health === undefined) return [`${label('collector')}not asked yet`, 'none'];
  if (health === 'away') return [`${label('collector')}does not answer`, 'alarm'];
  const { overall, redis, queue } = health;
  const well = overall.status === 'PASSED';
  const text = `${well ? 'well' : 'unwell'}, ${formatCount(queue.events)} events queued; Redis ${redis.version ?? ''} ${redis.status}`;
  return [`${label('collector')}${text}`, well ? 'none' : 'alarm'];
}

export interface PanelSink extends LiveSink {
  readonly rows: number;
  readonly colour: boolean;
}

export class Panel {
  readonly #sink: PanelSink;
  readonly #durationMs: number;
  readonly #line: LiveLine;
  readonly #presence: number[] = [];
  #title = 'crowdbeat';
  #health: PanelFrame['health'];
  #last: RunView | undefined;
  /** Visible lengths of the lines that stand on the screen. */
  #drawn: number[] = [];

  constructor(sink: PanelSink, durationMs: number) {
    this.#sink = sink;
    this.#durationMs = durationMs;
    this.#line = new LiveLine(sink, durationMs);
  }

  name(title: string): void {
    this.#title = title;
  }

  knowHealth(health: HealthReply | 'away'): void {
    this.#health = health;
  }

  show(view: RunView): void {
    this.#last = view;
    this.#presence.push(view.present);
    this.#draw();
  }

  /** Draws the last report again, after the terminal changed its size. */
  redraw(): void {
    if (this.#last !== undefined && this.#sink.isTTY) this.#draw();
  }

  /** Writes a whole line above the panel. */
  say(text: string): void {
    this.clear();
    this.#line.say(text);
    this.redraw();
  }

  clear(): void {
    this.#line.clear();
    if (this.#drawn.length === 0) return;
    this.#sink.write(`${this.#toTop()}\u001b[J`);
    this.#drawn = [];
  }

  #draw(): void {
    const sink = this.#sink;
    if (this.#last === undefined) return;
    if (!sink.isTTY || sink.columns < panelColumnsMin || sink.rows < panelRowsMin) {
      this.clear();
      this.#line.show(this.#last);
      return;
    }
    this.#line.clear();
    const frame = {
      presence: this.#presence,
      health: this.#health,
      durationMs: this.#durationMs,
      title: this.#title,
    };
    const lines = panelLines(
      { ...frame, view: this.#last },
      sink.columns,
      sink.colour ? colourPalette : plainPalette,
    );
    sink.write(`${this.#toTop()}${lines.map((line) => `\u001b[K${line}\n`).join('')}\u001b[J`);
    this.#drawn = panelLines({ ...frame, view: this.#last }, sink.columns, plainPalette).map(
      (line) => line.length,
    );
  }

  /** Back to the panel's first line. A terminal made narrower has wrapped the old lines into more rows. */
  #toTop(): string {
    const rows = this.#drawn.reduce(
      (sum, length) => sum + Math.max(1, Math.ceil(length / this.#sink.columns)),
      0,
    );
    return rows === 0 ? '' : `\r\u001b[${rows}A`;
  }
}
