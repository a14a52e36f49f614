/**
 * Unions of many small sets, worked out in the collector. A minute's visitors are mostly a list; putting a thousand
 * members together costs Lua more than a millisecond, the collector a few microseconds. So lists are fetched (short
 * scripts that only read), and their union goes along with the program as one bitmap.
 */
import { segmentKey } from './keys.ts';
import { VisitorBits } from './visitor-bits.ts';
import type { BitExpression } from './visitor-plan.ts';
import type { VisitorScripts } from './visitor-scripts.ts';
import type { Segment } from './visitor-stages.ts';
import { fetchValues, type KeySize } from './visitor-values.ts';

/** Where lists are so long together, it pays. */
const membersMin = 256;
/** Bitmaps that a question may hold in memory, 128 KiB each; further unions are left to Redis. */
const unionsMax = 64;

/** What the lists of some expressions have together. */
export type ListUnions = ReadonlyMap<BitExpression, Buffer>;

export async function uniteLists(
  scripts: VisitorScripts,
  leaves: readonly { readonly any: readonly string[] }[],
  sizeOf: (key: string) => KeySize,
  segment: Segment,
): Promise<ListUnions> {
  const unions = new Map<BitExpression, Buffer>();
  for (const leaf of leaves) {
    const lists = leaf.any.filter((key) => sizeOf(key).members > 0);
    const members = lists.reduce((sum, key) => sum + sizeOf(key).members, 0);
    if (lists.length < 2 || members < membersMin || unions.size === unionsMax) continue;
    const names = lists.map((key) => segmentKey(key, segment.number));
    const union = new VisitorBits(segment.bytes);
    for (const value of await fetchValues(scripts, names)) union.addValue(value);
    unions.set(leaf, Buffer.from(union.words.buffer));
  }
  return unions;
}
