/**
 * The text of a page of documents as it grows, in bytes: one document a line, lifted values replaced by their marks
 * (document-pages.ts).
 */
import type { LiftedPlace } from './document-scan.ts';

const roomMin = 262_144;
const lineBreak = 0x0a;

export class PageWriter {
  #bytes = Buffer.allocUnsafe(roomMin);
  #length = 0;
  #documents = 0;

  get documents(): number {
    return this.#documents;
  }

  /** @param places in the order of the text */
  addBytes(bytes: Buffer, from: number, to: number, places: Iterable<LiftedPlace>): void {
    this.#begin(to - from);
    let at = from;
    for (const place of places) {
      this.#length += bytes.copy(this.#bytes, this.#length, at, place.from);
      this.#bytes[this.#length++] = place.field + 1;
      at = place.to;
    }
    this.#length += bytes.copy(this.#bytes, this.#length, at, to);
  }

  addText(text: string): void {
    // A character of a text takes three bytes at most.
    this.#begin(3 * text.length);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** Room for the document and the line break before it. */
  #begin(bytes: number): void {
    const needed = this.#length + bytes + 1;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    if (this.#documents++ > 0) this.#bytes[this.#length++] = lineBreak;
  }

  /** The page, of which nothing is left here. */
  take(): Buffer {
    const page = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafe(Math.max(roomMin, this.#length));
    this.#length = 0;
    this.#documents = 0;
    return page;
  }
}
