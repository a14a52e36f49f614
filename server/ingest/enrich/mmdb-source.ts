/** The tree of an MMDB file, node by node: what maxmind's reader does not show. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Reader, type Response } from 'maxmind';

const separatorBytes = 16;

interface Decoder {
  decodeFast(offset: number): { readonly value: unknown };
}
type DecoderClass = new (bytes: Buffer, baseOffset: number) => Decoder;

// CommonJS with a default export, which Node and test runners import in two different ways.
const load = createRequire(import.meta.url);
const { default: MmdbDecoder } = load('mmdb-lib/lib/decoder') as { readonly default: DecoderClass };

export class MmdbSource {
  readonly nodeCount: number;
  /** Epoch seconds. */
  readonly buildEpoch: number;
  readonly #bytes: Buffer;
  readonly #recordBits: number;
  readonly #treeBytes: number;
  readonly #decoder: Decoder;

  constructor(file: string) {
    this.#bytes = readFileSync(file);
    const { nodeCount, recordSize, searchTreeSize, buildEpoch } = new Reader<Response>(this.#bytes).metadata;
    this.nodeCount = nodeCount;
    this.buildEpoch = Math.floor(buildEpoch.getTime() / 1000);
    this.#recordBits = recordSize;
    this.#treeBytes = searchTreeSize;
    this.#decoder = new MmdbDecoder(this.#bytes, searchTreeSize + separatorBytes);
  }

  /** Below `nodeCount`: a node; `nodeCount`: nothing; above: a value. Side 0 is left. */
  child(node: number, side: 0 | 1): number {
    const bytes = this.#bytes;
    if (this.#recordBits === 24) return bytes.readUIntBE(node * 6 + 3 * side, 3);
    if (this.#recordBits === 32) return bytes.readUInt32BE(node * 8 + 4 * side);
    // Of 28 bits, the middle one of seven bytes holds the highest four of both sides.
    const at = node * 7;
    const middle = bytes[at + 3] as number;
    return side === 0
      ? ((middle >>> 4) << 24) | bytes.readUIntBE(at, 3)
      : ((middle & 15) << 24) | bytes.readUIntBE(at + 4, 3);
  }

  value(record: number): unknown {
    return this.#decoder.decodeFast(record - this.nodeCount + this.#treeBytes).value;
  }
}
