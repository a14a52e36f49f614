/**
 * From a text to its code, found by the bytes of the text as they stand in a document: the text itself is made when it
 * is seen for the first time only. An open-addressing table with linear probing; a hit costs 2 ns a character.
 *
 * Only texts of ASCII are in it, and not all of them: a text that finds no room within 32 places goes to whoever
 * keeps the others. So texts that were made to collide cost 32 comparisons each and no more.
 */
import type { Scalar } from './segment.ts';

const roomMin = 16;
const probesMax = 32;
const asciiMax = 0x7f;

/** FNV-1a, 32 bits; a step for each byte. http://www.isthe.com/chongo/tech/comp/fnv/ */
export const hashStart = 0x811c9dc5 | 0;
export const hashPrime = 0x01000193;

/** Of a text of ASCII; undefined if it is none. The same as that of its bytes. */
export function hashOfText(text: string): number | undefined {
  let hash = hashStart;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > asciiMax) return undefined;
    hash = Math.imul(hash ^ code, hashPrime);
  }
  return hash;
}

export class TextCodes {
  /** Code `c` stands for `values[c - 1]`; the list is the owner's. */
  readonly #values: readonly Scalar[];
  /** 0 = free. */
  #slots = new Uint32Array(roomMin);
  #hashes = new Int32Array(roomMin);
  #used = 0;

  constructor(values: readonly Scalar[]) {
    this.#values = values;
  }

  /** Of memory. */
  get bytes(): number {
    return this.#slots.byteLength + this.#hashes.byteLength;
  }

  /** The code of the text in these bytes, 0 if it is not here. */
  ofBytes(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let probe = 0, at = spread(hash) & mask; probe < probesMax; probe++, at = (at + 1) & mask) {
      const code = slots[at] as number;
      if (code === 0) return 0;
      if (this.#hashes[at] === hash && isSame(this.#values[code - 1] as string, bytes, from, to)) return code;
    }
    return 0;
  }

  /** The same of a text. */
  ofText(text: string, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let probe = 0, at = spread(hash) & mask; probe < probesMax; probe++, at = (at + 1) & mask) {
      const code = slots[at] as number;
      if (code === 0) return 0;
      if (this.#hashes[at] === hash && this.#values[code - 1] === text) return code;
    }
    return 0;
  }

  /** A text that is not here yet. Calls `reject` with each code that finds no room, which may be an older one. */
  add(code: number, hash: number, reject: (code: number) => void): void {
    if (this.#used * 2 >= this.#slots.length) this.#grow(reject);
    this.#place(code, hash, reject);
  }

  #place(code: number, hash: number, reject: (code: number) => void): void {
    const mask = this.#slots.length - 1;
    for (let probe = 0, at = spread(hash) & mask; probe < probesMax; probe++, at = (at + 1) & mask) {
      if (this.#slots[at] !== 0) continue;
      this.#slots[at] = code;
      this.#hashes[at] = hash;
      this.#used++;
      return;
    }
    reject(code);
  }

  #grow(reject: (code: number) => void): void {
    const slots = this.#slots;
    const hashes = this.#hashes;
    this.#slots = new Uint32Array(2 * slots.length);
    this.#hashes = new Int32Array(2 * slots.length);
    this.#used = 0;
    for (let at = 0; at < slots.length; at++)
      if (slots[at] !== 0) this.#place(slots[at] as number, hashes[at] as number, reject);
  }
}

/** The table looks at the low bits; those of FNV depend on the low bits of the bytes alone. */
const spread = (hash: number): number => hash ^ (hash >>> 15);

function isSame(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}
