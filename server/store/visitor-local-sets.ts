/** Sets of one segment, put together in the collector's memory from values that were read. */
import { countBoth, VisitorBits } from './visitor-bits.ts';
import type { BitExpression } from './visitor-plan.ts';
import type { SegmentValue } from './visitor-values.ts';

/** Of sets that are kept because they will be used again. */
const keptBytesMax = 64 * 2 ** 20;

export class LocalSets {
  readonly #values: ReadonlyMap<string, SegmentValue>;
  readonly #bytes: number;
  /** How often an expression will be asked for yet. */
  readonly #uses = new Map<BitExpression, number>();
  readonly #kept = new Map<BitExpression, VisitorBits>();

  /**
   * @param values of each key that is there
   * @param outputs each will be counted once
   */
  constructor(values: ReadonlyMap<string, SegmentValue>, outputs: readonly BitExpression[], bytes: number) {
    this.#values = values;
    this.#bytes = bytes;
    for (const output of outputs) this.#expect(output);
  }

  #expect(expression: BitExpression): void {
    const uses = this.#uses.get(expression) ?? 0;
    this.#uses.set(expression, uses + 1);
    if (uses === 0) for (const part of partsOf(expression)) this.#expect(part);
  }

  count(output: BitExpression): number {
    const isShared = (this.#uses.get(output) ?? 0) > 1 || this.#kept.has(output);
    if (isShared || !('and' in output) || output.and.length !== 2) return this.#bits(output).count();
    const [a, b] = output.and as readonly [BitExpression, BitExpression];
    return countBoth(this.#bits(a), this.#bits(b));
  }

  /** Not to be changed by the caller: it may be used again. */
  #bits(expression: BitExpression): VisitorBits {
    const left = (this.#uses.get(expression) ?? 1) - 1;
    this.#uses.set(expression, left);
    const kept = this.#kept.get(expression);
    if (left === 0) this.#kept.delete(expression);
    if (kept !== undefined) return kept;
    const made = this.#make(expression);
    const isRoom = (this.#kept.size + 1) * this.#bytes <= keptBytesMax;
    if (left > 0 && isRoom) this.#kept.set(expression, made);
    return made;
  }

  #make(expression: BitExpression): VisitorBits {
    const made = new VisitorBits(this.#bytes);
    if ('any' in expression) {
      made.become(expression.any.map((name) => this.#values.get(name) ?? nobody));
      return made;
    }
    const [first, ...rest] = partsOf(expression);
    if (first !== undefined) made.copyFrom(this.#bits(first));
    for (const part of rest) {
      const bits = this.#bits(part);
      if ('or' in expression) made.addAll(bits);
      else if ('and' in expression) made.keepOnly(bits);
      else made.removeAll(bits);
    }
    return made;
  }
}

const nobody: SegmentValue = { kind: 'none' };

function partsOf(expression: BitExpression): readonly BitExpression[] {
  if ('any' in expression) return [];
  if ('or' in expression) return expression.or;
  return 'and' in expression ? expression.and : expression.minus;
}
