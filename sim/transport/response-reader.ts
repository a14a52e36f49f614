/**
 * Reads one response after another from a connection's bytes, however they are cut.
 *
 * States: head -> (length | chunked | untilClose) -> complete, and from each of them to failed. An interim
 * response (1xx) leads from head to head; a response without a body from head to complete.
 *
 * The common answer, all of it in one read, is parsed where it lies: no copy, one string for its body.
 * Anything cut is copied, as the read buffer belongs to all connections of the pool.
 */
import type { Clock } from '../../server/base/clock.ts';
import { BodyBuffer, bodyBytesMax } from './body-buffer.ts';
import { ChunkedBody } from './chunked-body.ts';
import type { Reply } from './exchange.ts';
import { incomplete, malformed, parseHead, ResponseHead } from './response-head.ts';

/** Bytes of status line and headers. More: the exchange fails as `too_large`. */
export const headBytesMax = 65_536;

export type ReadResult = 'more' | 'complete' | 'garbage' | 'too_large';

type Mode = 'head' | 'length' | 'chunked' | 'untilClose';

/** A head up to this long is parsed again with each of its pieces, so that garbage is noticed at once. */
const eagerBytesMax = 4096;
const headEnd = Buffer.from('\r\n\r\n');
const none = Buffer.alloc(0);

export class ResponseReader {
  readonly #clock: Clock;
  readonly #head = new ResponseHead();
  readonly #body = new BodyBuffer();
  readonly #chunked = new ChunkedBody(this.#body);
  readonly #reply = { status: 0, retryAfterMs: -1, body: '' };
  #mode: Mode = 'head';
  #partialHead: Buffer = none;
  #started = false;
  #reusable = true;
  #problem = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** After `complete`, and until the next `begin`. */
  get reply(): Reply {
    return this.#reply;
  }

  /** Whether any byte came since `begin`. */
  get started(): boolean {
    return this.#started;
  }

  /** After `complete`: whether the connection may carry another request. */
  get reusable(): boolean {
    return this.#reusable;
  }

  /** After `garbage` or `too_large`: which rule was broken. */
  get problem(): string {
    return this.#problem;
  }

  /** To be called before each request. */
  begin(): void {
    this.#mode = 'head';
    this.#started = false;
    this.#reusable = true;
    if (this.#partialHead !== none) this.#partialHead = none;
    if (this.#body.length > 0) this.#body.clear();
  }

  /** Takes the first `length` bytes of a buffer that may be overwritten afterwards. */
  read(bytes: Buffer, length: number): ReadResult {
    this.#started = true;
    switch (this.#mode) {
      case 'head':
        return this.#partialHead.length === 0
          ? this.#readHead(bytes, length)
          : this.#readMoreHead(bytes, length);
      case 'length':
        return this.#readLength(bytes, 0, length);
      case 'chunked':
        return this.#readChunked(bytes, 0, length);
      case 'untilClose':
        return this.#body.append(bytes, 0, length) ? 'more' : this.#tooLarge('a body over 1 MiB');
      default: {
        const never: never = this.#mode;
        return never;
      }
    }
  }

  /** The target closed: `complete` if that is how its body ends, otherwise `more`, as more was to come. */
  end(): 'complete' | 'more' {
    return this.#mode === 'untilClose' ? this.#completeFromBody(false) : 'more';
  }

  #readMoreHead(bytes: Buffer, length: number): ReadResult {
    const known = this.#partialHead.length;
    const head = Buffer.concat([this.#partialHead, bytes.subarray(0, length)]);
    this.#partialHead = none;
    // A long one only when its end came in: a head that drips byte by byte must not cost its length squared.
    const worthwhile = head.length <= eagerBytesMax || head.includes(headEnd, Math.max(0, known - 3));
    return worthwhile ? this.#readHead(head, head.length) : this.#keepHead(head, 0, head.length);
  }

  #readHead(bytes: Buffer, length: number): ReadResult {
    let start = 0;
    for (;;) {
      const next = parseHead(bytes, start, length, this.#head);
      if (next === incomplete) return this.#keepHead(bytes, start, length);
      if (next === malformed) return this.#garbage(this.#head.problem);
      if (next - start > headBytesMax) return this.#tooLarge('a head over 64 KiB');
      if (this.#head.status === 101) return this.#garbage('status 101 without having been asked to switch');
      if (this.#head.status >= 200) return this.#readBody(bytes, next, length);
      start = next;
    }
  }

  #keepHead(bytes: Buffer, start: number, end: number): ReadResult {
    if (end - start > headBytesMax) return this.#tooLarge('a head over 64 KiB');
    this.#partialHead = Buffer.from(bytes.subarray(start, end));
    return 'more';
  }

  #readBody(bytes: Buffer, start: number, end: number): ReadResult {
    const head = this.#head;
    this.#reusable = !head.close && (!head.http10 || head.keepAlive);
    if (head.status === 204 || head.status === 304) return this.#complete('', start < end);
    if (head.chunked) {
      this.#mode = 'chunked';
      this.#chunked.begin();
      return this.#readChunked(bytes, start, end);
    }
    if (head.contentLength > bodyBytesMax) return this.#tooLarge('a body over 1 MiB');
    if (head.contentLength >= 0) {
      const bodyEnd = start + head.contentLength;
      if (bodyEnd <= end) return this.#complete(bytes.toString('utf8', start, bodyEnd), bodyEnd < end);
      this.#mode = 'length';
      return this.#readLength(bytes, start, end);
    }
    this.#mode = 'untilClose';
    return this.#body.append(bytes, start, end) ? 'more' : this.#tooLarge('a body over 1 MiB');
  }

  #readLength(bytes: Buffer, start: number, end: number): ReadResult {
    const stop = Math.min(end, start + this.#head.contentLength - this.#body.length);
    this.#body.append(bytes, start, stop);
    return this.#body.length < this.#head.contentLength ? 'more' : this.#completeFromBody(stop < end);
  }

  #readChunked(bytes: Buffer, start: number, end: number): ReadResult {
    const stop = this.#chunked.feed(bytes, start, end);
    const { state } = this.#chunked;
    if (state === 'done') return this.#completeFromBody(stop < end);
    if (state === 'garbage') return this.#garbage('a broken chunk');
    if (state === 'too_large')
      return this.#tooLarge('a chunked body over 1 MiB, or 64 KiB around its chunks');
    return 'more';
  }

  #completeFromBody(excess: boolean): 'complete' {
    if (this.#mode === 'untilClose') this.#reusable = false;
    return this.#complete(this.#body.text(), excess);
  }

  /** `excess`: bytes follow that nobody asked for, so that the next reply could not be told from them. */
  #complete(body: string, excess: boolean): 'complete' {
    if (excess) this.#reusable = false;
    this.#reply.status = this.#head.status;
    this.#reply.retryAfterMs = retryAfterMs(this.#head.retryAfter, this.#clock);
    this.#reply.body = body;
    return 'complete';
  }

  #garbage(problem: string): 'garbage' {
    this.#problem = problem;
    return 'garbage';
  }

  #tooLarge(problem: string): 'too_large' {
    this.#problem = problem;
    return 'too_large';
  }
}

/** Seconds or an HTTP date (RFC 9110 section 10.2.3); -1 for anything else. */
function retryAfterMs(value: string | undefined, clock: Clock): number {
  if (value === undefined) return -1;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) || !/^[A-Z]/.test(value) ? -1 : Math.max(0, dateMs - clock.wallMs());
}
