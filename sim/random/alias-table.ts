/**
 * Weighted choice in constant time: Walker's alias method, built as Vose does ("A linear algorithm for
 * generating random numbers with a given distribution", IEEE Trans. Software Eng. 17, 1991).
 *
 * Column i is drawn with probability 1/n and keeps i with probability `keep[i]`, else gives `alias[i]`.
 */
import assert from 'node:assert';
import type { RandomStream } from './random-stream.ts';

export class AliasTable {
  readonly size: number;
  readonly #keep: Float64Array;
  readonly #alias: Int32Array;

  /** @param weights at least one, each finite and >= 0, with a sum above 0 */
  constructor(weights: readonly number[]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    assert(weights.every((weight) => weight >= 0) && total > 0 && Number.isFinite(total), 'weights');
    this.size = weights.length;
    this.#keep = Float64Array.from(weights, (weight) => (weight * weights.length) / total);
    this.#alias = Int32Array.from(weights, (_weight, index) => index);
    this.#level();
  }

  /** An index, with the probability of its weight. One uniform: its whole part picks, its fraction keeps. */
  sample(stream: RandomStream): number {
    const position = stream.next() * this.size;
    const column = Math.floor(position);
    return position - column < (this.#keep[column] as number) ? column : (this.#alias[column] as number);
  }

  /** Fills every column that is below the average from one that is above. */
  #level(): void {
    const keep = this.#keep;
    const small: number[] = [];
    const large: number[] = [];
    keep.forEach((share, index) => {
      (share < 1 ? small : large).push(index);
    });
    while (small.length > 0 && large.length > 0) {
      const low = small.pop() as number;
      const high = large.at(-1) as number;
      this.#alias[low] = high;
      keep[high] = (keep[high] as number) + (keep[low] as number) - 1;
      if ((keep[high] as number) < 1) small.push(large.pop() as number);
    }
    // What is left on either side is 1 but for rounding.
    for (const index of [...small, ...large]) keep[index] = 1;
  }
}

/** Zipf's law: weights of ranks 1 to n, rank r having r^-exponent. Not normalised. */
export function zipfWeights(n: number, exponent: number): number[] {
  return Array.from({ length: n }, (_value, index) => (index + 1) ** -exponent);
}
