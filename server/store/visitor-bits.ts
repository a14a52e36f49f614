/** Sets of visitors of one segment in the collector's memory: bitmaps in Redis' order, 32 visitors at a time. */
import { visitorSegmentBits } from './keys.ts';
import { bitsOf, makeKernel } from './visitor-kernel.ts';
import type { SegmentValue } from './visitor-values.ts';

const segmentBytes = 2 ** visitorSegmentBits / 8;

export class VisitorBits {
  readonly words: Uint32Array;
  /** Where the words lie in their buffer, bytes. */
  readonly at: number;
  readonly #bytes: Uint8Array;

  /**
   * @param bytes length of the bitmap; grows for nobody: visitors beyond it came after the question
   * @param buffer where it shall lie, from byte `at` on; default: in memory of its own, with nobody in it
   */
  constructor(bytes: number, buffer: ArrayBuffer = new ArrayBuffer(bytes), at = 0) {
    this.words = new Uint32Array(buffer, at, bytes / 4);
    this.at = at;
    this.#bytes = new Uint8Array(buffer, at, bytes);
  }

  has(offset: number): boolean {
    return ((this.#bytes[offset >>> 3] ?? 0) & (0x80 >>> (offset & 7))) !== 0;
  }

  add(offset: number): void {
    const at = offset >>> 3;
    if (at < this.#bytes.length) this.#bytes[at] = (this.#bytes[at] as number) | (0x80 >>> (offset & 7));
  }

  remove(offset: number): void {
    const at = offset >>> 3;
    this.#bytes[at] = (this.#bytes[at] as number) & ~(0x80 >>> (offset & 7));
  }

  addValue(value: SegmentValue): void {
    if (value.kind === 'list') this.#addMembers(value.members);
    else if (value.kind === 'bitmap') this.#addBytes(value.bytes);
  }

  /** Holds who is in any of the values, and nobody else. */
  become(values: readonly SegmentValue[]): void {
    const [first, ...others] = values;
    if (first?.kind === 'bitmap') {
      const length = Math.min(first.bytes.length, this.#bytes.length);
      this.#bytes.set(length === first.bytes.length ? first.bytes : first.bytes.subarray(0, length));
      this.#bytes.fill(0, length);
    } else {
      this.words.fill(0);
      if (first !== undefined) this.addValue(first);
    }
    for (const value of others) this.addValue(value);
  }

  #addMembers(members: Int32Array): void {
    for (let i = 0; i < members.length; i++) this.add(members[i] as number);
  }

  #addBytes(bytes: Uint8Array): void {
    const { words } = this;
    const length = Math.min(bytes.length, this.#bytes.length) & ~3;
    // A reply's bytes lie anywhere in a larger buffer; words must be aligned.
    const aligned = new Uint8Array(length);
    aligned.set(length === bytes.length ? bytes : bytes.subarray(0, length));
    const source = new Uint32Array(aligned.buffer);
    for (let i = 0; i < source.length; i++) words[i] = (words[i] as number) | (source[i] as number);
  }

  addAll(other: VisitorBits): void {
    const { words } = this;
    for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) | (other.words[i] as number);
  }

  keepOnly(other: VisitorBits): void {
    const { words } = this;
    for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) & (other.words[i] as number);
  }

  removeAll(other: VisitorBits): void {
    const { words } = this;
    for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) & ~(other.words[i] as number);
  }

  copyFrom(other: VisitorBits): void {
    this.words.set(other.words);
  }

  equals(other: VisitorBits): boolean {
    const { words } = this;
    for (let i = 0; i < words.length; i++) if (words[i] !== other.words[i]) return false;
    return true;
  }

  isEmpty(): boolean {
    return this.words.every((word) => word === 0);
  }

  count(): number {
    return countBoth(this, this);
  }

  /** Calls with the offset of each visitor, ascending. */
  forEach(visit: (offset: number) => void): void {
    const { words } = this;
    for (let i = 0; i < words.length; i++) {
      if (words[i] === 0) continue;
      for (let at = 4 * i; at < 4 * i + 4; at++) {
        let byte = this.#bytes[at] as number;
        while (byte !== 0) {
          const bit = Math.clz32(byte) - 24;
          visit(8 * at + bit);
          byte &= ~(0x80 >>> bit);
        }
      }
    }
  }
}

/** Two bitmaps of a segment, where the kernel can count them. */
const counting = makeKernel(2 * segmentBytes);
/** Below it, to copy two bitmaps takes longer than to count them. */
const wordsInKernelMin = 256;

/** How many are in both. */
export function countBoth({ words }: VisitorBits, other: VisitorBits): number {
  if (words.length < wordsInKernelMin) {
    let total = 0;
    for (let i = 0; i < words.length; i++) total += bitsOf((words[i] as number) & (other.words[i] as number));
    return total;
  }
  const [a, b] = [0, 4 * words.length];
  new Uint32Array(counting.buffer, a, words.length).set(words);
  if (other.words === words) return counting.count(a, a, b);
  new Uint32Array(counting.buffer, b, words.length).set(other.words);
  return counting.count(a, b, b);
}

export function copyOf(bits: VisitorBits): VisitorBits {
  const copy = new VisitorBits(4 * bits.words.length);
  copy.copyFrom(bits);
  return copy;
}

/** Offsets in any of the values that are also among `wanted`; an offset may come twice. */
export function forEachMember(
  values: readonly SegmentValue[],
  wanted: VisitorBits,
  visit: (offset: number) => void,
): void {
  for (const value of values) {
    if (value.kind === 'list') {
      const { members } = value;
      for (let i = 0; i < members.length; i++) {
        const member = members[i] as number;
        if (wanted.has(member)) visit(member);
      }
    } else if (value.kind === 'bitmap') {
      const both = new VisitorBits(4 * wanted.words.length);
      both.addValue(value);
      both.keepOnly(wanted);
      both.forEach(visit);
    }
  }
}

export function unionOf(values: readonly SegmentValue[], bytes: number): VisitorBits {
  const union = new VisitorBits(bytes);
  union.become(values);
  return union;
}
