import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../server/base/clock.ts';
import { type ReadResult, ResponseReader } from './response-reader.ts';

const headerName = fc.constantFrom(
  'Date',
  'x-a',
  'Server',
  'etag',
  'cache-ctrl',
  'x-long-header',
  'x-17-characters-',
);
const headerValue = fc.string({
  unit: fc.constantFrom('a', 'Z', '0', ' ', ',', ';', '"', '\u00e9', '\t'),
  maxLength: 30,
});
const bodyText = fc.string({ unit: 'grapheme', maxLength: 200 });

interface Response {
  readonly status: number;
  readonly body: string;
  readonly bytes: Buffer;
}

/** A correct response in one of the framings. */
const response: fc.Arbitrary<Response> = fc
  .record({
    status: fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
    body: bodyText,
    headers: fc.array(fc.tuple(headerName, headerValue), { maxLength: 5 }),
    interim: fc.integer({ min: 0, max: 2 }),
    chunkSizes: fc.option(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 }), {
      nil: undefined,
    }),
  })
  .map(({ status, body, headers, interim, chunkSizes }) => {
    const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const content = Buffer.from(body);
    const framing =
      chunkSizes === undefined ? `Content-Length: ${content.length}` : 'Transfer-Encoding: chunked';
    const head = `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(interim)}HTTP/1.1 ${status} Some Reason\r\n${fields}${framing}\r\n\r\n`;
    const framed = chunkSizes === undefined ? content : chunked(content, chunkSizes);
    return { status, body: content.toString(), bytes: Buffer.concat([Buffer.from(head, 'latin1'), framed]) };
  });

function chunked(content: Buffer, sizes: readonly number[]): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, turn = 0; at < content.length; turn += 1) {
    const chunk = content.subarray(at, at + (sizes[turn % sizes.length] ?? 1));
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
    at += chunk.length;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/** Feeds the bytes cut at the offsets, through one buffer that is overwritten each time, as a socket does. */
function feed(reader: ResponseReader, bytes: Buffer, cuts: readonly number[]): ReadResult {
  const shared = Buffer.alloc(bytes.length + 1);
  const offsets = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  reader.begin();
  let result: ReadResult = 'more';
  for (let at = 1; at < offsets.length && result === 'more'; at += 1) {
    shared.fill(0x2a);
    const piece = bytes.subarray(offsets[at - 1], offsets[at]);
    piece.copy(shared);
    result = reader.read(shared, piece.length);
  }
  return result;
}

const cuts = fc.array(fc.nat({ max: 5000 }), { maxLength: 12 });

test('a response reads the same however it is cut, one after the other on one reader', () => {
  const reader = new ResponseReader(new ManualClock(0));
  fc.assert(
    fc.property(response, cuts, (sent, where) => {
      expect(feed(reader, sent.bytes, where)).toBe('complete');
      expect(reader.reply).toEqual({ status: sent.status, retryAfterMs: -1, body: sent.body });
      expect(reader.reusable).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test('a response is not complete a byte too early, and a byte too many ends the connection', () => {
  const reader = new ResponseReader(new ManualClock(0));
  fc.assert(
    fc.property(response, cuts, (sent, where) => {
      expect(feed(reader, sent.bytes.subarray(0, -1), where)).toBe('more');
      expect(reader.end()).toBe('more');
      expect(feed(reader, Buffer.concat([sent.bytes, Buffer.from('H')]), [])).toBe('complete');
      expect(reader.reusable).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test('a damaged byte never throws, and reads the same however it is cut', () => {
  const whole = new ResponseReader(new ManualClock(0));
  const inPieces = new ResponseReader(new ManualClock(0));
  fc.assert(
    fc.property(response, fc.nat(), fc.nat({ max: 255 }), cuts, (sent, where, byte, cutsOfIt) => {
      const damaged = Buffer.from(sent.bytes);
      damaged[where % damaged.length] = byte;
      const result = feed(whole, damaged, []);
      expect(feed(inPieces, damaged, cutsOfIt)).toBe(result);
      if (result === 'complete') expect(inPieces.reply).toEqual(whole.reply);
    }),
    { numRuns: 2000 },
  );
});

test('bytes without any order never throw', () => {
  const reader = new ResponseReader(new ManualClock(0));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (bytes, where) => {
      expect(['more', 'garbage', 'complete']).toContain(feed(reader, Buffer.from(bytes), where));
    }),
    { numRuns: 500 },
  );
});

test('garbage is noticed at its first byte, not when its head ends', () => {
  const reader = new ResponseReader(new ManualClock(0));
  reader.begin();
  expect(reader.read(Buffer.from('HT'), 2)).toBe('more');
  expect(reader.read(Buffer.from('ML'), 2)).toBe('garbage');
  expect(reader.problem).toBe('no HTTP/1.x status line');
});
