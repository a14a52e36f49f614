/**
 * A fingerprint of a multitude of events that does not depend on their order: each event is hashed to 64
 * bits and the hashes are added up modulo 2^64. The planner's sum and the receiver's sum are equal if
 * both saw the same events equally often; a lost, doubled or changed event changes the sum. A sum, not an
 * exclusive-or, under which a pair of duplicates would vanish.
 *
 * The fields are those that an event's JSON carries, so that a receiver can compute them:
 * session.id, event.seq, event.type, page.path, and event.time - session.start.
 */
import { threefry2x32 } from '../random/threefry.ts';

export interface ActFields {
  readonly sessionId: string;
  readonly seq: number;
  readonly type: string;
  readonly path: string;
  /** Whole milliseconds from session.start to event.time; `Visitor.elapsedMs`. */
  readonly elapsedMs: number;
}

/** 64 bits as two unsigned halves. */
export interface ActDigest {
  readonly high: number;
  readonly low: number;
}

const two32 = 2 ** 32;
const state = new Int32Array(2);

export function actDigest(fields: ActFields): ActDigest {
  state[0] = 0x63726f77; // "crow"
  state[1] = 0x64626561; // "dbea"
  absorbText(fields.sessionId);
  absorbText(fields.type);
  absorbText(fields.path);
  absorbNumbers(fields.seq, fields.elapsedMs);
  return { high: (state[0] as number) >>> 0, low: (state[1] as number) >>> 0 };
}

/** Sums digests. Equal sums of equal counts mean equal events, but for a chance of about 2^-64. */
export class DigestSum {
  #high = 0;
  #low = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(digest: ActDigest): void {
    this.#addParts(digest.high, digest.low, 1);
  }

  /** Adds another sum, for instance of another worker. */
  merge(other: DigestSum): void {
    this.#addParts(other.#high, other.#low, other.#count);
  }

  /** Count and sum, `150274:0f1e2d3c4b5a6978`. */
  toString(): string {
    const hex = (word: number): string => word.toString(16).padStart(8, '0');
    return `${this.#count}:${hex(this.#high)}${hex(this.#low)}`;
  }

  /** Reads what `toString` wrote, so that a sum can travel between processes; undefined if it is none. */
  static parse(text: string): DigestSum | undefined {
    const match = /^(\d{1,15}):([0-9a-f]{8})([0-9a-f]{8})$/.exec(text);
    if (match === null) return undefined;
    const sum = new DigestSum();
    sum.#addParts(Number.parseInt(match[2] ?? '', 16), Number.parseInt(match[3] ?? '', 16), Number(match[1]));
    return sum;
  }

  #addParts(high: number, low: number, count: number): void {
    const lowSum = this.#low + low;
    this.#high = (this.#high + high + (lowSum >= two32 ? 1 : 0)) % two32;
    this.#low = lowSum % two32;
    this.#count += count;
  }
}

/**
 * Two hashes of the text's characters after FNV-1a's pattern with different multipliers, then encrypted
 * under the state so far, which mixes every bit into every other. The length keeps neighbouring texts
 * apart. Costs a few nanoseconds per character.
 */
function absorbText(text: string): void {
  let hash0 = 0x811c9dc5 | 0;
  let hash1 = text.length | 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    hash0 = Math.imul(hash0 ^ unit, 0x01000193);
    hash1 = Math.imul((hash1 << 5) ^ (hash1 >>> 27) ^ unit, 0x85ebca6b);
  }
  threefry2x32(state, hash0, hash1, state);
}

function absorbNumbers(first: number, second: number): void {
  threefry2x32(state, first | 0, second | 0, state);
}
