/**
 * Counts worked out in the collector: every key is read once, sets meet here. For questions that use the same keys over and
 * over, such as a retention table, whose 60 days meet 900 times: reading a bitmap costs Redis a quarter of one BITOP.
 */
import { segmentKey } from './keys.ts';
import { LocalSets } from './visitor-local-sets.ts';
import type { BitExpression } from './visitor-plan.ts';
import type { Instruction } from './visitor-program.ts';
import type { VisitorScripts } from './visitor-scripts.ts';
import type { Segment } from './visitor-stages.ts';
import { fetchValues, type KeySize, type SegmentValue } from './visitor-values.ts';

/**
 * Time for a KiB, a member or a key, in microseconds: to read it (Redis, socket and collector together), to meet, to
 * count. Two sets that meet only to be counted do both in one go.
 */
const readUsPerKib = 1;
const readUsPerMember = 0.15;
const readUsPerKey = 8;
const meetUsPerKib = 0.3;
const countUsPerKib = 0.15;
/** Of what is read, and of what is kept between two uses. */
const bytesMax = 32 * 2 ** 20;
/** Below this nothing is gained that could be noticed. */
const gainUsMin = 2000;

/** Is it cheaper to read all keys than to have Redis run the program? */
export function isForCollector(
  names: ReadonlySet<string>,
  sizeOf: (key: string) => KeySize,
  program: readonly (readonly Instruction[])[],
  segment: Segment,
): boolean {
  let [readUs, bytes] = [0, 0];
  for (const name of names) {
    const size = sizeOf(name);
    bytes += size.bytes + 4 * size.members;
    readUs += readUsPerKey + (size.bytes / 1024) * readUsPerKib + size.members * readUsPerMember;
  }
  if (bytes > bytesMax) return false;
  const instructions = program.flat();
  const redisUs = instructions.reduce((sum, { costUs }) => sum + costUs, 0);
  const workUs = instructions.reduce((sum, instruction) => sum + collectorUs(instruction, segment), 0);
  return redisUs - readUs - workUs > gainUsMin;
}

function collectorUs({ op, sources }: Instruction, { bytes }: Segment): number {
  const kib = bytes / 1024;
  if (op === 'count') return typeof sources[0] === 'string' ? kib * countUsPerKib : 0;
  return op === 'and' && sources.length === 2 ? kib * countUsPerKib : sources.length * kib * meetUsPerKib;
}

/** Adds the counts of one segment to those of the outputs. */
export async function countInCollector(
  scripts: VisitorScripts,
  names: ReadonlySet<string>,
  sizeOf: (key: string) => KeySize,
  outputs: readonly BitExpression[],
  segment: Segment,
  counts: number[],
): Promise<void> {
  const present = [...names].filter((name) => sizeOf(name).bytes + sizeOf(name).members > 0);
  const values = await fetchValues(
    scripts,
    present.map((name) => segmentKey(name, segment.number)),
  );
  const byName = new Map(present.map((name, i) => [name, values[i] as SegmentValue]));
  const sets = new LocalSets(byName, outputs, segment.bytes);
  for (const [i, output] of outputs.entries()) {
    await scripts.breathe();
    counts[i] = (counts[i] ?? 0) + sets.count(output);
  }
}
