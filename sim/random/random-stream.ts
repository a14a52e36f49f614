/**
 * Seeded random streams, small enough that every visitor owns one.
 *
 * The generator is xoroshiro64** 1.0 (Blackman and Vigna, 2018, https://prng.di.unimi.it/): two 32-bit
 * words of state, period 2^64 - 1. Its authors warn that the state is small for many parallel streams;
 * here a million streams of 100 draws each meet with probability 1e12 x 100 / 2^64, about 5 in a million,
 * and two visitors who then shared some draws would spoil nothing.
 *
 * The starting state comes from Threefry (see threefry.ts), so that streams of neighbouring slots,
 * generations and seeds have nothing in common.
 */
import { threefry2x32 } from './threefry.ts';

const two32 = 2 ** 32;

/** What a stream is for; the last number given to `deriveStream`, so that purposes never share draws. */
export const purposes = {
  visit: 0,
  person: 1,
  /** What a visitor does beside reading. */
  deeds: 2,
  /** A further tab's reading; its number follows. */
  tab: 3,
  /** What the network does to a visit's events. */
  network: 4,
  address: 5,
  arrivals: 6,
  warm: 7,
} as const;

/** One stream of random numbers. The words are kept signed, because V8 stores those without a box. */
export class RandomStream {
  #s0: number;
  #s1: number;

  /** Starts from two 32-bit words. Both zero is no state of this generator and stands for (1, 0). */
  constructor(word0: number, word1: number) {
    this.#s0 = (word0 | word1) === 0 ? 1 : word0 | 0;
    this.#s1 = word1 | 0;
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    const s0 = this.#s0;
    const product = Math.imul(s0, 0x9e3779bb);
    const result = Math.imul((product << 5) | (product >>> 27), 5) >>> 0;
    const mixed = this.#s1 ^ s0;
    this.#s0 = ((s0 << 26) | (s0 >>> 6)) ^ mixed ^ (mixed << 9);
    this.#s1 = (mixed << 13) | (mixed >>> 19);
    return result;
  }

  /** A number in [0, 1), a multiple of 2^-32. */
  next(): number {
    return this.uint32() / two32;
  }

  /** A whole number in [0, n), for 1 <= n <= 2^32. Its bias is below n / 2^32. */
  int(n: number): number {
    return Math.floor((this.uint32() / two32) * n);
  }
}

const scratch = new Int32Array(2);

/**
 * Two 32-bit words (signed) for (seed, numbers...): the same for the same numbers, unrelated for any
 * others. The seed is the Threefry key; each number encrypted under it gives the key for the next one.
 *
 * @param seed whole, 0 to 2^53 - 1; so is every one of `numbers`
 */
export function deriveSeed(seed: number, ...numbers: readonly number[]): readonly [number, number] {
  deriveInto(scratch, seed, numbers);
  return [scratch[0] as number, scratch[1] as number];
}

/** A stream of its own for (seed, numbers...), for instance (run seed, slot, generation, purpose). */
export function deriveStream(seed: number, ...numbers: readonly number[]): RandomStream {
  deriveInto(scratch, seed, numbers);
  return new RandomStream(scratch[0] as number, scratch[1] as number);
}

function deriveInto(key: Int32Array, seed: number, numbers: readonly number[]): void {
  key[0] = seed;
  key[1] = Math.floor(seed / two32);
  for (const number of numbers) threefry2x32(key, number | 0, Math.floor(number / two32), key);
}
