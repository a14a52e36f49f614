/** What stands between the values of one document, from its bytes: the steps that lead through it. */
import type { ColumnBuilder } from './column-builder.ts';
import { type FieldNode, newFieldNode } from './field-tree.ts';

export const stepKinds = { end: 0, text: 1, number: 2 } as const;

/** What stands before a value, and the value's field. */
export interface Step {
  readonly literal: Uint8Array;
  readonly kind: number;
  readonly builder: ColumnBuilder | undefined;
  /** Which of the lifted fields the value is; -1 = none, or one of several. */
  readonly lifted: number;
  /** Booleans within the literal, in their order. */
  readonly constants: readonly (readonly [builder: ColumnBuilder, value: boolean])[];
  /** What may follow the value. */
  readonly next: Step[];
}

const depthMax = 64;

/** Of JSON's signs. */
export const byte = {
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  openArray: 0x5b,
  backslash: 0x5c,
  closeArray: 0x5d,
  t: 0x74,
  n: 0x6e,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

const noField = newFieldNode();

/** Reads one document, known to be JSON without a backslash, into the steps that lead through it. */
export class Lesson {
  readonly #bytes: Uint8Array;
  readonly #to: number;
  readonly #lifted: ReadonlyMap<FieldNode, number>;
  readonly #steps: Step[] = [];
  #at: number;
  /** Where what stands before the next value begins. */
  #literalFrom: number;
  #constants: [ColumnBuilder, boolean][] = [];

  constructor(bytes: Uint8Array, from: number, to: number, lifted: ReadonlyMap<FieldNode, number>) {
    this.#bytes = bytes;
    this.#to = to;
    this.#lifted = lifted;
    this.#at = from;
    this.#literalFrom = from;
  }

  /** @param isSingle no array is on the way */
  readValue(node: FieldNode, isSingle: boolean, depth: number): boolean {
    const first = this.#skipSpace();
    if (first === byte.openObject) return depth < depthMax && this.#readObject(node, isSingle, depth);
    if (first === byte.openArray) return depth < depthMax && this.#readArray(node, depth);
    const lifted = (isSingle ? this.#lifted.get(node) : undefined) ?? -1;
    if (first === byte.quote) {
      this.#at++;
      this.#emit(stepKinds.text, node.builder, lifted);
      this.#skipText();
      this.#at++;
    } else if (first === byte.minus || isDigit(first)) {
      this.#emit(stepKinds.number, node.builder, lifted);
      this.#literalFrom = this.#at = this.#endOfWord();
    } else {
      if (first !== byte.n && node.builder !== undefined)
        this.#constants.push([node.builder, first === byte.t]);
      this.#at = this.#endOfWord();
    }
    return true;
  }

  #readObject(node: FieldNode, isSingle: boolean, depth: number): boolean {
    const names = new Set<string>();
    this.#at++;
    while (this.#skipSpace() !== byte.closeObject) {
      if (this.#bytes[this.#at] === byte.comma) this.#at++;
      this.#skipSpace();
      const from = ++this.#at;
      while (this.#bytes[this.#at] !== byte.quote) this.#at++;
      const name = Buffer.from(this.#bytes.subarray(from, this.#at++)).toString('utf8');
      // Of two members of one name JSON.parse keeps the last.
      if (names.has(name)) return false;
      names.add(name);
      this.#skipSpace();
      this.#at++;
      if (!this.readValue(node.children.get(name) ?? noField, isSingle, depth + 1)) return false;
    }
    this.#at++;
    return true;
  }

  #readArray(node: FieldNode, depth: number): boolean {
    this.#at++;
    while (this.#skipSpace() !== byte.closeArray) {
      if (this.#bytes[this.#at] === byte.comma) this.#at++;
      if (!this.readValue(node, false, depth + 1)) return false;
    }
    this.#at++;
    return true;
  }

  /** The byte that it stops at. */
  #skipSpace(): number {
    while ((this.#bytes[this.#at] as number) <= 0x20) this.#at++;
    return this.#bytes[this.#at] as number;
  }

  #skipText(): void {
    while (this.#bytes[this.#at] !== byte.quote) this.#at++;
    this.#literalFrom = this.#at;
  }

  /** Of a number, `true`, `false` or `null`: before what can't be in one. */
  #endOfWord(): number {
    let at = this.#at;
    for (; at < this.#to; at++) {
      const each = this.#bytes[at] as number;
      if (each === byte.comma || each === byte.closeArray || each === byte.closeObject || each <= 0x20) break;
    }
    return at;
  }

  #emit(kind: number, builder: ColumnBuilder | undefined, lifted: number): void {
    // A copy: the bytes are those of a whole chunk.
    const literal = Uint8Array.from(this.#bytes.subarray(this.#literalFrom, this.#at));
    this.#steps.push({ literal, kind, builder, lifted, constants: this.#constants, next: [] });
    this.#constants = [];
  }

  end(): readonly Step[] {
    this.#at = this.#to;
    this.#emit(stepKinds.end, undefined, -1);
    return this.#steps;
  }
}

export const isDigit = (each: number): boolean => each >= byte.zero && each <= byte.nine;
