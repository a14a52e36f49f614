/**
 * Work that no build changes, done beside every trial: a loop in registers and a walk through memory. If it comes out
 * apart between the arms, so would anything else, and the session is invalid.
 */
import type { Clock } from '../../server/base/clock.ts';

const probeMs = 100;
const words = 1 << 21;
/** A cache line, so that each step meets another one; odd in lines, so that all are met. */
const stride = 16 * 4099;

/** Nanoseconds for one step of each. */
export function controlProbe(clock: Clock): { readonly spinNsPerOp: number; readonly memoryNsPerOp: number } {
  const memory = new Uint32Array(words).fill(1);
  let at = 0;
  const spin = (steps: number): number => {
    let value = 1;
    for (let step = 0; step < steps; step += 1) value = (Math.imul(value, 1_664_525) + 1_013_904_223) | 0;
    return value;
  };
  const walk = (steps: number): number => {
    let sum = 0;
    for (let step = 0; step < steps; step += 1) {
      at = (at + stride) & (words - 1);
      sum = (sum + (memory[at] as number)) | 0;
    }
    return sum;
  };
  return { spinNsPerOp: nsPerStep(spin, clock), memoryNsPerOp: nsPerStep(walk, clock) };
}

/** The fastest of many short rounds: what interrupts a round is not the machine's speed. */
function nsPerStep(work: (steps: number) => number, clock: Clock): number {
  const steps = 100_000;
  let least = Number.POSITIVE_INFINITY;
  const endMs = clock.monotonicMs() + probeMs;
  work(steps);
  do {
    const startMs = clock.monotonicMs();
    work(steps);
    least = Math.min(least, ((clock.monotonicMs() - startMs) * 1e6) / steps);
  } while (clock.monotonicMs() < endMs);
  return least;
}
