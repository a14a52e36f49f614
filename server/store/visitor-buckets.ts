/** Time buckets as a tree, and what several names hold in them. */
import { bucketEndMs, bucketName, granularities, type TimeBucket } from '../base/time-bucket.ts';
import { type PropertyKeys, segmentKey } from './keys.ts';
import type { StepNames } from './visitor-plan.ts';
import type { VisitorScripts } from './visitor-scripts.ts';
import { fetchValues, type SegmentValue } from './visitor-values.ts';

/** The buckets of the next finer granularity that a bucket consists of; none for a minute. */
export function partsOf(bucket: TimeBucket): TimeBucket[] {
  const finer = granularities[granularities.indexOf(bucket.granularity) - 1];
  const parts: TimeBucket[] = [];
  if (finer === undefined) return parts;
  for (let startMs = bucket.startMs; startMs < bucket.endMs; startMs = bucketEndMs(startMs, finer)) {
    const name = bucketName(startMs, finer);
    parts.push({ granularity: finer, name, startMs, endMs: bucketEndMs(startMs, finer) });
  }
  return parts;
}

/**
 * What each step holds in each bucket: `[bucket][step]`, the values of its names.
 * Memory: at most 128 KiB for each of buckets x names.
 */
export async function fetchSteps(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  segment: number,
  buckets: readonly TimeBucket[],
  steps: readonly StepNames[],
): Promise<(readonly SegmentValue[])[][]> {
  const names = buckets.flatMap(({ name }) =>
    steps.flatMap((step) => step.map((keyName) => segmentKey(keys.bucket(keyName, name), segment))),
  );
  const values = await fetchValues(scripts, names);
  let at = 0;
  return buckets.map(() =>
    steps.map((step) => {
      at += step.length;
      return values.slice(at - step.length, at);
    }),
  );
}

export interface BucketRun {
  readonly buckets: readonly TimeBucket[];
  /** `[bucket][step]` */
  readonly values: readonly (readonly (readonly SegmentValue[])[])[];
}

/** Keys that are read together: bitmaps of 128 KiB make 8 MiB of them. */
const keysPerRun = 64;

/** What each step holds in each bucket, a run of buckets at a time; the next run is on its way meanwhile. */
export async function* streamSteps(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  segment: number,
  buckets: readonly TimeBucket[],
  steps: readonly StepNames[],
): AsyncGenerator<BucketRun> {
  // Lists are small: a script's worth of them is longer.
  const keysMax = scripts.expectLists ? 4 * keysPerRun : keysPerRun;
  const runs = runsOf(buckets, Math.max(1, Math.floor(keysMax / Math.max(1, steps.flat().length))));
  const fetch = (run: readonly TimeBucket[]) => {
    const values = fetchSteps(scripts, keys, segment, run, steps);
    // Whoever breaks off no longer hears of what was on its way.
    values.catch(() => undefined);
    return values;
  };
  let coming = runs[0] === undefined ? undefined : fetch(runs[0]);
  for (const [i, run] of runs.entries()) {
    const values = (await coming) ?? [];
    const next = runs[i + 1];
    coming = next === undefined ? undefined : fetch(next);
    yield { buckets: run, values };
  }
}

/** The minutes of a range, ascending. */
export function minutesOf(cover: readonly TimeBucket[]): TimeBucket[] {
  return cover.flatMap((bucket) => (bucket.granularity === 'minute' ? [bucket] : minutesOf(partsOf(bucket))));
}

export function runsOf<Item>(items: readonly Item[], length: number): Item[][] {
  const runs: Item[][] = [];
  for (let at = 0; at < items.length; at += length) runs.push(items.slice(at, at + length));
  return runs;
}
