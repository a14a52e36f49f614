/**
 * Ordered funnels with a window, all visitors at once: for crowds of which a minute holds many. What it costs depends on
 * the steps and the minutes, not on the window nor on how much happened.
 *
 * A chain of steps fits a window of w minutes if it lies in some w + 1 minutes in a row. Minutes are cut into blocks of
 * w + 1. So many minutes in a row are one block, or an end of a block and a beginning of the next one:
 *
 *        block            block
 *   |..........sssss|ppppppppp......|        chain of j steps in s, and of the steps j to k in p
 *
 *   from[i][j]    within the block: who has a chain of the steps i to j - 1; forwards from its first minute (`ahead`,
 *                 p), or backwards from its last one (`back`, s)
 *   one minute m at the end:        ahead[i][j] |= ahead[i][j-1] & step[j-1](m)      j ascending
 *   one minute m at the beginning:   back[i][j] |= step[i](m) & back[i+1][j]          i descending
 *   from[i][i] is everybody.
 *
 * Memory: 2 x (w + 1) x steps bitmaps. They are worked through in stripes of visitors, which stay in the cache.
 */
import { VisitorBits } from './visitor-bits.ts';
import type { BucketRun } from './visitor-buckets.ts';
import { type Kernel, makeKernel } from './visitor-kernel.ts';
import type { VisitorScripts } from './visitor-scripts.ts';
import type { SegmentValue } from './visitor-values.ts';

/** Bitmaps of 2 KiB at a time. */
const stripeWords = 512;

/**
 * @param most `most[k]`: who took the steps 0 to k in any order; at least two steps
 * @param minutes the range, ascending
 * @returns how many came to each step
 */
export async function sweepBlocks(
  scripts: VisitorScripts,
  most: readonly VisitorBits[],
  minutes: AsyncIterable<BucketRun>,
  windowMinutes: number,
): Promise<number[]> {
  const sweep = new BlockSweep(scripts, most, windowMinutes);
  for await (const { values } of minutes) {
    await sweep.minutes(values);
    if (sweep.isDone()) break;
  }
  await sweep.endBlock();
  return sweep.reached.map((bits) => bits.count());
}

/** Memory of a sweep: two blocks, two matrices, what was reached, and an empty bitmap. */
export const blockSweepBytes = (bytes: number, steps: number, windowMinutes: number): number =>
  bytes * (2 * (windowMinutes + 1) * steps + steps * (steps - 1) + steps + 1);

/** What each step holds in a minute. */
interface Minute {
  readonly steps: readonly VisitorBits[];
  /** By step: does it hold anybody? */
  readonly isHeld: boolean[];
}

class BlockSweep {
  readonly reached: readonly VisitorBits[];
  readonly #scripts: VisitorScripts;
  readonly #most: readonly VisitorBits[];
  readonly #steps: number;
  readonly #bytes: number;
  readonly #words: number;
  readonly #length: number;
  /** Of the block, `length` of them; their memory is used again for the next block. */
  readonly #block: Minute[] = [];
  /** Minutes of the block so far, and of these, those that `ahead` knows. */
  #filled = 0;
  #swept = 0;
  /** Of the block before, `[minute][j]`: chains of the steps 0 to j - 1 from that minute to the end of the block. */
  readonly #ends: VisitorBits[][] = [];
  #endCount = 0;
  readonly #ahead: readonly (readonly VisitorBits[])[];
  readonly #back: readonly (readonly VisitorBits[])[];
  readonly #nobody: VisitorBits;
  readonly #kernel: Kernel;
  #kernelBytes = 0;
  /** In places of a matrix that mean nothing. */
  readonly #none = new VisitorBits(0);

  constructor(scripts: VisitorScripts, most: readonly VisitorBits[], windowMinutes: number) {
    const [first] = most as readonly [VisitorBits];
    this.#scripts = scripts;
    this.#most = most;
    this.#steps = most.length;
    this.#words = first.words.length;
    this.#bytes = 4 * this.#words;
    this.#length = windowMinutes + 1;
    this.#kernel = makeKernel(blockSweepBytes(this.#bytes, this.#steps, windowMinutes));
    this.reached = this.#row();
    this.reached[0]?.copyFrom(first);
    this.#ahead = this.#matrix();
    this.#back = this.#matrix();
    this.#nobody = this.#makeBits();
  }

  isDone(): boolean {
    return this.#most.every((bits, k) => bits.equals(this.reached[k] as VisitorBits));
  }

  async minutes(values: readonly (readonly (readonly SegmentValue[])[])[]): Promise<void> {
    for (const ofMinute of values) {
      this.#load(ofMinute);
      if (this.#filled === this.#length) await this.endBlock();
    }
    await this.#sweepForwards();
  }

  #load(values: readonly (readonly SegmentValue[])[]): void {
    this.#block[this.#filled] ??= {
      steps: this.#row(),
      isHeld: [],
    };
    const { steps, isHeld } = this.#block[this.#filled] as Minute;
    for (const [k, bits] of steps.entries()) {
      const held = values[k]?.filter(({ kind }) => kind !== 'none') ?? [];
      isHeld[k] = held.length > 0;
      if (held.length > 0) bits.become(held);
    }
    this.#filled++;
  }

  async #sweepForwards(): Promise<void> {
    for (let from = 0; from < this.#words && this.#swept < this.#filled; from += stripeWords) {
      await this.#scripts.breathe();
      const to = Math.min(from + stripeWords, this.#words);
      for (let m = this.#swept; m < this.#filled; m++) {
        this.#extend(this.#block[m] as Minute, from, to);
        // The window that ends with this minute began so far into the block before.
        if (m + 1 < this.#endCount) this.#meet(this.#ends[m + 1] as VisitorBits[], from, to);
      }
    }
    this.#swept = this.#filled;
  }

  #extend({ steps, isHeld }: Minute, from: number, to: number): void {
    for (let j = 2; j <= this.#steps; j++) {
      if (isHeld[j - 1] !== true) continue;
      const step = steps[j - 1] as VisitorBits;
      for (let i = 1; i < j - 1; i++) {
        const row = this.#ahead[i] as VisitorBits[];
        const target = row[j] as VisitorBits;
        this.#join(target, target, row[j - 1] as VisitorBits, step, from, to);
      }
      const target = this.#ahead[j - 1]?.[j] as VisitorBits;
      this.#join(target, target, step, step, from, to);
    }
  }

  #meet(end: readonly VisitorBits[], from: number, to: number): void {
    for (let k = 2; k <= this.#steps; k++)
      for (let j = 1; j < k; j++) {
        const target = this.reached[k - 1] as VisitorBits;
        this.#join(target, target, end[j] as VisitorBits, this.#ahead[j]?.[k] as VisitorBits, from, to);
      }
  }

  /** What chains lie in the block as a whole, and what they may begin for the next one. */
  async endBlock(): Promise<void> {
    await this.#sweepForwards();
    for (let m = this.#ends.length; m < this.#filled; m++) this.#ends.push([this.#nobody, ...this.#row()]);
    for (let from = 0; from < this.#words; from += stripeWords) {
      await this.#scripts.breathe();
      const to = Math.min(from + stripeWords, this.#words);
      this.#sweepBackwards(from, to);
      const whole = this.#filled === 0 ? [] : (this.#ends[0] as VisitorBits[]);
      for (const [k, bits] of this.reached.entries()) {
        const chains = whole[k + 1] ?? this.#nobody;
        this.#join(bits, bits, chains, chains, from, to);
      }
    }
    this.#endCount = this.#filled;
    this.#filled = 0;
    this.#swept = 0;
  }

  #sweepBackwards(from: number, to: number): void {
    for (const row of [...this.#back, ...this.#ahead]) for (const bits of row) bits.words.fill(0, from, to);
    for (let m = this.#filled - 1; m >= 0; m--) {
      const { steps, isHeld } = this.#block[m] as Minute;
      for (let i = this.#steps - 1; i >= 0; i--) {
        const row = i === 0 ? (this.#ends[m] as VisitorBits[]) : (this.#back[i] as VisitorBits[]);
        const before = i > 0 ? row : m + 1 < this.#filled ? (this.#ends[m + 1] as VisitorBits[]) : [];
        const step = isHeld[i] === true ? (steps[i] as VisitorBits) : this.#nobody;
        if (step === this.#nobody && i > 0) continue;
        for (let j = i + 1; j <= this.#steps; j++) {
          const rest = j === i + 1 ? step : (this.#back[i + 1]?.[j] as VisitorBits);
          this.#join(row[j] as VisitorBits, before[j] ?? this.#nobody, step, rest, from, to);
        }
      }
    }
  }

  /** target = before | (a & b), for the visitors of a stripe. */
  #join(target: VisitorBits, before: VisitorBits, a: VisitorBits, b: VisitorBits, from: number, to: number) {
    const offset = 4 * from;
    this.#kernel.join(
      target.at + offset,
      before.at + offset,
      a.at + offset,
      b.at + offset,
      target.at + 4 * to,
    );
  }

  #makeBits(): VisitorBits {
    this.#kernelBytes += this.#bytes;
    return new VisitorBits(this.#bytes, this.#kernel.buffer, this.#kernelBytes - this.#bytes);
  }

  #row(): VisitorBits[] {
    return this.#most.map(() => this.#makeBits());
  }

  /** `[i][j]` for 0 < i < j: chains from step 0 on are in `ends` and `reached`. */
  #matrix(): VisitorBits[][] {
    return this.#most.map((_row, i) =>
      Array.from({ length: this.#steps + 1 }, (_none, j) => (i > 0 && j > i ? this.#makeBits() : this.#none)),
    );
  }
}
