/**
 * Numbers the different values of a field, over all segments: the first that is seen is 0. One value has one number
 * whatever column it stands in, so a uuid that is a text in a dictionary is the uuid of a column of uuids.
 *
 * Numbers, uuids and pairs are 16 bytes in an open-addressing table of typed arrays (linear probing, at most half
 * full); other texts are in a Map. A uuid costs about 100 ns once the table has outgrown the processor's caches.
 */
import { readUuid, uuidWords, writeUuid } from './uuid-words.ts';

const kinds = { text: 0, number: 1, uuid: 2, pair: 3 } as const;

/** A slot holds the number of a key and its kind. */
const kindBits = 2;

/** Look-ups whose waits run side by side: as much as the nearest caches hold. */
export const warmLength = 512;
const warmSlots = new Uint32Array(warmLength);

const scratch = new Uint32Array(uuidWords);
const scratchDouble = new Float64Array(1);
const scratchHalves = new Uint32Array(scratchDouble.buffer);

export class KeyTable {
  readonly #sizeMax: number;
  readonly #onFull: () => Error;
  readonly #textIds = new Map<string, number>();
  readonly #texts: string[] = [];
  /** 4 words a key; of a text, its index in `#texts`. */
  #words = new Uint32Array(256 * uuidWords);
  #kinds = new Uint8Array(256);
  /** `number of the key << 2 | kind`, plus 1; 0 is free. */
  #slots = new Uint32Array(512);
  #size = 0;

  /** @param onFull makes what is thrown when there are more than `sizeMax` values */
  constructor(sizeMax: number, onFull: () => Error) {
    this.#sizeMax = sizeMax;
    this.#onFull = onFull;
  }

  get size(): number {
    return this.#size;
  }

  idOf(value: string | number): number {
    if (typeof value === 'number') return this.idOfNumber(value);
    if (writeUuid(value, scratch, 0)) return this.idOfUuid(scratch, 0);
    let id = this.#textIds.get(value);
    if (id === undefined) {
      id = this.#add(this.#texts.push(value) - 1, 0, 0, 0, kinds.text);
      this.#textIds.set(value, id);
    }
    return id;
  }

  idOfNumber(value: number): number {
    // -0 is 0.
    scratchDouble[0] = value + 0;
    return this.#idOf(scratchHalves[0] as number, scratchHalves[1] as number, 0, 0, kinds.number);
  }

  /** @param at where its four words stand */
  idOfUuid(words: Uint32Array, at: number): number {
    const [first, second] = [words[at] as number, words[at + 1] as number];
    return this.#idOf(first, second, words[at + 2] as number, words[at + 3] as number, kinds.uuid);
  }

  /**
   * Reads what looking up these uuids will read. One by one, each look-up waits for memory twice; here the waits of
   * many run side by side, which makes a large table three times as fast.
   */
  warm(uuids: Uint32Array, positions: Uint32Array, from: number, end: number): void {
    const slots = this.#slots;
    const words = this.#words;
    const mask = slots.length - 1;
    for (let i = from; i < end; i++) {
      const at = (positions[i] as number) * uuidWords;
      const third = uuids[at + 2] as number;
      const hash = hashOf(uuids[at] as number, uuids[at + 1] as number, third, uuids[at + 3] as number);
      warmSlots[i - from] = slots[hash & mask] as number;
    }
    for (let i = 0; i < end - from; i++) {
      const slot = warmSlots[i] as number;
      // Kept, for what nobody keeps the compiler does not read.
      if (slot !== 0) warmSlots[i] = words[((slot - 1) >>> kindBits) * uuidWords] as number;
    }
  }

  /** Two numbers as one value: a bucket and what is in it. */
  idOfPair(first: number, second: number): number {
    return this.#idOf(first, second, 0, 0, kinds.pair);
  }

  /** Undefined if it was never numbered. */
  findPair(first: number, second: number): number | undefined {
    const known = this.#slots[this.#slotOf(first, second, 0, 0, kinds.pair)] as number;
    return known === 0 ? undefined : (known - 1) >>> kindBits;
  }

  pairOf(id: number): readonly [number, number] {
    return [this.#words[id * uuidWords] as number, this.#words[id * uuidWords + 1] as number];
  }

  keyOf(id: number): string | number {
    const at = id * uuidWords;
    if (this.#kinds[id] === kinds.text) return this.#texts[this.#words[at] as number] as string;
    if (this.#kinds[id] === kinds.uuid) return readUuid(this.#words, at) as string;
    scratchHalves[0] = this.#words[at] as number;
    scratchHalves[1] = this.#words[at + 1] as number;
    return scratchDouble[0] as number;
  }

  #idOf(first: number, second: number, third: number, fourth: number, kind: number): number {
    const slot = this.#slotOf(first, second, third, fourth, kind);
    const known = this.#slots[slot] as number;
    if (known !== 0) return (known - 1) >>> kindBits;
    const id = this.#add(first, second, third, fourth, kind);
    if (2 * this.#size > this.#slots.length) this.#rehash();
    else this.#slots[slot] = ((id << kindBits) | kind) + 1;
    return id;
  }

  /** Where the key stands, or would. */
  #slotOf(first: number, second: number, third: number, fourth: number, kind: number): number {
    const slots = this.#slots;
    const words = this.#words;
    const mask = slots.length - 1;
    let slot = hashOf(first, second, third, fourth) & mask;
    for (;;) {
      const known = (slots[slot] as number) - 1;
      if (known < 0) return slot;
      const at = (known >>> kindBits) * uuidWords;
      const isSame =
        words[at] === first &&
        words[at + 1] === second &&
        words[at + 2] === third &&
        words[at + 3] === fourth &&
        (known & 3) === kind;
      if (isSame) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #add(first: number, second: number, third: number, fourth: number, kind: number): number {
    if (this.#size === this.#sizeMax) throw this.#onFull();
    const id = this.#size++;
    if (id === this.#kinds.length) {
      this.#words = larger(this.#words);
      this.#kinds = larger(this.#kinds);
    }
    this.#kinds[id] = kind;
    const at = id * uuidWords;
    this.#words[at] = first;
    this.#words[at + 1] = second;
    this.#words[at + 2] = third;
    this.#words[at + 3] = fourth;
    return id;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    const words = this.#words;
    for (let id = 0; id < this.#size; id++) {
      const kind = this.#kinds[id] as number;
      if (kind === kinds.text) continue;
      const at = id * uuidWords;
      const [first, second] = [words[at] as number, words[at + 1] as number];
      let slot = hashOf(first, second, words[at + 2] as number, words[at + 3] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = ((id << kindBits) | kind) + 1;
    }
    this.#slots = slots;
  }
}

/** The mixing of MurmurHash3 (public domain, A. Appleby), word by word. */
function hashOf(first: number, second: number, third: number, fourth: number): number {
  let hash = Math.imul(first ^ (first >>> 15), 0x85eb_ca6b);
  hash = Math.imul(hash ^ second ^ (hash >>> 13), 0xc2b2_ae35);
  hash = Math.imul(hash ^ third ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ fourth ^ (hash >>> 13), 0xc2b2_ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export function larger<T extends Uint8Array | Uint32Array | Float64Array>(array: T): T {
  const made = new (array.constructor as new (length: number) => T)(array.length * 2);
  made.set(array);
  return made;
}
