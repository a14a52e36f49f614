/**
 * How fast a crowd grows and shrinks, as a pure function of time. The pace goes by the place in the
 * whole run, never by worker, so that workers need not speak with each other about it.
 */
import assert from 'node:assert';

/** When slot `slotIndex` (from 0) is filled: one slot every 1/rate seconds, the first at once. */
export function arrivalMs(slotIndex: number, ratePerSecond: number): number {
  if (!(ratePerSecond > 0)) assert.fail(`rate ${ratePerSecond}`);
  return (slotIndex * 1000) / ratePerSecond;
}
