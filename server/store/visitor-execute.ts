/** Executes plans of questions about visitors: segment by segment, in short scripts. */
import { systemClock } from '../base/clock.ts';
import type { RedisConnection } from './connection.ts';
import { type PropertyKeys, segmentKey, visitorSegmentBits } from './keys.ts';
import { sweepAttribution } from './visitor-attribution.ts';
import { sweepFunnel } from './visitor-funnel.ts';
import { uniteLists } from './visitor-lists.ts';
import { countInCollector, isForCollector } from './visitor-local.ts';
import type { BitExpression, CountsPlan, VisitorPlan, VisitorResult } from './visitor-plan.ts';
import { compileProgram } from './visitor-program.ts';
import { type QueryLimits, VisitorScripts } from './visitor-scripts.ts';
import { runGroup, type Segment } from './visitor-stages.ts';
import { type KeySize, readSizes } from './visitor-values.ts';

export const queryTimeoutDefaultMs = 5000;

/**
 * Answers a plan from what lies in Redis now: every event acknowledged before is in the answer.
 * Throws CB_QUERY_TIMEOUT, CB_QUERY_CANCELLED, and what a connection throws.
 */
export async function executeVisitorQuery(
  connection: RedisConnection,
  keys: PropertyKeys,
  plan: VisitorPlan,
  limits: Partial<QueryLimits> = {},
): Promise<VisitorResult> {
  const { clock = systemClock, timeoutMs = queryTimeoutDefaultMs } = limits;
  const scripts = new VisitorScripts(connection, { ...limits, clock, timeoutMs });
  return executePlan(scripts, keys, plan);
}

/** The same as a part of a longer question, which shares its time. */
export async function executePlan(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  plan: VisitorPlan,
): Promise<VisitorResult> {
  if (plan.kind === 'counts') return { kind: 'counts', counts: await executeCounts(scripts, keys, plan) };
  const segments = segmentsOf(await readVisitorCount(scripts, keys));
  if (plan.kind === 'orderedFunnel')
    return { kind: 'orderedFunnel', counts: await sweepFunnel(scripts, keys, plan, segments) };
  return { kind: 'attribution', ...(await sweepAttribution(scripts, keys, plan, segments)) };
}

/** Fewer outputs don't use their keys so often that reading them pays. */
const outputsHereMin = 8;

async function executeCounts(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  { outputs }: CountsPlan,
): Promise<number[]> {
  const counts = new Array<number>(outputs.length).fill(0);
  const seen = new Set<BitExpression>();
  for (const output of outputs) collect(output, seen);
  const leaves = [...seen].filter((expression) => 'any' in expression);
  const names = new Set(leaves.flatMap(({ any }) => any));
  if (names.size === 0) return counts;
  for (const segment of segmentsOf(await readVisitorCount(scripts, keys))) {
    const sizeOf = await sizesOf(scripts, names, segment);
    if (isCountedHere(scripts, names, sizeOf, outputs, segment)) {
      await countInCollector(scripts, names, sizeOf, outputs, segment, counts);
      continue;
    }
    const unions = await uniteLists(scripts, leaves, sizeOf, segment);
    for (const group of compileProgram(outputs, sizeOf, segment.bytes, scripts.budgetUs, unions))
      await runGroup(scripts, keys, group, segment, counts, unions);
  }
  return counts;
}

function isCountedHere(
  scripts: VisitorScripts,
  names: ReadonlySet<string>,
  sizeOf: (key: string) => KeySize,
  outputs: readonly BitExpression[],
  segment: Segment,
): boolean {
  const { counts } = scripts.ways;
  if (counts !== undefined) return counts === 'collector';
  if (outputs.length < outputsHereMin) return false;
  const program = compileProgram(outputs, sizeOf, segment.bytes, scripts.budgetUs);
  return isForCollector(names, sizeOf, program, segment);
}

async function readVisitorCount({ connection }: VisitorScripts, keys: PropertyKeys): Promise<number> {
  return Number((await connection.call('GET', [keys.ids])) ?? 0);
}

const bytesMin = 64;

/** The segments that so many visitors make. */
export function segmentsOf(visitors: number): Segment[] {
  const perSegment = 2 ** visitorSegmentBits;
  return Array.from({ length: Math.ceil(visitors / perSegment) }, (_none, number) => {
    const inSegment = Math.min(visitors - number * perSegment, perSegment);
    return { number, bytes: Math.max(bytesMin, 2 ** Math.ceil(Math.log2(inSegment / 8))) };
  });
}

/** All parts of an expression, itself included, each once. */
function collect(expression: BitExpression, seen: Set<BitExpression>): void {
  if (seen.has(expression)) return;
  seen.add(expression);
  if ('any' in expression) return;
  const parts = 'and' in expression ? expression.and : 'or' in expression ? expression.or : expression.minus;
  for (const part of parts) collect(part, seen);
}

/** So few keys that one script can take them whatever they are. */
const keysUnseenMax = 4;

/**
 * How large each key is. A few keys cost less than asking would: whatever they are, one script can take them. Of
 * many it pays to know which are there at all.
 */
async function sizesOf(
  scripts: VisitorScripts,
  names: ReadonlySet<string>,
  segment: Segment,
): Promise<(key: string) => KeySize> {
  if (names.size <= keysUnseenMax) {
    const unknown = { bytes: segment.bytes, members: 0 };
    return () => unknown;
  }
  const keys = [...names];
  const sizes = await readSizes(
    scripts,
    keys.map((key) => segmentKey(key, segment.number)),
  );
  const byKey = new Map(keys.map((key, i) => [key, sizes[i] as KeySize]));
  const none = { bytes: 0, members: 0 };
  return (key) => byKey.get(key) ?? none;
}
