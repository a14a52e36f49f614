/**
 * The bytes of a dictionary column, before compression. Little-endian.
 *
 *   code width u8 (1, 2, 4) | events u32 | values u32 | events with several values u32
 *   values, 1,024 at a time:  bytes u32 | a JSON array
 *   counts u32 each | codes | of each event with several values: position u32, others u32, codes u32 each
 *
 *   an event with "de", one with nothing, one with 7 and "de":
 *   01 | 03 00 00 00 | 02 00 00 00 | 01 00 00 00
 *   08 00 00 00 | ["de",7] | 02 00 00 00 01 00 00 00 | 01 00 02 | 02 00 00 00 01 00 00 00 01 00 00 00
 *
 * JSON knows no infinity, which 1e999 in an event becomes; it is written as the array [1], or [-1].
 */
import type { DictionaryColumn, Scalar } from './segment.ts';
import { nextTurn } from './turns.ts';

const headerBytes = 13;
const valuesPerSlice = 1024;

export async function encodeDictionary(column: DictionaryColumn): Promise<Buffer> {
  const { values, codes, more } = column;
  const header = Buffer.alloc(headerBytes);
  header[0] = codes.BYTES_PER_ELEMENT;
  header.writeUInt32LE(codes.length, 1);
  header.writeUInt32LE(values.length, 5);
  header.writeUInt32LE(more.size, 9);
  const parts: Buffer[] = [header];
  for (let at = 0; at < values.length; at += valuesPerSlice) {
    const text = Buffer.from(JSON.stringify(values.slice(at, at + valuesPerSlice).map(writeValue)));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    parts.push(length, text);
    await nextTurn();
  }
  parts.push(bytesOf(column.counts), bytesOf(codes), encodeMore(more));
  return Buffer.concat(parts);
}

function encodeMore(more: DictionaryColumn['more']): Buffer {
  const numbers: number[] = [];
  for (const [position, others] of more) numbers.push(position, others.length, ...others);
  return bytesOf(Uint32Array.from(numbers));
}

const bytesOf = (array: Uint8Array | Uint16Array | Uint32Array): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);

export async function decodeDictionary(bytes: Buffer): Promise<DictionaryColumn> {
  const width = bytes[0];
  const events = bytes.readUInt32LE(1);
  const distinct = bytes.readUInt32LE(5);
  const severals = bytes.readUInt32LE(9);
  let at = headerBytes;
  const values: Scalar[] = [];
  while (values.length < distinct) {
    const length = bytes.readUInt32LE(at);
    const slice = JSON.parse(bytes.toString('utf8', at + 4, at + 4 + length)) as unknown[];
    for (const value of slice) values.push(readValue(value));
    at += 4 + length;
    if (values.length < distinct) await nextTurn();
  }
  const counts = new Uint32Array(ownBytes(bytes, at, 4 * distinct));
  at += 4 * distinct;
  const codeBytes = ownBytes(bytes, at, Number(width) * events);
  const codes =
    width === 1
      ? new Uint8Array(codeBytes)
      : width === 2
        ? new Uint16Array(codeBytes)
        : new Uint32Array(codeBytes);
  at += codeBytes.byteLength;
  return { kind: 'dictionary', values, counts, codes, more: decodeMore(bytes, at, severals) };
}

function decodeMore(bytes: Buffer, from: number, severals: number): DictionaryColumn['more'] {
  const more = new Map<number, readonly number[]>();
  let at = from;
  for (let i = 0; i < severals; i++) {
    const position = bytes.readUInt32LE(at);
    const others = bytes.readUInt32LE(at + 4);
    more.set(position, [...new Uint32Array(ownBytes(bytes, at + 8, 4 * others))]);
    at += 8 + 4 * others;
  }
  return more;
}

function ownBytes(bytes: Buffer, from: number, length: number): ArrayBuffer {
  if (from + length > bytes.length)
    throw new Error(`dictionary column: needs ${from + length} bytes, has ${bytes.length}`);
  const own = new ArrayBuffer(length);
  new Uint8Array(own).set(bytes.subarray(from, from + length));
  return own;
}

function writeValue(value: Scalar): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? [Math.sign(value)] : value;
}

function readValue(value: unknown): Scalar {
  if (Array.isArray(value)) return value[0] === 1 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return value as Scalar;
}
