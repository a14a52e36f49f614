/**
 * What the machine takes from this process: time stolen by other guests of the host (`/proc/stat`), time in which the
 * control group was throttled (`cpu.stat`), and wall clocks that are set. Absent figures (no Linux, no limit) are null.
 */
import { readFileSync } from 'node:fs';
import type { Clock } from '../../server/base/clock.ts';

export interface MachineCounters {
  /** Clock ticks of all CPUs, and those of them that were stolen; null without /proc/stat. */
  readonly ticks: { readonly all: number; readonly steal: number } | null;
  /** Time in which the group had to wait for its quota, microseconds; null without a control group. */
  readonly throttledUs: number | null;
}

type Read = (path: string) => string | undefined;

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // No such file here, or no descriptor free: a figure beside the point must not end a run.
    return undefined;
  }
}

export function readMachine(read: Read = readFile): MachineCounters {
  return { ticks: ticksIn(read('/proc/stat')), throttledUs: throttledUsIn(read) };
}

function ticksIn(stat: string | undefined): MachineCounters['ticks'] {
  // user nice system idle iowait irq softirq steal; guest time is part of user time already (proc(5)).
  const fields = /^cpu +(.+)$/m
    .exec(stat ?? '')?.[1]
    ?.split(' ')
    .slice(0, 8)
    .map(Number);
  if (fields === undefined) return null;
  return { all: fields.reduce((sum, field) => sum + field, 0), steal: fields[7] ?? 0 };
}

/** Version 2 of control groups says microseconds, version 1 nanoseconds. */
function throttledUsIn(read: Read): number | null {
  const v2 = /^throttled_usec (\d+)$/m.exec(read('/sys/fs/cgroup/cpu.stat') ?? '')?.[1];
  if (v2 !== undefined) return Number(v2);
  const v1 = /^throttled_time (\d+)$/m.exec(
    read('/sys/fs/cgroup/cpu/cpu.stat') ?? read('/sys/fs/cgroup/cpu.stat') ?? '',
  )?.[1];
  return v1 === undefined ? null : Number(v1) / 1000;
}

/** Shares from 0 to 1, of the time between two readings. */
export interface MachineSummary {
  readonly stealShare: number | null;
  readonly throttledShare: number | null;
  /** The wall clock's greatest jump against the monotonic one between two readings, in either direction. */
  readonly clockJumpMsMax: number;
}

export function stealBetween(before: MachineCounters, after: MachineCounters): number | null {
  if (before.ticks === null || after.ticks === null) return null;
  const all = after.ticks.all - before.ticks.all;
  return all > 0 ? (after.ticks.steal - before.ticks.steal) / all : 0;
}

export function throttledBetween(
  before: MachineCounters,
  after: MachineCounters,
  elapsedMs: number,
): number | null {
  if (before.throttledUs === null || after.throttledUs === null) return null;
  return elapsedMs > 0 ? (after.throttledUs - before.throttledUs) / 1000 / elapsedMs : 0;
}

/** Reads once a second; sums up from its beginning, or from `begin` on. */
export class MachineWatch {
  readonly #clock: Clock;
  readonly #read: () => MachineCounters;
  #first: MachineCounters;
  #last: MachineCounters;
  #firstMs: number;
  #lastMs: number;
  #lastWallMs: number;
  #clockJumpMsMax = 0;

  constructor(clock: Clock, read: () => MachineCounters = readMachine) {
    this.#clock = clock;
    this.#read = read;
    this.#first = read();
    this.#last = this.#first;
    this.#firstMs = clock.monotonicMs();
    this.#lastMs = this.#firstMs;
    this.#lastWallMs = clock.wallMs();
  }

  /** What happened before does not count, but for clocks that were set. */
  begin(): void {
    this.sample();
    this.#first = this.#last;
    this.#firstMs = this.#lastMs;
  }

  /** What happened since the last sample. */
  sample(): MachineSummary {
    const [counters, nowMs, wallMs] = [this.#read(), this.#clock.monotonicMs(), this.#clock.wallMs()];
    const elapsedMs = nowMs - this.#lastMs;
    const jumpMs = Math.abs(wallMs - this.#lastWallMs - elapsedMs);
    const interval = {
      stealShare: stealBetween(this.#last, counters),
      throttledShare: throttledBetween(this.#last, counters, elapsedMs),
      clockJumpMsMax: jumpMs,
    };
    this.#last = counters;
    this.#lastMs = nowMs;
    this.#lastWallMs = wallMs;
    this.#clockJumpMsMax = Math.max(this.#clockJumpMsMax, jumpMs);
    return interval;
  }

  summary(): MachineSummary {
    return {
      stealShare: stealBetween(this.#first, this.#last),
      throttledShare: throttledBetween(this.#first, this.#last, this.#lastMs - this.#firstMs),
      clockJumpMsMax: this.#clockJumpMsMax,
    };
  }
}
