/**
 * Ids of a run: uuids that follow from (seed, run id, kind, slot, number), the same for the same five.
 *
 * Seed and run id are hashed once (SHA-256) into a 128-bit Threefry key; an id is then the counter
 * (slot, number, kind) encrypted under it, written in the layout of RFC 9562 version 8 ("custom"). The
 * encryption is one-to-one and only the six version and variant bits are lost, so that two ids of a run
 * are equal with a chance of about n^2 / 2^123. A second run of the same seed has another key and thus
 * other ids for the same acts.
 *
 * Cost: no allocation but the text itself.
 */
import { createHash } from 'node:crypto';
import { keySchedule4, threefry4x32 } from './threefry.ts';

export const idKinds = { visitor: 1, session: 2, event: 3, tab: 4 } as const;

export type IdKind = (typeof idKinds)[keyof typeof idKinds];

const dash = 0x2d;
const version8 = 0x8000;
const variant10 = 0x80000000;

/** The two hexadecimal digits of a byte, as one number: first digit's character code in the high byte. */
const hexPairs = Uint16Array.from({ length: 256 }, (_value, byte) => {
  const text = byte.toString(16).padStart(2, '0');
  return (text.charCodeAt(0) << 8) | text.charCodeAt(1);
});

/** Where each of the 16 bytes starts in the text `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
const byteOffsets = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);

export class IdFactory {
  readonly #schedule: Int32Array;
  readonly #words = new Int32Array(4);
  readonly #text = Buffer.alloc(36, dash);

  /** @param seed the run's, a safe integer @param runId any text; another one gives other ids */
  constructor(seed: number, runId: string) {
    const hash = createHash('sha256').update(`crowdbeat ids\n${seed}\n${runId}`).digest();
    this.#schedule = keySchedule4(
      hash.readInt32LE(0),
      hash.readInt32LE(4),
      hash.readInt32LE(8),
      hash.readInt32LE(12),
    );
  }

  /** The id of the `number`-th thing of this kind in this slot, 36 characters, lower case. */
  uuid(kind: IdKind, slot: number, number: number): string {
    const words = this.#words;
    threefry4x32(this.#schedule, slot, number, kind, 0, words);
    words[1] = ((words[1] as number) & 0xffff0fff) | version8;
    words[2] = ((words[2] as number) & 0x3fffffff) | variant10;
    for (let index = 0; index < 16; index += 1) {
      const byte = ((words[index >> 2] as number) >>> (24 - 8 * (index & 3))) & 255;
      const pair = hexPairs[byte] as number;
      const offset = byteOffsets[index] as number;
      this.#text[offset] = pair >> 8;
      this.#text[offset + 1] = pair & 255;
    }
    // A flat one-byte text; joining pieces would keep 20 small objects alive per id.
    return this.#text.toString('latin1');
  }
}
