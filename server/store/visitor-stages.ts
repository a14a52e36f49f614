/**
 * Cuts a program into scripts that are each short, and runs them. What one script leaves for a later one comes back
 * to the collector and is sent along again: nothing of a question ever stays in Redis between two scripts.
 */
import { readFileSync } from 'node:fs';
import { makeScript } from './connection.ts';
import { type PropertyKeys, segmentKey } from './keys.ts';
import type { ListUnions } from './visitor-lists.ts';
import { runPlainStage } from './visitor-plain-stages.ts';
import { type Instruction, type Source, unionRegister } from './visitor-program.ts';
import type { VisitorScripts } from './visitor-scripts.ts';

const programScript = makeScript(readFileSync(new URL('./visitor-program.lua', import.meta.url), 'utf8'));
const operations = { or: 1, and: 2, minus: 3, count: 4 } as const;
/** Leaves of one script, and so its keys. */
const leavesMax = 400;

/** The segment that a program runs on. */
export interface Segment {
  readonly number: number;
  /** Bytes of a bitmap that holds all visitors of the segment; a power of two. */
  readonly bytes: number;
}

export interface Stage {
  readonly instructions: readonly Instruction[];
  /** Registers that earlier stages wrote and this one reads. */
  readonly loads: readonly number[];
  /** Registers that this stage writes and later ones read. */
  readonly gives: readonly number[];
}

/** @param group instructions that share no register with others */
export function cutStages(group: readonly Instruction[], budgetUs: number): Stage[] {
  const parts: Instruction[][] = [];
  let costUs = 0;
  let leaves = 0;
  for (const instruction of group) {
    costUs += instruction.costUs;
    leaves += instruction.sources.length;
    const last = parts.at(-1);
    if (last !== undefined && costUs <= budgetUs && leaves <= leavesMax) last.push(instruction);
    else {
      parts.push([instruction]);
      costUs = instruction.costUs;
      leaves = instruction.sources.length;
    }
  }
  return parts.map((instructions, i) => {
    const written = new Set(instructions.filter(({ op }) => op !== 'count').map(({ target }) => target));
    const later = registersOf(parts.slice(i + 1).flat());
    return {
      instructions,
      loads: [...registersOf(instructions)].filter((register) => !written.has(register)),
      gives: [...written].filter((register) => later.has(register)),
    };
  });
}

function registersOf(instructions: readonly Instruction[]): Set<number> {
  const sources = instructions.flatMap((instruction) => instruction.sources);
  return new Set(sources.filter((source) => typeof source === 'number'));
}

/** What a register held: 1 a list, 2 a bitmap; and its bytes. */
interface Carried {
  readonly kind: number;
  readonly value: Buffer;
}

/** Runs a group on one segment and adds its counts to those of the outputs. */
export async function runGroup(
  scripts: VisitorScripts,
  keys: PropertyKeys,
  group: readonly Instruction[],
  segment: Segment,
  counts: number[],
  unions: ListUnions,
): Promise<void> {
  const carried = new Map<number, Carried>();
  [...unions.values()].forEach((value, i) => {
    carried.set(unionRegister(i), { kind: 2, value });
  });
  for (const stage of cutStages(group, scripts.budgetUs)) {
    if (await runPlainStage(scripts, keys, stage, segment, counts)) continue;
    const { names, header } = encodeStage(stage, keys, segment, carried, hasDiff(scripts));
    const values = stage.loads.map((register) => (carried.get(register) as Carried).value);
    const reply = await scripts.run(programScript, names, [JSON.stringify(header), ...values]);
    const [found, given] = reply as [number[], (number | Buffer)[]];
    const outputs = stage.instructions.filter(({ op }) => op === 'count');
    outputs.forEach(({ target }, i) => {
      counts[target] = (counts[target] ?? 0) + Number(found[i]);
    });
    stage.gives.forEach((register, i) => {
      carried.set(register, { kind: Number(given[2 * i]), value: given[2 * i + 1] as Buffer });
    });
  }
}

/** BITOP DIFF came with Redis 8.2; Valkey calls itself 7.2 and has none. */
export function hasDiff({ connection }: VisitorScripts): boolean {
  const [major = 0, minor = 0] = connection.serverVersion.split('.').map(Number);
  return major > 8 || (major === 8 && minor >= 2);
}

function encodeStage(
  { instructions, loads, gives }: Stage,
  keys: PropertyKeys,
  segment: Segment,
  carried: ReadonlyMap<number, Carried>,
  diff: boolean,
) {
  const leaves = new Map<string, number>();
  const places = new Places(instructions, gives);
  const load = loads.flatMap((register) => [places.take(register), carried.get(register)?.kind ?? 1]);
  const number = (source: Source): number => {
    if (typeof source === 'number') return -places.of(source);
    const known = leaves.get(source) ?? leaves.size + 1;
    leaves.set(source, known);
    return known;
  };
  const program = instructions.flatMap(({ op, target, sources }, at) => {
    const numbers = sources.map(number);
    const place = op === 'count' ? 0 : places.take(target);
    places.leave(sources, at);
    return [operations[op], place, numbers.length, ...numbers];
  });
  const names = [...leaves.keys()].map((key) => segmentKey(key, segment.number));
  for (let place = 1; place <= places.count; place++) names.push(keys.temporary(place));
  const give = gives.map((register) => places.of(register));
  const header = { p: program, k: leaves.size, l: load, e: give, b: segment.bytes, d: diff ? 1 : 0 };
  return { names, header };
}

/** Which temporary key a register has: places are used again once a register was read for the last time. */
class Places {
  count = 0;
  readonly #free: number[] = [];
  readonly #places = new Map<number, number>();
  readonly #lastUse = new Map<number, number>();

  constructor(instructions: readonly Instruction[], gives: readonly number[]) {
    instructions.forEach(({ sources }, at) => {
      for (const source of sources) if (typeof source === 'number') this.#lastUse.set(source, at);
    });
    for (const register of gives) this.#lastUse.set(register, Number.POSITIVE_INFINITY);
  }

  take(register: number): number {
    const place = this.#free.pop() ?? ++this.count;
    this.#places.set(register, place);
    return place;
  }

  of(register: number): number {
    return this.#places.get(register) as number;
  }

  /** After an instruction: the places of what nobody reads again are free. */
  leave(sources: readonly Source[], at: number): void {
    for (const source of new Set(sources))
      if (typeof source === 'number' && this.#lastUse.get(source) === at) this.#free.push(this.of(source));
  }
}
