/**
 * How fast a crowd grows and shrinks, as pure functions of time. The pace goes by the slot's number in the
 * whole run, never by worker, so that workers need not speak with each other about it.
 */
import assert from 'node:assert';

/** When slot `slotIndex` (from 0) is filled: one slot every 1/rate seconds, the first at once. */
export function arrivalMs(slotIndex: number, ratePerSecond: number): number {
  if (!(ratePerSecond > 0)) assert.fail(`rate ${ratePerSecond}`);
  return (slotIndex * 1000) / ratePerSecond;
}

export interface Ramp {
  /** Slots filled before the ramp began. */
  readonly fromSlots: number;
  /** Slots filled when it is over; may be fewer. */
  readonly toSlots: number;
  /** Slots filled or emptied per second. */
  readonly ratePerSecond: number;
}

/**
 * How many slots should be filled `elapsedMs` after the ramp began. Upwards, slot `fromSlots + i` counts
 * from `arrivalMs(i)` on; downwards the highest slot is emptied first, at the same pace.
 */
export function rampSlots(elapsedMs: number, ramp: Ramp): number {
  const distance = Math.abs(ramp.toSlots - ramp.fromSlots);
  const moved = Math.min(distance, stepsBy(elapsedMs, ramp.ratePerSecond));
  return ramp.toSlots >= ramp.fromSlots ? ramp.fromSlots + moved : ramp.fromSlots - moved;
}

/** How long a ramp takes until its last slot is filled or emptied, in milliseconds. */
export function rampMs(ramp: Ramp): number {
  const distance = Math.abs(ramp.toSlots - ramp.fromSlots);
  return distance === 0 ? 0 : arrivalMs(distance - 1, ramp.ratePerSecond);
}

/** How many i >= 0 have arrivalMs(i) <= elapsedMs. The division may round to either side of the step. */
function stepsBy(elapsedMs: number, ratePerSecond: number): number {
  if (elapsedMs < 0) return 0;
  const guess = Math.floor((elapsedMs * ratePerSecond) / 1000);
  if (arrivalMs(guess + 1, ratePerSecond) <= elapsedMs) return guess + 2;
  return arrivalMs(guess, ratePerSecond) <= elapsedMs ? guess + 1 : guess;
}
