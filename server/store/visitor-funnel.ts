/**
 * Ordered funnels: a sweep over the time buckets, from coarse to fine only where it matters.
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
import { unionOf, VisitorBits } from './visitor-bits.ts';
import { fetchSteps, partsOf, runsOf } from './visitor-buckets.ts';
import type { OrderedFunnelPlan, StepNames } from './visitor-plan.ts';
import type { VisitorScripts } from './visitor-scripts.ts';
import type { Segment } from './visitor-stages.ts';
import type { SegmentValue } from './visitor-values.ts';
import { sweepWindow } from './visitor-window-funnel.ts';

/** Buckets that are fetched together. */
const runLength = 15;

/** Visitors that came to each step, over all segments. */
export async function sweepFunnel(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  plan: OrderedFunnelPlan,
  segments: readonly Segment[],
): Promise<number[]> {
  const totals = plan.steps.map(() => 0);
  for (const segment of segments) {
    const sweep = new FunnelSweep(scripts, keys, plan.steps.length, segment);
    await sweep.over(plan.cover, plan.steps, undefined);
    let reached: readonly VisitorBits[] = sweep.reached;
    if (plan.windowMinutes !== undefined) reached = await sweepWindow(scripts, keys, plan, segment, reached);
    reached.forEach((bits, k) => {
      totals[k] = (totals[k] ?? 0) + bits.count();
    });
  }
  return totals;
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
    for (const run of runsOf(buckets, runLength)) {
      const values = await fetchSteps(this.#scripts, this.#keys, this.#segment.number, run, steps);
      for (let i = 0; i < run.length; i++) await this.#step(run[i] as TimeBucket, steps, values[i] ?? []);
      if (most?.every((bits, k) => bits.equals(this.reached[k] as VisitorBits)) === true) return;
    }
  }

  async #step(
    bucket: TimeBucket,
    steps: readonly StepNames[],
    values: readonly (readonly SegmentValue[])[],
  ): Promise<void> {
    this.#scripts.check();
    if (bucket.granularity === 'minute') {
      advance(this.reached, values, this.#segment.bytes);
      return;
    }
    const upper = this.reached.map((bits) => copyOf(bits, this.#segment.bytes));
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

function copyOf(bits: VisitorBits, bytes: number): VisitorBits {
  const copy = new VisitorBits(bytes);
  copy.copyFrom(bits);
  return copy;
}
