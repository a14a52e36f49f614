/**
 * Keeps a fault that meets every request from filling a disk with its line: the same line is written at once,
 * then at most every ten seconds with how often it came meanwhile. Different lines don't hold each other up.
 */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../http/failure.ts';

const quietMs = 10_000;
/** Lines remembered at a time; a fault with ever new words is not held back, but the memory of it is. */
const linesMax = 1000;

export function limitRepeats(log: Log, clock: Clock): Log {
  const seen = new Map<string, { sinceMs: number; held: number }>();
  return (line, details) => {
    const nowMs = clock.monotonicMs();
    const before = seen.get(line);
    if (before !== undefined && nowMs - before.sinceMs < quietMs) {
      before.held += 1;
      return;
    }
    if (before === undefined && seen.size >= linesMax) seen.clear();
    seen.set(line, { sinceMs: nowMs, held: 0 });
    const held = before?.held ?? 0;
    log(held === 0 ? line : `${line} (and ${held} times before, since it was last said)`, details);
  };
}
