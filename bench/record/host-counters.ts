/**
 * What the machine did during a trial that neither server nor generator asked for: time stolen by other
 * guests, context switches, pages read back from swap, throttling. From /proc and the control group; the
 * difference of two readings is one trial.
 */
import type { Trial } from './trial.ts';

export interface HostCounters {
  /** In clock ticks, of all CPUs. */
  readonly ticks: number;
  readonly stealTicks: number;
  readonly contextSwitches: number;
  readonly pagesSwappedIn: number;
  readonly throttledPeriods: number | null;
  readonly stealPctSinceBoot: number;
}

type Read = (path: string) => string | undefined;

/** Undefined where there is no /proc/stat. */
export function readHostCounters(read: Read): HostCounters | undefined {
  const stat = read('/proc/stat');
  const cpu = /^cpu +(.+)$/m.exec(stat ?? '')?.[1];
  if (stat === undefined || cpu === undefined) return undefined;
  // user nice system idle iowait irq softirq steal; guest time is part of user time already.
  const fields = cpu.split(' ').slice(0, 8).map(Number);
  const ticks = fields.reduce((sum, field) => sum + field, 0);
  const stealTicks = fields[7] ?? 0;
  return {
    ticks,
    stealTicks,
    contextSwitches: Number(/^ctxt (\d+)$/m.exec(stat)?.[1] ?? 0),
    pagesSwappedIn: Number(/^pswpin (\d+)$/m.exec(read('/proc/vmstat') ?? '')?.[1] ?? 0),
    throttledPeriods: throttledOf(read),
    stealPctSinceBoot: percent(stealTicks, ticks),
  };
}

function throttledOf(read: Read): number | null {
  const text = read('/sys/fs/cgroup/cpu.stat') ?? read('/sys/fs/cgroup/cpu/cpu.stat');
  const match = /^nr_throttled (\d+)$/m.exec(text ?? '');
  return match === null ? null : Number(match[1]);
}

/** What happened between two readings, `seconds` apart. */
export function hostBetween(
  before: HostCounters | undefined,
  after: HostCounters | undefined,
  seconds: number,
): Trial['host'] {
  if (before === undefined || after === undefined)
    return { stealPct: null, ctxtPerS: null, throttled: null, swapIn: null };
  const throttled =
    before.throttledPeriods === null || after.throttledPeriods === null
      ? null
      : after.throttledPeriods - before.throttledPeriods;
  return {
    stealPct: percent(after.stealTicks - before.stealTicks, after.ticks - before.ticks),
    ctxtPerS: seconds > 0 ? (after.contextSwitches - before.contextSwitches) / seconds : null,
    throttled,
    swapIn: after.pagesSwappedIn - before.pagesSwappedIn,
  };
}

function percent(part: number, whole: number): number {
  return whole > 0 ? (100 * part) / whole : 0;
}
