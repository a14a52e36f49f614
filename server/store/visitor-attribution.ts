/**
 * Which source brought those who reached a goal. A visitor converts in the first minute of the goal's range with the
 * goal; touches count up to that minute, itself included.
 *
 *   first   the source of the earliest touch        last   that of the latest
 *   any     every source that touched the visitor: these counts add up to more than there are visitors
 *
 * Within one minute the order of touches is unknown: of several sources in the deciding minute the one that
 * the plan names first has it, for `first` and for `last`.
 */
import type { TimeBucket } from '../base/time-bucket.ts';
import { type PropertyKeys, segmentKey } from './keys.ts';
import { forEachMember, unionOf, VisitorBits } from './visitor-bits.ts';
import { fetchSteps, partsOf, runsOf } from './visitor-buckets.ts';
import type { AttributionCounts, AttributionPlan } from './visitor-plan.ts';
import type { VisitorScripts } from './visitor-scripts.ts';
import type { Segment } from './visitor-stages.ts';
import { fetchValues, readSizes } from './visitor-values.ts';

const runLength = 15;
const nobody = 0xffff;

interface Totals {
  conversions: number;
  untouched: number;
  readonly first: number[];
  readonly last: number[];
  readonly any: number[];
}

export async function sweepAttribution(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  plan: AttributionPlan,
  segments: readonly Segment[],
): Promise<AttributionCounts> {
  const zeros = () => plan.sources.map(() => 0);
  const totals: Totals = { conversions: 0, untouched: 0, first: zeros(), last: zeros(), any: zeros() };
  for (const segment of segments) await new AttributionSweep(scripts, keys, plan, segment, totals).run();
  return totals;
}

class AttributionSweep {
  readonly #scripts: VisitorScripts;
  readonly #keys: PropertyKeys;
  readonly #plan: AttributionPlan;
  readonly #segment: Segment;
  readonly #totals: Totals;
  readonly #first: Uint16Array;
  readonly #last: Uint16Array;
  readonly #touched: readonly VisitorBits[];
  readonly #goalFromMs: number;
  /** Who will convert and has not yet. */
  #open: VisitorBits;

  constructor(
    scripts: VisitorScripts,
    keys: PropertyKeys,
    plan: AttributionPlan,
    segment: Segment,
    totals: Totals,
  ) {
    this.#scripts = scripts;
    this.#keys = keys;
    this.#plan = plan;
    this.#segment = segment;
    this.#totals = totals;
    this.#first = new Uint16Array(8 * segment.bytes).fill(nobody);
    this.#last = new Uint16Array(8 * segment.bytes).fill(nobody);
    this.#touched = plan.sources.map(() => new VisitorBits(segment.bytes));
    this.#goalFromMs = plan.goalCover[0]?.startMs ?? 0;
    this.#open = new VisitorBits(segment.bytes);
  }

  async run(): Promise<void> {
    const { goal, goalCover, touchCover } = this.#plan;
    const names = goalCover.flatMap(({ name }) => goal.map((keyName) => this.#key(keyName, name)));
    this.#open = unionOf(await fetchValues(this.#scripts, names), this.#segment.bytes);
    this.#totals.conversions += this.#open.count();
    await this.#over(
      touchCover,
      this.#plan.sources.map((_name, source) => source),
    );
  }

  #key(keyName: string, bucketName: string): string {
    return segmentKey(this.#keys.bucket(keyName, bucketName), this.#segment.number);
  }

  /** @param sources numbers of the sources that have anything in these buckets, ascending */
  async #over(buckets: readonly TimeBucket[], sources: readonly number[]): Promise<void> {
    const minutes = buckets.filter(({ granularity }) => granularity === 'minute');
    if (minutes.length < buckets.length) {
      for (const bucket of buckets) {
        if (bucket.granularity === 'minute') await this.#minutes([bucket], sources);
        else await this.#parts(bucket, sources);
      }
      return;
    }
    for (const run of runsOf(minutes, runLength)) await this.#minutes(run, sources);
  }

  /** Most sources are silent most of the time; what is not in an hour need not be looked for in its minutes. */
  async #parts(bucket: TimeBucket, sources: readonly number[]): Promise<void> {
    const { goal, sources: sourceNames } = this.#plan;
    const names = [...goal, ...sources.map((source) => sourceNames[source] as string)];
    const sizes = await readSizes(
      this.#scripts,
      names.map((keyName) => this.#key(keyName, bucket.name)),
    );
    const isThere = sizes.map(({ bytes, members }) => bytes + members > 0);
    if (!isThere.includes(true)) return;
    const present = sources.filter((_source, i) => isThere[goal.length + i] === true);
    await this.#over(partsOf(bucket), present);
  }

  async #minutes(run: readonly TimeBucket[], sources: readonly number[]): Promise<void> {
    const { goal } = this.#plan;
    const steps = [goal, ...sources.map((source) => [this.#plan.sources[source] as string])];
    const values = await fetchSteps(this.#scripts, this.#keys, this.#segment.number, run, steps);
    run.forEach(({ startMs }, i) => {
      this.#scripts.check();
      const [goals = [], ...touches] = values[i] ?? [];
      // From the last source to the first: the first one to be named writes `last` last.
      for (let at = sources.length - 1; at >= 0; at--) {
        const source = sources[at] as number;
        forEachMember(touches[at] ?? [], this.#open, (offset) => {
          this.#last[offset] = source;
          this.#touched[source]?.add(offset);
        });
      }
      sources.forEach((source, at) => {
        forEachMember(touches[at] ?? [], this.#open, (offset) => {
          if (this.#first[offset] === nobody) this.#first[offset] = source;
        });
      });
      if (startMs < this.#goalFromMs) return;
      forEachMember(goals, this.#open, (offset) => this.#convert(offset));
      const gone = unionOf(goals, this.#segment.bytes);
      for (let w = 0; w < gone.words.length; w++)
        this.#open.words[w] = (this.#open.words[w] as number) & ~(gone.words[w] as number);
    });
  }

  #convert(offset: number): void {
    const first = this.#first[offset] as number;
    // A goal of several names may bring a visitor twice in its minute; the mark says that it is done.
    if (first === converted) return;
    this.#first[offset] = converted;
    if (first === nobody) {
      this.#totals.untouched++;
      return;
    }
    const last = this.#last[offset] as number;
    this.#totals.first[first] = (this.#totals.first[first] ?? 0) + 1;
    this.#totals.last[last] = (this.#totals.last[last] ?? 0) + 1;
    this.#touched.forEach((bits, source) => {
      if (bits.has(offset)) this.#totals.any[source] = (this.#totals.any[source] ?? 0) + 1;
    });
  }
}

const converted = 0xfffe;
