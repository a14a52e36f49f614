/** Sets of visitors of one segment in the collector's memory: bitmaps in Redis' order, 32 visitors at a time. */
import type { SegmentValue } from './visitor-values.ts';

export class VisitorBits {
  readonly words: Uint32Array;
  readonly #bytes: Uint8Array;

  /** @param bytes length of the bitmap; grows for nobody: visitors beyond it came after the question */
  constructor(bytes: number) {
    this.words = new Uint32Array(bytes / 4);
    this.#bytes = new Uint8Array(this.words.buffer);
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

/**
 * How many are in both. Three words share the steps from 4-bit sums on: three times 4 fits 4 bits; a count of all takes
 * two thirds of the time that it takes word by word.
 */
export function countBoth({ words }: VisitorBits, other: VisitorBits): number {
  const others = other.words;
  let total = 0;
  let i = 0;
  for (; i + 2 < words.length; i += 3) {
    const sum =
      sumsOf4((words[i] as number) & (others[i] as number)) +
      sumsOf4((words[i + 1] as number) & (others[i + 1] as number)) +
      sumsOf4((words[i + 2] as number) & (others[i + 2] as number));
    total += Math.imul((sum & 0x0f0f0f0f) + ((sum >>> 4) & 0x0f0f0f0f), 0x01010101) >>> 24;
  }
  for (; i < words.length; i++) {
    const sum = sumsOf4((words[i] as number) & (others[i] as number));
    total += Math.imul((sum & 0x0f0f0f0f) + ((sum >>> 4) & 0x0f0f0f0f), 0x01010101) >>> 24;
  }
  return total;
}

/** How many bits are set in each 4 of 32. */
function sumsOf4(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  return (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
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
  for (const value of values) union.addValue(value);
  return union;
}
