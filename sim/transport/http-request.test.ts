import { expect, test } from 'vitest';
import { requestHead } from './http-request.ts';

const ordinary = { method: 'POST', path: '/write?property=a%2Fb', host: '127.0.0.1:7070' } as const;

test('head, length, blank line and body make a whole request', () => {
  const head = requestHead({
    ...ordinary,
    headers: { 'content-type': 'application/json', 'user-agent': 'Tab\there (x; "y")' },
  });
  expect(`${head}${2}\r\n\r\n{}`).toBe(
    'POST /write?property=a%2Fb HTTP/1.1\r\nhost: 127.0.0.1:7070\r\ncontent-type: application/json\r\n' +
      'user-agent: Tab\there (x; "y")\r\ncontent-length: 2\r\n\r\n{}',
  );
});

test.each([
  [
    'a line end in a value',
    { headers: { a: 'b\r\nx-forged: 1' } },
    'header a: needs ASCII without line ends, got "b\\r\\nx-forged: 1"',
  ],
  ['a bare LF in a value', { headers: { a: 'b\nc' } }, 'header a'],
  ['a letter beyond ASCII in a value', { headers: { a: 'caf\u00e9' } }, 'header a'],
  ['a line end in a name', { headers: { 'a\r\nb': 'c' } }, 'header name: needs an HTTP token'],
  ['a space in a name', { headers: { 'a b': 'c' } }, 'header name'],
  ['an empty name', { headers: { '': 'c' } }, 'header name'],
  [
    'a length of the caller',
    { headers: { 'Content-Length': '5' } },
    'header Content-Length: is set by the load client itself',
  ],
  ['chunks', { headers: { 'transfer-encoding': 'chunked' } }, 'is set by the load client itself'],
  ['a space in the path', { path: '/a b' }, 'path: needs "/" and visible ASCII, got "/a b"'],
  ['a path that begins elsewhere', { path: 'http://x/' }, 'path'],
  ['a line end in the host', { host: 'a\r\nb' }, 'host'],
  ['no host', { host: '' }, 'host'],
])('%s is refused by name', (_what, change, message) => {
  expect(() => requestHead({ ...ordinary, ...change })).toThrow(message);
});
