/**
 * Puts the workers' reports of the same second together: histograms, the interval log, and the view of
 * the moment that the live line and the panel draw.
 */
import { HistogramSet, type IntervalLog, type LatencySummary } from '../measure/index.ts';
import type { SentEventType } from '../targets/event-request.ts';
import type { WorkerInterval } from '../worker/messages.ts';
import { type LittleSummary, LittlesLaw } from './littles-law.ts';
import type { MachineSummary, MachineWatch } from './machine-counters.ts';
import { alarmsOf } from './verdict.ts';

/** The run as of one second. */
export interface RunView {
  /** Seconds of run time at the end of the interval. */
  readonly elapsedMs: number;
  readonly present: number;
  readonly started: number;
  readonly ended: number;
  /** Planned events without a fate yet. */
  readonly open: number;
  /** Acknowledged events a second, in this interval. */
  readonly eventsPerSecond: number;
  readonly perSecondByType: Readonly<Record<SentEventType, number>>;
  readonly acknowledged: number;
  /** Response and lateness of this interval and of the whole run; absent where nothing was recorded. */
  readonly response?: LatencySummary;
  readonly runResponse?: LatencySummary;
  readonly lateness?: LatencySummary;
  readonly blocked?: LatencySummary;
  /** Attempts that failed in this interval, and since the start, by kind. */
  readonly errors: Readonly<Record<string, number>>;
  readonly errorsTotal: Readonly<Record<string, number>>;
  /** The busiest worker's event-loop utilisation, 0..1. */
  readonly utilisation: number;
  readonly loopDelayMaxMs: number;
  /** What makes this second's figures doubtful, in a few words each. */
  readonly alarms?: readonly string[];
}

/** What the verdict wants to know of the workers' health after the ramp. */
export interface HealthSummary {
  /** Mean over the intervals after the ramp, of the busiest worker, 0..1. */
  readonly utilisation: number;
  readonly loopDelayP99MsMax: number;
  readonly loopDelayMaxMs: number;
  /** The p99 of the seconds after the ramp, of the worst worker in each: exceeded in a tenth of them, ms. */
  readonly loopDelayMs: number;
}

export interface RunMonitorOptions {
  readonly workers: number;
  readonly steadyFromMs: number;
  readonly log: IntervalLog | undefined;
  readonly onView: (view: RunView) => void;
  /** Reads the machine once a second. Default: nobody does. */
  readonly machine?: MachineWatch | undefined;
}

const noMachine: MachineSummary = { stealShare: null, throttledShare: null, clockJumpMsMax: 0 };

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export class RunMonitor {
  readonly histograms: HistogramSet;
  readonly errorsTotal: Record<string, number> = {};
  peak = 0;
  acknowledged = 0;
  retries = 0;
  readonly #options: RunMonitorOptions;
  readonly #pending = new Map<number, WorkerInterval[]>();
  /** Per worker: [sum of utilisation, intervals] after the ramp. */
  readonly #utilisation = new Map<number, [number, number]>();
  #loopDelayP99MsMax = 0;
  #loopDelayMaxMs = 0;
  /** By second: the worst worker's. */
  readonly #loopDelays = new Map<number, number>();
  readonly #little = new LittlesLaw();
  #isMachineSteady = false;

  constructor(options: RunMonitorOptions) {
    this.#options = options;
    this.histograms = new HistogramSet({ steadyFromMs: options.steadyFromMs });
  }

  add(workerIndex: number, interval: WorkerInterval): void {
    this.#noteHealth(workerIndex, interval);
    const waiting = this.#pending.get(interval.index) ?? [];
    waiting.push(interval);
    this.#pending.set(interval.index, waiting);
    if (waiting.length === this.#options.workers) this.#close(interval.index, waiting);
  }

  /** Closes what only some workers reported: they end within a moment of each other. */
  finish(): void {
    for (const [index, intervals] of [...this.#pending].sort(([a], [b]) => a - b))
      this.#close(index, intervals);
  }

  health(): HealthSummary {
    const means = [...this.#utilisation.values()].map(([total, count]) => total / count);
    return {
      utilisation: Math.max(0, ...means),
      loopDelayP99MsMax: this.#loopDelayP99MsMax,
      loopDelayMaxMs: this.#loopDelayMaxMs,
      loopDelayMs: upperTenth([...this.#loopDelays.values()]),
    };
  }

  /** Of whole windows after the ramp. */
  little(): LittleSummary {
    return this.#little.summary();
  }

  #noteHealth(workerIndex: number, interval: WorkerInterval): void {
    // The last report covers only the moment until the end and says nothing about a second.
    if (interval.startMs < this.#options.steadyFromMs || interval.endMs - interval.startMs < 500) return;
    const [total, count] = this.#utilisation.get(workerIndex) ?? [0, 0];
    this.#utilisation.set(workerIndex, [total + interval.utilisation, count + 1]);
    this.#loopDelayP99MsMax = Math.max(this.#loopDelayP99MsMax, interval.loopDelayP99Ms);
    this.#loopDelayMaxMs = Math.max(this.#loopDelayMaxMs, interval.loopDelayMaxMs);
    const { index, loopDelayP99Ms } = interval;
    this.#loopDelays.set(index, Math.max(this.#loopDelays.get(index) ?? 0, loopDelayP99Ms));
  }

  #close(index: number, intervals: readonly WorkerInterval[]): void {
    this.#pending.delete(index);
    for (const interval of intervals) this.histograms.add(interval.snapshot);
    const startMs = Math.min(...intervals.map((interval) => interval.startMs));
    const endMs = Math.max(...intervals.map((interval) => interval.endMs));
    this.#options.log?.write(this.histograms, startMs, endMs);
    const machine = this.#readMachine(startMs);
    if (startMs >= this.#options.steadyFromMs && intervals.length === this.#options.workers)
      this.#little.add(endMs, {
        presentMs: sum(intervals.map((one) => one.visitorTime.presentMs)),
        plannedMs: sum(intervals.map((one) => one.visitorTime.plannedMs)),
      });
    const view = this.#viewOf(intervals, startMs, endMs);
    const { utilisation, lateness } = view;
    const alarms = alarmsOf({ latenessP99Ms: lateness?.p99 ?? 0, utilisation, machine });
    this.#options.onView({ ...view, alarms });
    this.histograms.endInterval();
  }

  /** The machine's figures count from the ramp on. */
  #readMachine(startMs: number): MachineSummary {
    const { machine, steadyFromMs } = this.#options;
    if (machine === undefined) return noMachine;
    const second = machine.sample();
    if (!this.#isMachineSteady && startMs >= steadyFromMs) {
      this.#isMachineSteady = true;
      machine.begin();
    }
    return second;
  }

  #viewOf(intervals: readonly WorkerInterval[], startMs: number, endMs: number): RunView {
    const total = (read: (interval: WorkerInterval) => number): number => sum(intervals.map(read));
    const seconds = Math.max(0.001, (endMs - startMs) / 1000);
    const byType = Object.keys(intervals[0]?.acknowledged ?? {}).map(
      (type) => [type, total((one) => one.acknowledged[type] ?? 0) / seconds] as const,
    );
    const errors = this.#addErrors(intervals);
    const present = total((one) => one.present);
    this.peak = Math.max(
      this.peak,
      total((one) => one.presentMax),
    );
    const acknowledged = total((one) => sum(Object.values(one.acknowledged)));
    this.acknowledged += acknowledged;
    this.retries += total((one) => one.retries);
    const optional = <Name extends string>(name: Name, value: LatencySummary | undefined) =>
      (value === undefined ? {} : { [name]: value }) as Partial<Record<Name, LatencySummary>>;
    return {
      elapsedMs: endMs,
      present,
      started: total((one) => one.started),
      ended: total((one) => one.ended),
      open: total((one) => one.open),
      eventsPerSecond: acknowledged / seconds,
      perSecondByType: Object.fromEntries(byType),
      acknowledged: this.acknowledged,
      ...optional('response', this.histograms.summary('interval', 'response')),
      ...optional('runResponse', this.histograms.summary('whole', 'response')),
      ...optional('lateness', this.histograms.summary('interval', 'lateness')),
      ...optional('blocked', this.histograms.summary('interval', 'blocked')),
      errors,
      errorsTotal: { ...this.errorsTotal },
      utilisation: Math.max(...intervals.map((one) => one.utilisation)),
      loopDelayMaxMs: Math.max(...intervals.map((one) => one.loopDelayMaxMs)),
    };
  }

  #addErrors(intervals: readonly WorkerInterval[]): Record<string, number> {
    const errors: Record<string, number> = {};
    for (const interval of intervals) {
      for (const [kind, count] of Object.entries(interval.errors)) {
        errors[kind] = (errors[kind] ?? 0) + count;
        this.errorsTotal[kind] = (this.errorsTotal[kind] ?? 0) + count;
      }
    }
    return errors;
  }
}

/** The value that a tenth of them exceed; 0 of none. */
function upperTenth(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.9) - 1)] ?? 0;
}
