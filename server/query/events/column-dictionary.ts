/** The values of one field in a segment, by their distinct ones; grows event by event. */
import type { DictionaryColumn, Scalar } from './segment.ts';
import { hashOfText, TextCodes } from './text-codes.ts';
import { uuidWords, writeUuid } from './uuid-words.ts';

type Codes = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

const roomMin = 256;
/** Bytes of a value's entry in the list, beside its text and the table of codes. */
const entryBytes = 40;

const scratch = new Uint32Array(uuidWords);

export class DictionaryBuilder {
  readonly #values: Scalar[] = [];
  readonly #codeOfText = new TextCodes(this.#values);
  /** Of the values that are not in the table: numbers, booleans, texts that are not ASCII or found no room. */
  readonly #codeOfOther = new Map<Scalar, number>();
  #counts = new Uint32Array(16);
  #codes: Codes = new Uint8Array(roomMin);
  readonly #more = new Map<number, number[]>();
  #areNumbers = true;
  #areUuids = true;
  #textLength = 0;

  get distinct(): number {
    return this.#values.length;
  }

  /** No event has two values. */
  get isSingle(): boolean {
    return this.#more.size === 0;
  }

  get areNumbers(): boolean {
    return this.#areNumbers;
  }

  get areUuids(): boolean {
    return this.#areUuids;
  }

  get bytes(): number {
    const { byteLength } = this.#codes;
    const tables = byteLength + 4 * this.#counts.length + this.#codeOfText.bytes;
    return tables + entryBytes * (this.distinct + this.#codeOfOther.size) + 2 * this.#textLength;
  }

  /** Always true: a dictionary takes everything. */
  add(position: number, value: Scalar): true {
    this.#addCode(position, typeof value === 'string' ? this.#codeOf(value) : this.#codeOfScalar(value));
    return true;
  }

  /** A text of ASCII as it stands in a document, if it is here already; otherwise false, and nothing added. */
  addAscii(position: number, bytes: Uint8Array, from: number, to: number, hash: number): boolean {
    const code = this.#codeOfText.ofBytes(bytes, from, to, hash);
    if (code === 0) return false;
    this.#addCode(position, code);
    return true;
  }

  #addCode(position: number, code: number): void {
    if (position >= this.#codes.length) this.#codes = resized(this.#codes, position + 1);
    const first = this.#codes[position];
    if (first === code) return;
    if (first === 0) this.#codes[position] = code;
    else {
      const others = this.#more.get(position);
      if (others === undefined) this.#more.set(position, [code]);
      else if (others.includes(code)) return;
      else others.push(code);
    }
    this.#counts[code - 1] = (this.#counts[code - 1] as number) + 1;
  }

  #codeOf(text: string): number {
    const hash = hashOfText(text);
    if (hash === undefined) return this.#codeOfScalar(text);
    let code = this.#codeOfText.ofText(text, hash);
    if (code === 0 && this.#codeOfOther.size > 0) code = this.#codeOfOther.get(text) ?? 0;
    if (code !== 0) return code;
    code = this.#newCode(text);
    this.#codeOfText.add(code, hash, this.#putAside);
    return code;
  }

  readonly #putAside = (code: number): void => {
    this.#codeOfOther.set(this.#values[code - 1] as Scalar, code);
  };

  #codeOfScalar(value: Scalar): number {
    let code = this.#codeOfOther.get(value);
    if (code === undefined) {
      // -0 and 0 are one key of a Map; the value that is shown must not depend on which came first.
      code = this.#newCode(value === 0 ? 0 : value);
      this.#putAside(code);
    }
    return code;
  }

  #newCode(value: Scalar): number {
    const code = this.#values.push(value);
    if (typeof value !== 'number') this.#areNumbers = false;
    if (this.#areUuids) this.#areUuids = typeof value === 'string' && writeUuid(value, scratch, 0);
    if (typeof value === 'string') this.#textLength += value.length;
    if (code > this.#counts.length) this.#counts = grown(this.#counts);
    if (code === 0x100) this.#codes = new Uint16Array(this.#codes);
    if (code === 0x10000) this.#codes = new Uint32Array(this.#codes);
    return code;
  }

  /** The first value of each event that has one. */
  *entries(): Generator<[position: number, value: Scalar]> {
    for (let position = 0; position < this.#codes.length; position++) {
      const code = this.#codes[position];
      if (code !== undefined && code !== 0) yield [position, this.#values[code - 1] as Scalar];
    }
  }

  toDictionary(): DictionaryBuilder {
    return this;
  }

  /** @param isAll no event from `count` on has a value yet */
  column(count: number, isAll: boolean): DictionaryColumn {
    if (this.#codes.length < count) this.#codes = resized(this.#codes, count);
    const codes = this.#codes.subarray(0, count);
    if (!isAll) return this.#columnOfFirst(count, codes);
    const { distinct } = this;
    return {
      kind: 'dictionary',
      values: this.#values.slice(),
      counts: this.#counts.slice(0, distinct),
      codes,
      more: new Map(Array.from(this.#more, ([position, others]) => [position, [...others]])),
    };
  }

  /** Of fewer events than there are by now: their values are counted again. */
  #columnOfFirst(count: number, codes: Codes): DictionaryColumn {
    const more = new Map<number, readonly number[]>();
    for (const [position, others] of this.#more) if (position < count) more.set(position, [...others]);
    const counts = new Uint32Array(this.distinct);
    const countOne = (code: number): void => {
      if (code > 0) counts[code - 1] = (counts[code - 1] as number) + 1;
    };
    for (const code of codes) countOne(code);
    for (const others of more.values()) for (const code of others) countOne(code);
    // Codes are given in the order of first sight, so the values that these events have come first.
    let distinct = counts.indexOf(0);
    if (distinct === -1) distinct = counts.length;
    const values = this.#values.slice(0, distinct);
    return { kind: 'dictionary', values, counts: counts.slice(0, distinct), codes, more };
  }
}

function resized(codes: Codes, needed: number): Codes {
  let length = Math.max(codes.length, roomMin);
  while (length < needed) length *= 2;
  const larger =
    codes instanceof Uint8Array
      ? new Uint8Array(length)
      : codes instanceof Uint16Array
        ? new Uint16Array(length)
        : new Uint32Array(length);
  larger.set(codes);
  return larger;
}

function grown(counts: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(counts.length * 2);
  larger.set(counts);
  return larger;
}
