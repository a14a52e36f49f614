/**
 * Takes a chunked body (RFC 9112 section 7.1) apart as its bytes come in, however they are cut.
 *
 *   5;note=x CR LF   hello CR LF   0 CR LF   trailer: x CR LF   CR LF
 *   size  extension  data  dataEnd           trailer            end
 *
 * States, in order: size -> extension (rest of the size line) -> data -> dataEnd -> size …; a chunk of size
 * 0 leads to trailer lines, and an empty one of those to done. `lineFeed` is the LF that must follow a CR.
 */
import type { BodyBuffer } from './body-buffer.ts';
import { bodyBytesMax } from './body-buffer.ts';

export type ChunkedState =
  | 'size'
  | 'extension'
  | 'lineFeed'
  | 'data'
  | 'dataEnd'
  | 'trailer'
  | 'done'
  | 'garbage'
  | 'too_large';

/** Bytes of size lines and trailers; more is no honest reply. */
const overheadBytesMax = 65_536;
const cr = 13;
const lf = 10;

export class ChunkedBody {
  readonly #body: BodyBuffer;
  #state: ChunkedState = 'size';
  #afterLineFeed: ChunkedState = 'size';
  #left = 0;
  #sizeDigits = 0;
  #lineLength = 0;
  #overhead = 0;

  constructor(body: BodyBuffer) {
    this.#body = body;
  }

  get state(): ChunkedState {
    return this.#state;
  }

  begin(): void {
    this.#state = 'size';
    this.#left = 0;
    this.#sizeDigits = 0;
    this.#lineLength = 0;
    this.#overhead = 0;
  }

  /** Takes `bytes[start, end)`; returns the offset up to which they belonged to this body. */
  feed(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && !this.#ended()) {
      if (this.#state === 'data') at = this.#takeData(bytes, at, end);
      else this.#step(bytes[at++]!);
    }
    return at;
  }

  #ended(): boolean {
    return this.#state === 'done' || this.#state === 'garbage' || this.#state === 'too_large';
  }

  #takeData(bytes: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.#left);
    if (!this.#body.append(bytes, start, stop)) this.#state = 'too_large';
    this.#left -= stop - start;
    if (this.#left === 0 && this.#state === 'data') this.#state = 'dataEnd';
    return stop;
  }

  #step(byte: number): void {
    this.#overhead += 1;
    if (this.#overhead > overheadBytesMax) this.#state = 'too_large';
    else if (this.#state === 'size') this.#stepSize(byte);
    else if (this.#state === 'extension') this.#stepExtension(byte);
    else if (this.#state === 'trailer') this.#stepTrailer(byte);
    else if (this.#state === 'dataEnd') this.#expectLineFeed(byte, 'size');
    else this.#state = byte === lf ? this.#afterLineFeed : 'garbage';
  }

  #stepSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit;
      this.#sizeDigits += 1;
      if (this.#left > bodyBytesMax) this.#state = 'too_large';
    } else if (this.#sizeDigits === 0) {
      this.#state = 'garbage';
    } else if (byte === cr) {
      this.#endSizeLine();
    } else {
      // ';' begins an extension; blanks before it are bad form, but seen.
      this.#state = byte === 59 || byte === 32 || byte === 9 ? 'extension' : 'garbage';
    }
  }

  #stepExtension(byte: number): void {
    if (byte === cr) this.#endSizeLine();
    else if (byte === lf) this.#state = 'garbage';
  }

  #endSizeLine(): void {
    this.#sizeDigits = 0;
    this.#lineLength = 0;
    this.#expectLineFeed(cr, this.#left === 0 ? 'trailer' : 'data');
  }

  #stepTrailer(byte: number): void {
    if (byte === cr) {
      this.#expectLineFeed(cr, this.#lineLength === 0 ? 'done' : 'trailer');
      this.#lineLength = 0;
    } else {
      this.#lineLength += 1;
      if (byte === lf) this.#state = 'garbage';
    }
  }

  #expectLineFeed(byte: number, after: ChunkedState): void {
    this.#state = byte === cr ? 'lineFeed' : 'garbage';
    this.#afterLineFeed = after;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
