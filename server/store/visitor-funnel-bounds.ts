/**
 * Ordered funnels without a window, all visitors at once: a sweep over the time buckets, from coarse to fine only where
 * it matters. For crowds of which a minute holds many.
 *
 * reached[k] holds who has a chain of minutes t0 <= t1 <= … <= tk, step i in minute ti, by the end of what was swept.
 * Over a minute m, steps ascending:   reached[k] |= reached[k-1] & step[k](m)         (exact: the same minute is in order)
 * Over a longer bucket b the same formula is an upper bound, since within b the order is unknown;
 *   lower[k] = reached[k] | (reached-before-b[k-1] & step[k](b))                     is a lower one.
 * Where both are equal that is the answer for b and its parts are never read. Otherwise its parts are swept for the
 * steps that are uncertain, and given up as soon as the upper bound of b is reached. A crowd that does everything in
 * every minute of a day costs the day, some hours and a few minutes.
 */
import type { TimeBucket } from '../base/time-bucket.ts';
import type { PropertyKeys } from './keys.ts';
import { copyOf, unionOf, VisitorBits } from './visitor-bits.ts';
import { partsOf, streamSteps } from './visitor-buckets.ts';
import type { OrderedFunnelPlan, StepNames } from './visitor-plan.ts';
import type { VisitorScripts } from './visitor-scripts.ts';
import type { Segment } from './visitor-stages.ts';
import type { SegmentValue } from './visitor-values.ts';

/** @returns how many came to each step */
export async function sweepBounds(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  { steps, cover }: OrderedFunnelPlan,
  segment: Segment,
): Promise<number[]> {
  const sweep = new FunnelSweep(scripts, keys, steps.length, segment);
  await sweep.over(cover, steps, undefined);
  return sweep.reached.map((bits) => bits.count());
}

class FunnelSweep {
  readonly reached: readonly VisitorBits[];
  readonly #scripts: VisitorScripts;
  readonly #keys: PropertyKeys;
  readonly #segment: Segment;

  constructor(scripts: VisitorScripts, keys: PropertyKeys, steps: number, segment: Segment) {
    this.#scripts = scripts;
    this.#keys = keys;
    this.#segment = segment;
    this.reached = Array.from({ length: steps }, () => new VisitorBits(segment.bytes));
  }

  /**
   * @param steps names of each step; a step without any is settled
   * @param most what `reached` can come to at most: once it has, the rest changes nothing
   */
  async over(
    buckets: readonly TimeBucket[],
    steps: readonly StepNames[],
    most: readonly VisitorBits[] | undefined,
  ): Promise<void> {
    const runs = streamSteps(this.#scripts, this.#keys, this.#segment.number, buckets, steps);
    for await (const { buckets: run, values } of runs) {
      for (let i = 0; i < run.length; i++) await this.#step(run[i] as TimeBucket, steps, values[i] ?? []);
      if (most?.every((bits, k) => bits.equals(this.reached[k] as VisitorBits)) === true) return;
    }
  }

  async #step(
    bucket: TimeBucket,
    steps: readonly StepNames[],
    values: readonly (readonly SegmentValue[])[],
  ): Promise<void> {
    await this.#scripts.breathe();
    if (bucket.granularity === 'minute') {
      advance(this.reached, values, this.#segment.bytes);
      return;
    }
    const upper = this.reached.map((bits) => copyOf(bits));
    advance(upper, values, this.#segment.bytes);
    const uncertain = upper.map((bits, k) => k > 0 && !this.#isCertain(k, bits, values[k] ?? []));
    // Whoever newly came to a certain step had the one before it already: only the minutes of an uncertain step and
    // of the step before it can matter.
    const isNeeded = uncertain.map((isOpen, k) => isOpen || uncertain[k + 1] === true);
    for (const [k, bits] of upper.entries()) if (isNeeded[k] !== true) this.reached[k]?.copyFrom(bits);
    if (!isNeeded.includes(true)) return;
    const open = steps.map((names, k) => (isNeeded[k] === true ? names : []));
    await this.over(partsOf(bucket), open, upper);
  }

  /** Is the lower bound as high as the upper one? */
  #isCertain(k: number, upper: VisitorBits, values: readonly SegmentValue[]): boolean {
    const lower = unionOf(values, this.#segment.bytes);
    lower.keepOnly(this.reached[k - 1] as VisitorBits);
    lower.addAll(this.reached[k] as VisitorBits);
    return lower.equals(upper);
  }
}

/** reached[k] |= reached[k-1] & step[k], steps ascending. */
function advance(
  reached: readonly VisitorBits[],
  values: readonly (readonly SegmentValue[])[],
  bytes: number,
): void {
  for (let k = 0; k < reached.length; k++) {
    const bits = reached[k] as VisitorBits;
    const before = k === 0 ? undefined : (reached[k - 1] as VisitorBits);
    for (const value of values[k] ?? []) {
      if (before === undefined) bits.addValue(value);
      else if (value.kind === 'list') {
        for (const member of value.members) if (before.has(member)) bits.add(member);
      } else if (value.kind === 'bitmap') {
        const both = unionOf([value], bytes);
        both.keepOnly(before);
        bits.addAll(both);
      }
    }
  }
}
