/** Fields of which every event has its own value, one at most: numbers, and uuids. Grow event by event. */
import { DictionaryBuilder } from './column-dictionary.ts';
import type { NumberColumn, Scalar, UuidColumn } from './segment.ts';
import { readUuid, readUuidBytes, uuidWords, writeUuid } from './uuid-words.ts';

const roomMin = 4096;

export class NumberBuilder {
  #values = new Float64Array(roomMin).fill(Number.NaN);

  static of(dictionary: DictionaryBuilder): NumberBuilder {
    const builder = new NumberBuilder();
    for (const [position, value] of dictionary.entries()) builder.add(position, value);
    return builder;
  }

  get bytes(): number {
    return this.#values.byteLength;
  }

  /** False, and nothing added: not a number, or not the event's first. */
  add(position: number, value: Scalar): boolean {
    if (typeof value !== 'number') return false;
    this.#room(position + 1);
    const known = this.#values[position] as number;
    if (!Number.isNaN(known)) return known === value;
    this.#values[position] = value === 0 ? 0 : value;
    return true;
  }

  #room(needed: number): void {
    if (needed <= this.#values.length) return;
    let length = this.#values.length;
    while (length < needed) length *= 2;
    const larger = new Float64Array(length).fill(Number.NaN, this.#values.length);
    larger.set(this.#values);
    this.#values = larger;
  }

  toDictionary(): DictionaryBuilder {
    const dictionary = new DictionaryBuilder();
    for (const [position, value] of this.#values.entries())
      if (!Number.isNaN(value)) dictionary.add(position, value);
    return dictionary;
  }

  column(count: number): NumberColumn {
    this.#room(count);
    return { kind: 'number', values: this.#values.subarray(0, count) };
  }
}

export class UuidBuilder {
  #words = new Uint32Array(roomMin * uuidWords);
  readonly #scratch = new Uint32Array(uuidWords);

  static of(dictionary: DictionaryBuilder): UuidBuilder {
    const builder = new UuidBuilder();
    for (const [position, value] of dictionary.entries()) builder.add(position, value);
    return builder;
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** False, and nothing added: not a canonical uuid, the nil uuid, or not the event's first. */
  add(position: number, value: Scalar): boolean {
    if (typeof value !== 'string' || !writeUuid(value, this.#scratch, 0)) return false;
    return this.#addScratch(position);
  }

  /** The same of a text as it stands in a document. */
  addAscii(position: number, bytes: Uint8Array, from: number, to: number): boolean {
    return readUuidBytes(bytes, from, to, this.#scratch) && this.#addScratch(position);
  }

  #addScratch(position: number): boolean {
    this.#room(position + 1);
    const at = position * uuidWords;
    const words = this.#words;
    const given = this.#scratch;
    let known = 0;
    let differing = 0;
    for (let i = 0; i < uuidWords; i++) {
      known |= words[at + i] as number;
      differing |= (words[at + i] as number) ^ (given[i] as number);
    }
    if (known !== 0) return differing === 0;
    for (let i = 0; i < uuidWords; i++) words[at + i] = given[i] as number;
    return true;
  }

  #room(events: number): void {
    let length = this.#words.length;
    while (length < events * uuidWords) length *= 2;
    if (length === this.#words.length) return;
    const larger = new Uint32Array(length);
    larger.set(this.#words);
    this.#words = larger;
  }

  toDictionary(): DictionaryBuilder {
    const dictionary = new DictionaryBuilder();
    for (let position = 0; position * uuidWords < this.#words.length; position++) {
      const text = readUuid(this.#words, position * uuidWords);
      if (text !== undefined) dictionary.add(position, text);
    }
    return dictionary;
  }

  column(count: number): UuidColumn {
    this.#room(count);
    return { kind: 'uuid', words: this.#words.subarray(0, count * uuidWords) };
  }
}
