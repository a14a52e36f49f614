/** CPU and memory of a collector and its Redis while a trial runs, read every 100 ms so that any window can be asked for later. */
import { readFileSync } from 'node:fs';
import type { Clock } from '../../server/base/clock.ts';

interface Reading {
  readonly wallMs: number;
  readonly userS: number;
  readonly sysS: number;
}

const periodMs = 100;
/** Of /proc: USER_HZ, 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

export class UsageSampler {
  readonly #pids: readonly number[];
  readonly #clock: Clock;
  readonly #readings: Reading[] = [];
  readonly #timer: NodeJS.Timeout;

  /** @param pids the collector first; its memory is what is asked for */
  constructor(pids: readonly number[], clock: Clock) {
    this.#pids = pids;
    this.#clock = clock;
    this.#read();
    this.#timer = setInterval(() => this.#read(), periodMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#read();
  }

  /** CPU seconds between two moments, epoch ms, straight lines drawn between readings. */
  between(fromMs: number, toMs: number): { readonly cpuUserS: number; readonly cpuSysS: number } {
    const [from, to] = [this.#at(fromMs), this.#at(toMs)];
    return {
      cpuUserS: Math.max(0, to.userS - from.userS),
      cpuSysS: Math.max(0, to.sysS - from.sysS),
    };
  }

  /** The most memory the collector ever had resident; null without /proc. */
  rssPeakMiB(): number | null {
    const text = textOf(`/proc/${this.#pids[0]}/status`);
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(text);
    return match === null ? null : Number(match[1]) / 1024;
  }

  #read(): void {
    let [userS, sysS] = [0, 0];
    for (const pid of this.#pids) {
      const stat = textOf(`/proc/${pid}/stat`);
      // Fields 14 and 15, counted behind the name's closing parenthesis.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      userS += Number(fields[11] ?? 0) / ticksPerSecond;
      sysS += Number(fields[12] ?? 0) / ticksPerSecond;
    }
    this.#readings.push({ wallMs: this.#clock.wallMs(), userS, sysS });
  }

  #at(wallMs: number): Reading {
    const after = this.#readings.findIndex((reading) => reading.wallMs >= wallMs);
    const to = this.#readings[after < 0 ? this.#readings.length - 1 : after] as Reading;
    const from = this.#readings[Math.max(0, (after < 0 ? this.#readings.length : after) - 1)] as Reading;
    const length = to.wallMs - from.wallMs;
    const share = length <= 0 ? 1 : Math.min(1, Math.max(0, (wallMs - from.wallMs) / length));
    const mix = (a: number, b: number): number => a + (b - a) * share;
    return { wallMs, userS: mix(from.userS, to.userS), sysS: mix(from.sysS, to.sysS) };
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // No /proc on this system, or the process is gone: it counts as nothing.
    return '';
  }
}
