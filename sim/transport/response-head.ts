/**
 * Reads the head of an HTTP/1.x response: status line and the four headers that the client needs.
 *
 * Strict (RFC 9112), as a load client must not guess what its target meant: lines end with CR LF, a header
 * has a token for a name, nothing is folded, lengths agree. One pass over the bytes; an ordinary head of
 * 150 bytes costs about 0.3 us and makes no object.
 */
export class ResponseHead {
  status = 0;
  /** HTTP/1.0: closes after the reply unless it says otherwise, and knows no chunks. */
  http10 = false;
  /** -1: none given. */
  contentLength = -1;
  chunked = false;
  close = false;
  keepAlive = false;
  /** Undefined: none given. */
  retryAfter: string | undefined = undefined;
  /** Which rule was broken, after `malformed`. */
  problem = '';
}

/** Results of `parseHead` that are no offset. */
export const incomplete = -1;
export const malformed = -2;

const cr = 13;
const lf = 10;
const colon = 58;
const tab = 9;
const space = 32;
const prefix = Buffer.from('HTTP/1.');
/** 1 for every byte that may stand in a header's name (RFC 9110 section 5.6.2). */
const tokenBytes = new Uint8Array(256);
for (const byte of Buffer.from(
  "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
)) {
  tokenBytes[byte] = 1;
}

/**
 * Reads a head from `start`. Returns the offset behind it, `incomplete` if it isn't all there before `end`,
 * or `malformed` as soon as that is certain. `into` is overwritten.
 */
export function parseHead(bytes: Buffer, start: number, end: number, into: ResponseHead): number {
  into.contentLength = -1;
  into.chunked = false;
  into.close = false;
  into.keepAlive = false;
  into.retryAfter = undefined;
  let at = parseStatusLine(bytes, start, end, into);
  while (at >= 0) {
    if (at >= end) return incomplete;
    if (bytes[at] === cr) {
      if (at + 1 >= end) return incomplete;
      if (bytes[at + 1] !== lf) return broken(into, 'a line ends with CR alone');
      if (into.chunked && into.contentLength >= 0)
        return broken(into, 'both content-length and transfer-encoding');
      if (into.chunked && into.http10) return broken(into, 'transfer-encoding in HTTP/1.0');
      return at + 2;
    }
    at = parseField(bytes, at, end, into);
  }
  return at;
}

/** `HTTP/1.1 200 OK`: 13 bytes at least, as the space behind the status may be missing. */
function parseStatusLine(bytes: Buffer, start: number, end: number, into: ResponseHead): number {
  const known = Math.min(prefix.length, end - start);
  for (let at = 0; at < known; at += 1) {
    if (bytes[start + at] !== prefix[at]) return broken(into, 'no HTTP/1.x status line');
  }
  if (end - start < 13) return incomplete;
  const minor = bytes[start + 7]! - 48;
  const hundreds = bytes[start + 9]! - 48;
  const tens = bytes[start + 10]! - 48;
  const ones = bytes[start + 11]! - 48;
  const digits = hundreds >= 1 && hundreds <= 9 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
  const behind = bytes[start + 12];
  if (
    (minor !== 0 && minor !== 1) ||
    bytes[start + 8] !== space ||
    !digits ||
    (behind !== space && behind !== cr)
  ) {
    return broken(into, 'bad status line');
  }
  into.http10 = minor === 0;
  into.status = hundreds * 100 + tens * 10 + ones;
  const lineEnd = findLineEnd(bytes, start + 12, end, into);
  return lineEnd < 0 ? lineEnd : lineEnd + 2;
}

/** One `name: value` line; returns the offset of the next. */
function parseField(bytes: Buffer, start: number, end: number, into: ResponseHead): number {
  let nameEnd = start;
  while (nameEnd < end && tokenBytes[bytes[nameEnd]!] === 1) nameEnd += 1;
  if (nameEnd >= end) return incomplete;
  if (nameEnd === start || bytes[nameEnd] !== colon)
    return broken(into, 'a header line without a proper name');
  const lineEnd = findLineEnd(bytes, nameEnd + 1, end, into);
  if (lineEnd < 0) return lineEnd;
  // Told apart by length first: hardly any other header is read further than this.
  const length = nameEnd - start;
  const relevant = length === 14 || length === 10 || length === 17 || length === 11;
  if (relevant && !readField(bytes, start, nameEnd, lineEnd, into)) return malformed;
  return lineEnd + 2;
}

/** Offset of the CR that ends a line; `malformed` if a control character comes before. */
function findLineEnd(bytes: Buffer, start: number, end: number, into: ResponseHead): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte < space || byte === 127) {
      if (byte === cr) break;
      if (byte !== tab) return broken(into, 'a control character in the head');
    }
    at += 1;
  }
  if (at + 1 >= end) return incomplete;
  return bytes[at + 1] === lf ? at : broken(into, 'a line ends with CR alone');
}

const contentLengthName = Buffer.from('content-length');
const connectionName = Buffer.from('connection');
const transferEncodingName = Buffer.from('transfer-encoding');
const retryAfterName = Buffer.from('retry-after');

/** False: the value breaks a rule. */
function readField(
  bytes: Buffer,
  start: number,
  nameEnd: number,
  lineEnd: number,
  into: ResponseHead,
): boolean {
  if (nameIs(bytes, start, nameEnd, contentLengthName)) return readLength(bytes, nameEnd + 1, lineEnd, into);
  if (nameIs(bytes, start, nameEnd, connectionName)) {
    for (const option of textOf(bytes, nameEnd + 1, lineEnd)
      .toLowerCase()
      .split(',')) {
      if (option.trim() === 'close') into.close = true;
      if (option.trim() === 'keep-alive') into.keepAlive = true;
    }
  } else if (nameIs(bytes, start, nameEnd, transferEncodingName)) {
    if (into.chunked || textOf(bytes, nameEnd + 1, lineEnd).toLowerCase() !== 'chunked') {
      return broken(into, 'a transfer-encoding other than chunked') !== malformed;
    }
    into.chunked = true;
  } else if (nameIs(bytes, start, nameEnd, retryAfterName)) {
    into.retryAfter = textOf(bytes, nameEnd + 1, lineEnd);
  }
  return true;
}

function readLength(bytes: Buffer, start: number, end: number, into: ResponseHead): boolean {
  let from = start;
  let to = end;
  while (from < to && isBlank(bytes[from]!)) from += 1;
  while (to > from && isBlank(bytes[to - 1]!)) to -= 1;
  let length = 0;
  for (let at = from; at < to; at += 1) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return broken(into, 'content-length is no number') !== malformed;
    // Anything this long is too large whatever follows; capped, so that it stays a whole number.
    length = Math.min(length * 10 + digit, Number.MAX_SAFE_INTEGER);
  }
  if (from === to) return broken(into, 'content-length is empty') !== malformed;
  if (into.contentLength >= 0 && into.contentLength !== length) {
    return broken(into, 'two content-lengths that differ') !== malformed;
  }
  into.contentLength = length;
  return true;
}

function nameIs(bytes: Buffer, start: number, end: number, lowerCaseName: Buffer): boolean {
  if (end - start !== lowerCaseName.length) return false;
  for (let at = 0; at < lowerCaseName.length; at += 1) {
    const byte = bytes[start + at]!;
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    if (lower !== lowerCaseName[at]) return false;
  }
  return true;
}

function textOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end).trim();
}

function isBlank(byte: number): boolean {
  return byte === space || byte === tab;
}

function broken(into: ResponseHead, problem: string): typeof malformed {
  into.problem = problem;
  return malformed;
}
