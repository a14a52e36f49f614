/** The part of a request that stays the same from one to the next. */
import assert from 'node:assert/strict';

export interface RequestHeadOptions {
  /** Not HEAD and not CONNECT: the pool takes a reply's body to be where its head says. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /** Path and query, percent-escaped. */
  readonly path: string;
  /** `host` or `host:port`. */
  readonly host: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** RFC 9110 section 5.6.2: what a header's name may consist of. */
const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible ASCII, space and tab. A line end in a value would forge headers; other bytes have no agreed meaning. */
const valuePattern = /^[\t\x20-\x7e]*$/;
const visiblePattern = /^[\x21-\x7e]+$/;
const ownNames = ['host', 'content-length', 'transfer-encoding', 'connection'];

/**
 * The request's text up to and including `content-length: `. The whole request is
 * `${head}${body.length}\r\n\r\n${body}` with a body in ASCII; without a body `${head}0\r\n\r\n`.
 *
 * @throws AssertionError if a part could not stand in a request as it is
 */
export function requestHead(options: RequestHeadOptions): string {
  const { method, path, host, headers = {} } = options;
  assert(
    path.startsWith('/') && visiblePattern.test(path),
    `path: needs "/" and visible ASCII, got ${JSON.stringify(path)}`,
  );
  assert(visiblePattern.test(host), `host: needs visible ASCII, got ${JSON.stringify(host)}`);
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    assert(tokenPattern.test(name), `header name: needs an HTTP token, got ${JSON.stringify(name)}`);
    assert(!ownNames.includes(name.toLowerCase()), `header ${name}: is set by the load client itself`);
    assert(
      valuePattern.test(value),
      `header ${name}: needs ASCII without line ends, got ${JSON.stringify(value)}`,
    );
    head += `${name}: ${value}\r\n`;
  }
  return `${head}content-length: `;
}
