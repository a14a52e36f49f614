/**
 * Ordered funnels, visitor by visitor: for crowds of which a minute holds few. Each member of each minute costs a look
 * at one bit.
 *
 * most[v] is how far the visitor can come: it took so many steps, in whatever order, in the range (whole days say so).
 * came[v] is how far it has come. Whoever has come as far as possible is no longer looked at.
 *   without a window: step k (from 0) in a minute takes a visitor from k to k + 1
 *   with one: begin[k][v] is the latest minute in which a chain that has come to step k began; a later beginning is
 *   never worse, for it leaves more of the window. Minutes ascending, in each the steps ascending:
 *     begin[0] = m, if step 0 is in m
 *     begin[k] = begin[k-1], if step k is in m and begin[k-1] is later and at most the window ago
 */
import { copyOf, forEachMember, type VisitorBits } from './visitor-bits.ts';
import type { BucketRun } from './visitor-buckets.ts';
import type { VisitorScripts } from './visitor-scripts.ts';
import type { SegmentValue } from './visitor-values.ts';

const never = -0x4000_0000;

/**
 * @param most `most[k]`: who took the steps 0 to k in any order; at least two steps
 * @param minutes the range, ascending
 * @returns how many came to each step
 */
export async function sweepMembers(
  scripts: VisitorScripts,
  most: readonly VisitorBits[],
  minutes: AsyncIterable<BucketRun>,
  windowMinutes: number | undefined,
): Promise<number[]> {
  const sweep = new MemberSweep(most, windowMinutes);
  for await (const { values } of minutes) {
    for (const ofMinute of values) {
      await scripts.breathe();
      sweep.minute(ofMinute);
    }
    if (sweep.open === 0) break;
  }
  return sweep.counts();
}

class MemberSweep {
  /** How many may yet come farther, and who: one bit each, so that most looks stay in the cache. */
  open: number;
  readonly #open: VisitorBits;
  readonly #counts: number[];
  readonly #most: Uint8Array;
  readonly #came: Uint8Array;
  readonly #begin: readonly Int32Array[];
  readonly #windowMinutes: number | undefined;
  #minute = 0;

  constructor(most: readonly VisitorBits[], windowMinutes: number | undefined) {
    const [first, second] = most as readonly [VisitorBits, VisitorBits];
    const visitors = 32 * first.words.length;
    this.#counts = most.map((_bits, k) => (k === 0 ? first.count() : 0));
    this.#windowMinutes = windowMinutes;
    this.#most = new Uint8Array(visitors);
    this.#came = new Uint8Array(visitors);
    this.#begin = windowMinutes === undefined ? [] : most.map(() => new Int32Array(visitors).fill(never));
    // Who did not take both of the first two steps can't come beyond the first, which is counted already.
    this.#open = copyOf(second);
    this.open = second.count();
    for (const bits of most.slice(1))
      bits.forEach((offset) => {
        this.#most[offset] = (this.#most[offset] || 1) + 1;
      });
  }

  minute(ofSteps: readonly (readonly SegmentValue[])[]): void {
    for (const [k, values] of ofSteps.entries())
      forEachMember(values, this.#open, (offset) => {
        this.#take(k, offset);
      });
    this.#minute++;
  }

  #take(k: number, offset: number): void {
    if (this.#windowMinutes === undefined) {
      if (this.#came[offset] === k) this.#comeTo(k + 1, offset);
      return;
    }
    const begin = this.#begin[k] as Int32Array;
    const before = k === 0 ? this.#minute : ((this.#begin[k - 1] as Int32Array)[offset] as number);
    if (before < this.#minute - this.#windowMinutes || before <= (begin[offset] as number)) return;
    begin[offset] = before;
    if (this.#came[offset] === k) this.#comeTo(k + 1, offset);
  }

  #comeTo(steps: number, offset: number): void {
    this.#came[offset] = steps;
    if (steps > 1) this.#counts[steps - 1] = (this.#counts[steps - 1] as number) + 1;
    if (steps < (this.#most[offset] as number)) return;
    this.#open.remove(offset);
    this.open--;
  }

  counts(): number[] {
    return this.#counts;
  }
}
