/**
 * What can be wrong with a request, each as a function. Those of `requestMutations` spoil its meaning and keep its form,
 * those of `byteMutations` spoil the form. The length of a body is put right afterwards only where that is said.
 */
import { gzipSync } from 'node:zlib';
import type { Random } from './random.ts';
import type { FuzzRequest } from './requests.ts';

type RequestMutation = (request: FuzzRequest, random: Random) => void;

/** 64 MB of spaces in 64 KB. */
const gzipBomb = gzipSync(Buffer.alloc(64 << 20, 0x20), { level: 9 });
const words = [
  '',
  '\u0000',
  'null',
  '../..',
  '%',
  '%zz',
  '%00',
  '__proto__',
  'ä',
  '🦊',
  '\\',
  '"',
  '*',
  '{}',
];
const methods = [
  'GET',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PATCH',
  'BREW',
  'post',
  '',
  'P\u0000',
];
const lengths = ['0', '-1', '1', '99999999999999999999', '0x10', '1e3', '+5', ' 7', '5, 5', 'abc', '1048577'];
const encodings = ['gzip', 'br', 'deflate', 'identity', 'gzip, gzip', 'x'];
const contentTypes = [
  'text/plain',
  'application/json; charset=utf-16',
  'application/x-www-form-urlencoded',
  'application/x-ndjson',
  'multipart/form-data; boundary=x',
  'image/png',
  ';',
];
const otherHeaders: readonly [string, string][] = [
  ['expect', '100-continue'],
  ['expect', 'miracles'],
  ['upgrade', 'websocket'],
  ['connection', 'upgrade'],
  ['connection', 'close'],
  ['te', 'trailers'],
  ['trailer', 'x'],
  ['origin', 'https://evil.example'],
  ['x-forwarded-for', '1.2.3.4, 999.1.1.1'],
  ['authorization', 'Bearer nonsense'],
  ['m1-auth-token', 'nonsense'],
  ['x-request-id', 'a b'],
  ['x-crowdbeat-property', 'fuzz/{p}'],
  ['cookie', 'a=b; '.repeat(50)],
];

const setLength = (request: FuzzRequest): void => {
  request.headers = request.headers.filter(([name]) => name !== 'content-length');
  request.headers.push(['content-length', String(request.body.length)]);
};

const setBody = (request: FuzzRequest, body: Buffer | string): void => {
  request.body = Buffer.from(body as string);
  setLength(request);
};

/** A JSON text with one thing changed: a value for another kind of value, or a member more. */
function spoiltJson(text: string, random: Random): string {
  const values = [
    'null',
    'true',
    '-0',
    '1e400',
    '1e-400',
    '[]',
    '{}',
    '""',
    '"\\ud800"',
    '[[[[[[[[[[]]]]]]]]]]',
  ];
  const places = [...text.matchAll(/"[^"]*"|\d+|[{[]/g)];
  const place = places[random.below(places.length)];
  if (place === undefined) return text;
  const [found] = place;
  const value = random.oneIn(5) ? JSON.stringify('x'.repeat(random.below(70_000))) : random.pick(values);
  const isOpening = found === '{' || found === '[';
  const insert = found === '{' ? `"${random.pick(words).replaceAll(/\W/g, '')}":${value},` : `${value},`;
  const end = place.index + found.length;
  return isOpening
    ? text.slice(0, end) + insert + text.slice(end)
    : text.slice(0, place.index) + value + text.slice(end);
}

export const requestMutations: Readonly<Record<string, RequestMutation>> = {
  method: (request, random) => {
    request.method = random.pick(methods);
  },
  version: (request, random) => {
    request.version = random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.1 x', 'http/1.1', '']);
  },
  target: (request, random) => {
    const at = random.below(request.target.length + 1);
    request.target = request.target.slice(0, at) + random.pick(words) + request.target.slice(at);
  },
  'target form': (request, random) => {
    const { target } = request;
    request.target = random.pick([
      '*',
      `http://x${target}`,
      `/${target}`,
      `${target}#x`,
      '',
      `${target}?a=b&a=b`,
    ]);
  },
  'long target': (request, random) => {
    request.target += `${request.target.includes('?') ? '&' : '?'}${'a'.repeat(random.below(20_000))}=1`;
  },
  'parameter twice': (request) => {
    const query = request.target.split('?')[1];
    if (query !== undefined) request.target += `&${query}`;
  },
  'header twice': (request, random) => {
    request.headers.push(random.pick(request.headers));
  },
  'header gone': (request, random) => {
    request.headers.splice(random.below(request.headers.length), 1);
  },
  'header value': (request, random) => {
    const header = random.pick(request.headers);
    header[1] = random.oneIn(3) ? 'x'.repeat(random.below(20_000)) : random.pick(words);
  },
  'header name': (request, random) => {
    random.pick(request.headers)[0] = random.pick(['', ' host', 'x y', 'x\u0000', 'ä', 'content-length ']);
  },
  'many headers': (request, random) => {
    for (let i = random.below(300); i > 0; i--) request.headers.push([`x-${i}`, 'y']);
  },
  'other header': (request, random) => {
    request.headers.push([...random.pick(otherHeaders)]);
  },
  'wrong length': (request, random) => {
    request.headers = request.headers.filter(([name]) => name !== 'content-length');
    request.headers.push(['content-length', random.pick(lengths)]);
  },
  'two lengths': (request, random) => {
    request.headers.push(['content-length', random.pick(lengths)]);
  },
  chunked: (request, random) => {
    const { body } = request;
    const size = random.oneIn(3) ? random.pick(['zz', '-1', 'ffffffffffff', '']) : body.length.toString(16);
    request.headers.push(['transfer-encoding', random.oneIn(4) ? 'chunked, gzip' : 'chunked']);
    if (random.oneIn(2)) request.headers = request.headers.filter(([name]) => name !== 'content-length');
    request.body = Buffer.concat([Buffer.from(`${size}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
  },
  'content type': (request, random) => {
    request.headers.push(['content-type', random.pick(contentTypes)]);
  },
  encoding: (request, random) => {
    request.headers.push(['content-encoding', random.pick(encodings)]);
  },
  'gzip bomb': (request) => {
    setBody(request, gzipBomb);
    request.headers.push(['content-encoding', 'gzip']);
  },
  'spoilt JSON': (request, random) => {
    let text = request.body.toString('latin1');
    for (let times = 1 + random.below(4); times > 0; times--) text = spoiltJson(text, random);
    setBody(request, Buffer.from(text, 'latin1'));
  },
  nested: (request, random) => {
    const depth = random.pick([7, 8, 9, 10, 100, 1000, 5000, 100_000]);
    const [open, close] = random.pick([
      ['[', ']'],
      ['{"a":', '}'],
    ] as const);
    setBody(
      request,
      open.repeat(depth) + (random.oneIn(2) ? '1' : '') + close.repeat(random.oneIn(3) ? 0 : depth),
    );
  },
  'many events': (request, random) => {
    const event = '{"event":{"type":"view"},"visitor":{"id":"fv1"}}';
    setBody(request, `[${`${event},`.repeat(random.pick([998, 999, 1000, 5000]))}${event}]`);
  },
  'many members': (request, random) => {
    const members = Array.from({ length: random.pick([255, 257, 5000]) }, (_none, i) => `"m${i}":${i}`);
    setBody(request, `{"event":{"type":"view"},"visitor":{"id":"fv1"},"x":{${members.join()}}}`);
  },
  'huge body': (request, random) => {
    setBody(request, Buffer.alloc(random.pick([1_048_575, 1_048_577, 3_000_000]), 0x61));
  },
  'bad UTF-8': (request, random) => {
    const bad = random.pick([
      [0xc3],
      [0xff, 0xfe],
      [0xed, 0xa0, 0x80],
      [0xf8, 0x88, 0x80, 0x80, 0x80],
      [0xef, 0xbb, 0xbf],
    ]);
    const at = random.below(request.body.length + 1);
    setBody(
      request,
      Buffer.concat([request.body.subarray(0, at), Buffer.from(bad), request.body.subarray(at)]),
    );
  },
  'other bytes': (request, random) => {
    setBody(request, random.bytes(random.below(300)));
  },
};

export const byteMutations: Readonly<Record<string, (bytes: Buffer, random: Random) => Buffer>> = {
  'flipped bits': (bytes, random) => {
    const flipped = Buffer.from(bytes);
    for (let times = 1 + random.below(8); times > 0 && flipped.length > 0; times--) {
      const at = random.below(flipped.length);
      flipped[at] = (flipped[at] as number) ^ (1 << random.below(8));
    }
    return flipped;
  },
  cut: (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  'bytes gone': (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(20))]);
  },
  'bytes twice': (bytes, random) => {
    const from = random.below(bytes.length + 1);
    const to = from + random.below(200);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  'bytes more': (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(20)), bytes.subarray(at)]);
  },
  'bare line feeds': (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
  'line breaks in front': (bytes) => Buffer.concat([Buffer.from('\r\n\r\n'), bytes]),
};
