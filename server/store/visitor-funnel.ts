/**
 * Ordered funnels: how many visitors have a chain of minutes t1 <= t2 <= … with step k in minute tk.
 *
 * Three sweeps give the same answer; which is the fastest depends on the crowd, so a few minutes of the range are
 * looked at first:
 *   visitor-funnel-members.ts   a minute holds few: each member is looked at
 *   visitor-funnel-bounds.ts    many, no window: bitmaps, from coarse to fine, minutes only where hours leave a doubt
 *   visitor-funnel-blocks.ts    many, with a window: bitmaps of all minutes
 */
import type { TimeBucket } from '../base/time-bucket.ts';
import type { PropertyKeys } from './keys.ts';
import { forEachMember, VisitorBits } from './visitor-bits.ts';
import { fetchSteps, minutesOf, streamSteps } from './visitor-buckets.ts';
import { blockSweepBytes, sweepBlocks } from './visitor-funnel-blocks.ts';
import { sweepBounds } from './visitor-funnel-bounds.ts';
import { sweepMembers } from './visitor-funnel-members.ts';
import type { OrderedFunnelPlan } from './visitor-plan.ts';
import type { VisitorScripts } from './visitor-scripts.ts';
import type { Segment } from './visitor-stages.ts';

/** Visitors that came to each step, over all segments. */
export async function sweepFunnel(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  plan: OrderedFunnelPlan,
  segments: readonly Segment[],
): Promise<number[]> {
  const totals = plan.steps.map(() => 0);
  for (const segment of segments) {
    const counts = await sweepSegment(scripts, keys, plan, segment);
    for (const [k, count] of counts.entries()) totals[k] = (totals[k] ?? 0) + count;
  }
  return totals;
}

async function sweepSegment(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  plan: OrderedFunnelPlan,
  segment: Segment,
): Promise<number[]> {
  const { steps, cover } = plan;
  const most = await takenInAnyOrder(scripts, keys, plan, segment);
  if (most[1] === undefined || most[1].isEmpty()) return most.map((bits) => bits.count());
  const minutes = minutesOf(cover);
  // Such a window leaves nobody out.
  const windowMinutes =
    (plan.windowMinutes ?? minutes.length) >= minutes.length ? undefined : plan.windowMinutes;
  const way =
    scripts.ways.funnel ?? (await chooseWay(scripts, keys, plan, segment, minutes, most[1], windowMinutes));
  const stream = () => streamSteps(scripts, keys, segment.number, minutes, steps);
  if (way === 'members') return sweepMembers(scripts, most, stream(), windowMinutes);
  return windowMinutes === undefined
    ? sweepBounds(scripts, keys, plan, segment)
    : sweepBlocks(scripts, most, stream(), windowMinutes);
}

async function chooseWay(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  plan: OrderedFunnelPlan,
  segment: Segment,
  minutes: readonly TimeBucket[],
  open: VisitorBits,
  windowMinutes: number | undefined,
): Promise<'members' | 'bounds' | 'blocks'> {
  const { isLists, membersPerMinute } = await lookAtSome(scripts, keys, plan, segment, minutes, open);
  if (windowMinutes === undefined) return isLists ? 'members' : 'bounds';
  const isDense = isForBlocks(membersPerMinute, plan.steps.length, windowMinutes, segment);
  return isDense ? 'blocks' : 'members';
}

/** For each step, who took it and all before it: the most that can come out of it, told by a few coarse buckets. */
async function takenInAnyOrder(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  { steps, cover }: OrderedFunnelPlan,
  { number, bytes }: Segment,
): Promise<VisitorBits[]> {
  const most = steps.map(() => new VisitorBits(bytes));
  for await (const { values } of streamSteps(scripts, keys, number, cover, steps))
    for (const ofBucket of values)
      for (const [k, bits] of most.entries()) for (const value of ofBucket[k] ?? []) bits.addValue(value);
  for (const [k, bits] of most.entries()) if (k > 0) bits.keepOnly(most[k - 1] as VisitorBits);
  return most;
}

const sampleMinutes = 8;

/** A few minutes from all over the range: are they lists, and how many members do their steps have that matter? */
async function lookAtSome(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  { steps }: OrderedFunnelPlan,
  { number }: Segment,
  minutes: readonly TimeBucket[],
  open: VisitorBits,
): Promise<{ readonly isLists: boolean; readonly membersPerMinute: number }> {
  const every = Math.max(1, Math.floor(minutes.length / sampleMinutes));
  const some = minutes.filter((_minute, i) => i % every === every >> 1);
  const values = (await fetchSteps(scripts, keys, number, some, steps)).flat();
  let members = 0;
  for (const ofStep of values)
    forEachMember(ofStep, open, () => {
      members++;
    });
  return {
    isLists: values.flat().every(({ kind }) => kind !== 'bitmap'),
    membersPerMinute: members / Math.max(1, some.length),
  };
}

/** A member of a minute takes as long as so many words of a bitmap that meet another: 8 ns, and 0.3. */
const wordsPerMember = 25;
const blockBytesMax = 64 * 2 ** 20;

function isForBlocks(
  membersPerMinute: number,
  steps: number,
  windowMinutes: number,
  { bytes }: Segment,
): boolean {
  if (blockSweepBytes(bytes, steps, windowMinutes) > blockBytesMax) return false;
  const meetings = 1.5 * steps * steps;
  return membersPerMinute * wordsPerMember > (bytes / 4) * meetings;
}
