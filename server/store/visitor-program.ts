/**
 * From expressions to instructions for visitor-program.lua, with what each will cost Redis.
 *
 * Outputs come in groups that share no register: a set that several outputs use is computed once in each group.
 * So between groups nothing has to be kept, and a retention table is a row of independent scripts.
 */
import type { ListUnions } from './visitor-lists.ts';
import type { BitExpression } from './visitor-plan.ts';
import type { KeySize } from './visitor-values.ts';

/** A key of segment 0, or a register. Each register is written once. */
export type Source = string | number;

/** What a set is taken from in one command: BITOP is fast with 16 sources and no more. */
const metAtOnceMax = 15;

export interface Instruction {
  readonly op: 'or' | 'and' | 'minus' | 'count';
  /** The register written; of a count, which output it is. */
  readonly target: number;
  /** Of `minus`: sets that meet, then what is taken away from them. */
  readonly sources: readonly Source[];
  readonly costUs: number;
}

/** The register that holds a union made by the collector: beyond all that programs write. */
export const unionRegister = (number: number): number => 1_000_000_000 + number;

/** Redis' time for a piece of work, in microseconds; measured in docs/decisions/0017-visitor-questions.md. */
export const costs = {
  /** Of a command, and of the look at a key's type. */
  commandUs: 1,
  bitopUsPerKib: 0.13,
  bitcountUsPerKib: 0.32,
  memberUs: 1.2,
} as const;

const sourcesMax = 64;
/** A union of lists that is longer is a bitmap; visitor-program.lua has the same number. */
const listMax = 512;

/** @returns groups of instructions, in the order of the outputs; outputs that are surely empty have none */
export function compileProgram(
  outputs: readonly BitExpression[],
  sizeOf: (key: string) => KeySize,
  fullBytes: number,
  budgetUs: number,
  unions: ListUnions = new Map(),
): readonly (readonly Instruction[])[] {
  const groups: Instruction[][] = [];
  let compiler = new Compiler(sizeOf, fullBytes, budgetUs / 3, unions);
  outputs.forEach((output, number) => {
    compiler.output(output, number);
    if (compiler.costUs < budgetUs) return;
    groups.push(withoutUnread(compiler.instructions));
    compiler = new Compiler(sizeOf, fullBytes, budgetUs / 3, unions);
  });
  if (compiler.instructions.length > 0) groups.push(withoutUnread(compiler.instructions));
  return groups.filter((group) => group.length > 0);
}

class Compiler {
  readonly instructions: Instruction[] = [];
  costUs = 0;
  readonly #sizeOf: (key: string) => KeySize;
  /** Of one instruction. */
  readonly #partUs: number;
  /** Of a bitmap of the whole segment. */
  readonly #fullBytes: number;
  readonly #unions: ListUnions;
  readonly #united: readonly BitExpression[];
  readonly #done = new Map<BitExpression, Source | undefined>();
  /** What a register is expected to be, at most. */
  readonly #sizes: KeySize[] = [];

  constructor(sizeOf: (key: string) => KeySize, fullBytes: number, partUs: number, unions: ListUnions) {
    this.#fullBytes = fullBytes;
    this.#unions = unions;
    this.#united = [...unions.keys()];
    this.#sizeOf = sizeOf;
    this.#partUs = partUs;
  }

  output(expression: BitExpression, number: number): void {
    const source = this.#compile(expression);
    if (source === undefined) return;
    const { bytes } = this.#size(source);
    this.#push('count', number, [source], costs.commandUs + (bytes / 1024) * costs.bitcountUsPerKib);
  }

  /** Where the set is, or undefined if it is empty. */
  #compile(expression: BitExpression): Source | undefined {
    if (this.#done.has(expression)) return this.#done.get(expression);
    const source = this.#make(expression);
    this.#done.set(expression, source);
    return source;
  }

  #make(expression: BitExpression): Source | undefined {
    if ('any' in expression) return this.#makeAny(expression);
    if ('or' in expression) return this.#fold('or', expression.or, (part) => this.#compile(part));
    if ('and' in expression) return this.#fold('and', expression.and, (part) => this.#compile(part));
    const [from, without] = expression.minus;
    if (this.#isMetAtOnce(from)) return this.#meetAndSubtract(from.and, without);
    const left = this.#compile(from);
    if (left === undefined) return undefined;
    const right = this.#compile(without);
    if (right === undefined) return left;
    return left === right ? undefined : this.#instruct('minus', [left, right]);
  }

  /** An intersection that is not worked out yet and takes one command. */
  #isMetAtOnce(from: BitExpression): from is { readonly and: readonly BitExpression[] } {
    return 'and' in from && from.and.length <= metAtOnceMax && !this.#done.has(from);
  }

  /** What is taken away meets the others inside out, in the same command: one BITOP less, and one bitmap. */
  #meetAndSubtract(parts: readonly BitExpression[], without: BitExpression): Source | undefined {
    const met = new Set<Source>();
    for (const part of parts) {
      const source = this.#compile(part);
      if (source === undefined) return undefined;
      met.add(source);
    }
    const right = this.#compile(without);
    if (right === undefined) return met.size < 2 ? [...met][0] : this.#instruct('and', [...met]);
    return met.has(right) ? undefined : this.#instruct('minus', [...met, right]);
  }

  /** Lists that were united come as one register, in the place of their keys. */
  #makeAny(leaf: { readonly any: readonly string[] }): Source | undefined {
    const united = this.#unions.has(leaf) ? [unionRegister(this.#united.indexOf(leaf))] : [];
    const keys = united.length === 0 ? leaf.any : leaf.any.filter((key) => this.#sizeOf(key).members === 0);
    return this.#fold<Source>('or', [...united, ...keys], (part) =>
      typeof part === 'number' ? part : this.#present(part),
    );
  }

  #present(key: string): Source | undefined {
    const { bytes, members } = this.#sizeOf(key);
    return bytes + members > 0 ? key : undefined;
  }

  /** Parts are gathered until they are a script's worth; what they give is the first of the next ones. */
  #fold<Part>(
    op: 'or' | 'and',
    parts: readonly Part[],
    compile: (part: Part) => Source | undefined,
  ): Source | undefined {
    const gathered = new Set<Source>();
    let costUs = 0;
    for (const part of parts) {
      const source = compile(part);
      if (source === undefined && op === 'and') return undefined;
      if (source === undefined) continue;
      gathered.add(source);
      costUs += this.#sourceUs(source);
      if (gathered.size < 2 || (costUs < this.#partUs && gathered.size < sourcesMax)) continue;
      const folded = this.#instruct(op, [...gathered]);
      gathered.clear();
      gathered.add(folded);
      costUs = this.#sourceUs(folded);
    }
    const [first] = gathered;
    return gathered.size < 2 ? first : this.#instruct(op, [...gathered]);
  }

  #instruct(op: 'or' | 'and' | 'minus', sources: readonly Source[]): number {
    const sizes = sources.map((source) => this.#size(source));
    const register = this.#sizes.push(sizeOfResult(op, sizes, this.#fullBytes)) - 1;
    const costUs = sources.map((source) => this.#sourceUs(source)).reduce((a, b) => a + b, 0);
    this.#push(op, register, sources, op === 'minus' ? 2 * costUs : costUs);
    return register;
  }

  #push(op: Instruction['op'], target: number, sources: readonly Source[], costUs: number): void {
    this.instructions.push({ op, target, sources, costUs });
    this.costUs += costUs;
  }

  #size(source: Source): KeySize {
    if (typeof source === 'string') return this.#sizeOf(source);
    return this.#sizes[source] ?? { bytes: this.#fullBytes, members: 0 };
  }

  #sourceUs(source: Source): number {
    const { bytes, members } = this.#size(source);
    return 2 * costs.commandUs + (bytes / 1024) * costs.bitopUsPerKib + members * costs.memberUs;
  }
}

/** Without what nobody reads: the beginning of an intersection that turned out to be empty. */
function withoutUnread(instructions: readonly Instruction[]): Instruction[] {
  const read = new Set<Source>();
  const kept: Instruction[] = [];
  for (const instruction of [...instructions].reverse()) {
    if (instruction.op !== 'count' && !read.has(instruction.target)) continue;
    for (const source of instruction.sources) read.add(source);
    kept.push(instruction);
  }
  return kept.reverse();
}

function sizeOfResult(op: 'or' | 'and' | 'minus', sizes: readonly KeySize[], fullBytes: number): KeySize {
  if (op === 'minus') return sizeOfResult('and', sizes.slice(0, -1), fullBytes);
  const bytes = Math.max(...sizes.map((size) => size.bytes));
  if (op === 'or') {
    const members = sum(sizes);
    return bytes > 0 || members > listMax
      ? { bytes: Math.max(bytes, fullBytes), members: 0 }
      : { bytes, members };
  }
  const lists = sizes.filter((size) => size.bytes === 0).map((size) => size.members);
  return lists.length === 0 ? { bytes, members: 0 } : { bytes: 0, members: Math.min(...lists) };
}

const sum = (sizes: readonly KeySize[]): number => sizes.reduce((total, { members }) => total + members, 0);
