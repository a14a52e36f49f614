/** A reply's body while it arrives in pieces. Kept from reply to reply unless it grew large. */

/** Bytes of a body. Larger: the exchange fails as `too_large`. */
export const bodyBytesMax = 1_048_576;

const keptBytesMax = 65_536;
const none = Buffer.alloc(0);

export class BodyBuffer {
  #bytes: Buffer = none;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies `bytes[start, end)` to the end. False if the body would be larger than allowed. */
  append(bytes: Buffer, start: number, end: number): boolean {
    const length = this.#length + end - start;
    if (length > bodyBytesMax) return false;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(1024, 2 ** Math.ceil(Math.log2(length))));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    bytes.copy(this.#bytes, this.#length, start, end);
    this.#length = length;
    return true;
  }

  text(): string {
    return this.#bytes.toString('utf8', 0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > keptBytesMax) this.#bytes = none;
  }
}
