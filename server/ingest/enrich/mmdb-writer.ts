/**
 * Writes a MaxMind DB file. The format, with a tree of two leaves (MaxMind DB File Format Specification 2.0):
 *
 *   search tree   nodeCount x two records of 24 or 28 bits: a node's number; nodeCount: nothing known;
 *                 above: nodeCount + 16 + offset in the data section
 *   16 zeros
 *   data section  values, each a control byte (type, length) and its bytes; a value may be a pointer to another
 *   marker        ab cd ef "MaxMind.com", then one map: the metadata
 */
import { Buffer } from 'node:buffer';

/** What a value of a record may be here. */
export type MmdbValue = string | number | MmdbValue[] | { readonly [name: string]: MmdbValue };

/** A tree whose records are numbers: >= 0 a node, -1 nothing, -2 - n the n-th value. The root is the last node. */
export interface MmdbTree {
  readonly left: readonly number[] | Int32Array;
  readonly right: readonly number[] | Int32Array;
  readonly nodeCount: number;
  readonly values: readonly MmdbValue[];
}

export interface MmdbMetadata {
  readonly databaseType: string;
  readonly ipVersion: 4 | 6;
  /** Epoch seconds. */
  readonly buildEpoch: number;
  readonly description: string;
}

export const nothing = -1;
export const leafOf = (value: number): number => -2 - value;

const separatorBytes = 16;
const marker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');

export function writeMmdb(tree: MmdbTree, metadata: MmdbMetadata): Buffer {
  const data = new DataSection();
  const offsets = tree.values.map((value) => data.addValue(value));
  const largest = tree.nodeCount + separatorBytes + data.length;
  const recordBits = largest < 2 ** 24 ? 24 : 28;
  if (largest >= 2 ** 28) throw new RangeError(`an MMDB of ${tree.nodeCount} nodes needs longer records`);
  return Buffer.concat([
    writeTree(tree, offsets, recordBits),
    Buffer.alloc(separatorBytes),
    data.bytes(),
    marker,
    writeMetadata(tree.nodeCount, recordBits, metadata),
  ]);
}

function writeTree(tree: MmdbTree, offsets: readonly number[], recordBits: 24 | 28): Buffer {
  const { nodeCount, left, right } = tree;
  const bytes = Buffer.allocUnsafe(nodeCount * (recordBits / 4));
  const record = (to: number): number => {
    // Trees are built from their leaves; readers begin at node 0.
    if (to >= 0) return nodeCount - 1 - to;
    return to === nothing ? nodeCount : nodeCount + separatorBytes + (offsets[-2 - to] as number);
  };
  let at = 0;
  for (let node = nodeCount - 1; node >= 0; node--) {
    const l = record(left[node] as number);
    const r = record(right[node] as number);
    at = bytes.writeUIntBE(l % 2 ** 24, at, 3);
    if (recordBits === 28) at = bytes.writeUInt8(((l >>> 24) << 4) | (r >>> 24), at);
    at = bytes.writeUIntBE(r % 2 ** 24, at, 3);
  }
  return bytes;
}

function writeMetadata(nodeCount: number, recordBits: number, metadata: MmdbMetadata): Buffer {
  const { databaseType, ipVersion, buildEpoch, description } = metadata;
  const map = new DataSection();
  map.addMap(9);
  map.addUnsigned('binary_format_major_version', 2, 5);
  map.addUnsigned('binary_format_minor_version', 0, 5);
  map.addUnsigned('build_epoch', buildEpoch, 9);
  map.addText('database_type');
  map.addText(databaseType);
  map.addText('description');
  map.addMap(1);
  map.addText('en');
  map.addText(description);
  map.addUnsigned('ip_version', ipVersion, 5);
  map.addText('languages');
  map.addControl(11, 0);
  map.addUnsigned('node_count', nodeCount, 6);
  map.addUnsigned('record_size', recordBits, 5);
  return map.bytes();
}

/** Values one after the other. A text that was written before is a pointer. */
class DataSection {
  #bytes = Buffer.allocUnsafe(65_536);
  #length = 0;
  readonly #texts = new Map<string, number>();

  get length(): number {
    return this.#length;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Gives its offset. */
  addValue(value: MmdbValue): number {
    const offset = this.#length;
    if (typeof value === 'string') this.#addSharedText(value);
    else if (typeof value === 'number') this.#addDouble(value);
    else if (Array.isArray(value)) {
      this.addControl(11, value.length);
      for (const item of value) this.addValue(item);
    } else {
      const members = Object.entries(value);
      this.addMap(members.length);
      for (const [name, member] of members) {
        this.#addSharedText(name);
        this.addValue(member);
      }
    }
    return offset;
  }

  addMap(members: number): void {
    this.addControl(7, members);
  }

  addText(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    this.addControl(2, bytes.length);
    this.#room(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
  }

  addUnsigned(name: string, value: number, type: 5 | 6 | 9): void {
    this.addText(name);
    const digits = value.toString(16);
    const bytes = Buffer.from(
      value === 0 ? '' : digits.padStart(digits.length + (digits.length % 2), '0'),
      'hex',
    );
    this.addControl(type, bytes.length);
    this.#room(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
  }

  addControl(type: number, length: number): void {
    const room = this.#room(5);
    const first = type > 7 ? 0 : type << 5;
    const short = length < 29 ? length : length < 285 ? 29 : 30;
    if (length >= 285 + 65_536) throw new RangeError(`a value of ${length} bytes is too long here`);
    this.#length = room.writeUInt8(first | short, this.#length);
    if (type > 7) this.#length = room.writeUInt8(type - 7, this.#length);
    if (short === 29) this.#length = room.writeUInt8(length - 29, this.#length);
    if (short === 30) this.#length = room.writeUInt16BE(length - 285, this.#length);
  }

  #addSharedText(text: string): void {
    const known = this.#texts.get(text);
    if (known !== undefined) {
      this.#addPointer(known);
      return;
    }
    this.#texts.set(text, this.#length);
    this.addText(text);
  }

  /** Pointers of 11, 19 and 27 bits; the longer ones count from where the shorter ones end. */
  #addPointer(offset: number): void {
    const room = this.#room(4);
    if (offset < 2048) this.#length = room.writeUInt16BE((1 << 13) | offset, this.#length);
    else if (offset < 526_336) {
      const rest = offset - 2048;
      this.#length = room.writeUInt8((1 << 5) | (1 << 3) | (rest >>> 16), this.#length);
      this.#length = room.writeUInt16BE(rest & 0xffff, this.#length);
    } else {
      const rest = offset - 526_336;
      this.#length = room.writeUInt8((1 << 5) | (2 << 3) | (rest >>> 24), this.#length);
      this.#length = room.writeUIntBE(rest & 0xff_ffff, this.#length, 3);
    }
  }

  #addDouble(value: number): void {
    this.addControl(3, 8);
    this.#length = this.#room(8).writeDoubleBE(value, this.#length);
  }

  #room(bytes: number): Buffer {
    if (this.#length + bytes > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes], 2 * this.#bytes.length + bytes);
    return this.#bytes;
  }
}
