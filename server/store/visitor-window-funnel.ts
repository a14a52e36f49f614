/**
 * Ordered funnels with a window: step k at most so many minutes after the first step of the same chain.
 *
 * start[k] of a visitor is the latest minute in which a chain that has come to step k began: a later beginning is
 * never worse, for it leaves more of the window. Minutes ascending, in each the steps ascending:
 *   start[0] = m, if step 0 is in m
 *   start[k] = max(start[k], start[k-1]), if step k is in m and m - start[k-1] <= window
 * Only visitors who come to step 1 without a window are looked at; who has come to the last step is done.
 */
import type { PropertyKeys } from './keys.ts';
import { forEachMember, VisitorBits } from './visitor-bits.ts';
import { fetchSteps, minutesOf, runsOf } from './visitor-buckets.ts';
import type { OrderedFunnelPlan } from './visitor-plan.ts';
import type { VisitorScripts } from './visitor-scripts.ts';
import type { Segment } from './visitor-stages.ts';

const runLength = 15;
const never = -1;

/**
 * @param unlimited who came to each step without a window
 * @returns who came to each step within it
 */
export async function sweepWindow(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  { steps, cover, windowMinutes = 0 }: OrderedFunnelPlan,
  segment: Segment,
  unlimited: readonly VisitorBits[],
): Promise<readonly VisitorBits[]> {
  const [first, second] = unlimited;
  if (first === undefined || second === undefined) return unlimited;
  const reached = steps.map(() => new VisitorBits(segment.bytes));
  reached[0]?.copyFrom(first);
  const open = new VisitorBits(segment.bytes);
  open.copyFrom(second);
  const starts = steps.map(() => new Int32Array(8 * segment.bytes).fill(never));
  let minute = 0;
  for (const run of runsOf(minutesOf(cover), runLength)) {
    const values = await fetchSteps(scripts, keys, segment.number, run, steps);
    for (const ofMinute of values) {
      scripts.check();
      const firstStart = minute - windowMinutes;
      ofMinute.forEach((ofStep, k) => {
        const start = starts[k] as Int32Array;
        const before = starts[k - 1];
        forEachMember(ofStep, open, (offset) => {
          const began = before === undefined ? minute : (before[offset] as number);
          if (began === never || began < firstStart || began < (start[offset] as number)) return;
          start[offset] = began;
          reached[k]?.add(offset);
        });
      });
      minute++;
    }
    dropDone(open, reached);
  }
  return reached;
}

function dropDone(open: VisitorBits, reached: readonly VisitorBits[]): void {
  const done = reached.at(-1) as VisitorBits;
  for (let i = 0; i < open.words.length; i++)
    open.words[i] = (open.words[i] as number) & ~(done.words[i] as number);
}
