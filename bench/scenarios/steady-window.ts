/** What a server's processes used while a crowd was in its steady state, per event that it answered. */
import { setTimeout as pause } from 'node:timers/promises';
import { cpuUsOf } from '../record/child.ts';

export interface Meter {
  /** Process ids whose CPU is read. */
  readonly pids: Readonly<Record<string, number>>;
  /** How many events were answered until now. */
  readonly events: () => Promise<number>;
}

export interface WindowCost {
  readonly events: number;
  readonly seconds: number;
  /** Microseconds of CPU an event, by the name of the process. */
  readonly usPerEvent: Readonly<Record<string, number>>;
}

/** Reads the meter, waits, reads it again. The clock is that of /proc and of the event loop: only ratios count. */
export async function measureWindow(meter: Meter, windowMs: number): Promise<WindowCost> {
  const before = await read(meter);
  await pause(windowMs);
  const after = await read(meter);
  const events = after.events - before.events;
  const usPerEvent = Object.fromEntries(
    Object.keys(meter.pids).map((name) => [
      name,
      ((after.cpuUs[name] ?? 0) - (before.cpuUs[name] ?? 0)) / events,
    ]),
  );
  return { events, seconds: windowMs / 1000, usPerEvent };
}

async function read(meter: Meter): Promise<{ events: number; cpuUs: Record<string, number> }> {
  const events = await meter.events();
  const cpuUs = Object.fromEntries(
    Object.entries(meter.pids).map(([name, pid]) => [name, cpuUsOf(pid) ?? Number.NaN]),
  );
  return { events, cpuUs };
}
