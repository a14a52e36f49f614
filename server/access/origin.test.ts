import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entriesFor, isAddress, isOriginAllowed, isOwnOrigin, normalEntry } from './origin.ts';

describe('an entry', () => {
  it.each([
    ['shop.example.com', 'shop.example.com'],
    [' Shop.Example.COM ', 'shop.example.com'],
    ['HTTPS://Example.com', 'https://example.com'],
    ['https://example.com:443', 'https://example.com'],
    ['example.com:80', 'example.com:80'],
    ['*.example.com:8080', '*.example.com:8080'],
    ['https://*.example.com', 'https://*.example.com'],
    ['127.0.0.1', '127.0.0.1'],
    ['[::1]:7070', '[::1]:7070'],
    ['bücher.example', 'xn--bcher-kva.example'],
  ])('%s is kept as %s', (text, entry) => expect(normalEntry(text)).toBe(entry));

  it.each([
    '',
    '*',
    '*.',
    '*.*.example.com',
    'a.*.com',
    '*.127.0.0.1',
    'ftp://a.b',
    'a/b',
    'a b',
    'u@h',
    'a:99999',
    'null',
    '{}',
    'a?b',
    'a#b',
    'a\\b',
    'x'.repeat(400),
  ])('"%s" is none', (text) => expect(normalEntry(text)).toBeUndefined());
});

describe('an origin', () => {
  it.each([
    ['https://shop.example', ['shop.example'], true],
    ['http://shop.example:8080', ['shop.example'], true],
    ['https://shop.example', ['https://shop.example'], true],
    ['http://shop.example', ['https://shop.example'], false],
    ['https://shop.example:8443', ['https://shop.example'], false],
    ['https://shop.example', ['shop.example:443'], true],
    ['http://shop.example', ['shop.example:443'], false],
    ['https://a.b.example.com', ['*.example.com'], true],
    ['https://example.com', ['*.example.com'], false],
    ['https://badexample.com', ['*.example.com'], false],
    ['https://example.com.evil.org', ['*.example.com', 'example.com'], false],
    ['https://shop.example/', ['shop.example'], false],
    ['https://u@shop.example', ['shop.example'], false],
    ['null', ['null'], false],
    ['', ['shop.example'], false],
    ['https://SHOP.example', ['shop.example'], true],
  ] as const)('%s with the list %j: %s', (origin, entries, expected) => {
    expect(isOriginAllowed(origin, entries)).toBe(expected);
  });

  it('is let in by an entry only if host, and scheme and port where given, are the entry’s', () => {
    const label = fc.constantFrom('a', 'b', 'example', 'com', 'a-b');
    const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    const scheme = fc.constantFrom('http', 'https');
    const port = fc.constantFrom('', ':80', ':443', ':8080');
    fc.assert(
      fc.property(
        scheme,
        host,
        port,
        fc.option(scheme),
        fc.boolean(),
        host,
        port,
        (s, h, p, es, wild, eh, ep) => {
          const entry = normalEntry(`${es === null ? '' : `${es}://`}${wild ? '*.' : ''}${eh}${ep}`) ?? '';
          const real = new URL(`${s}://${h}${p}`);
          const number = (scheme_: string, port_: string) =>
            port_.slice(1) || (scheme_ === 'https' ? '443' : '80');
          const isHost = wild ? h.endsWith(`.${eh}`) : h === eh;
          const isScheme = es === null || es === s;
          const isPort = es === null && ep === '' ? true : number(s, p) === number(es ?? s, ep);
          expect(isOriginAllowed(real.origin, [entry])).toBe(isHost && isScheme && isPort);
        },
      ),
    );
  });

  it('has a bounded number of entries that would let it in', () => {
    expect(entriesFor(`http://${'a.'.repeat(100)}com`).length).toBeLessThanOrEqual(303);
    expect(entriesFor(`http://${'a'.repeat(10_000)}.com`)).toEqual([]);
  });
});

describe('the collector’s own address', () => {
  it('is an address or localhost, with or without a port', () => {
    for (const host of ['127.0.0.1', '127.0.0.1:7070', '192.168.1.5', '[::1]:80', 'localhost', 'LOCALHOST:1'])
      expect([host, isAddress(host)]).toEqual([host, true]);
    for (const host of [
      'a.example',
      '127.0.0.1.a.example',
      'localhost.a',
      '',
      'localhost/x',
      undefined,
      'a@localhost',
    ])
      expect([host, isAddress(host)]).toEqual([host, false]);
  });

  it('is an origin’s own only if scheme, host and port agree', () => {
    expect(isOwnOrigin('http://127.0.0.1:7070', '127.0.0.1:7070')).toBe(true);
    expect(isOwnOrigin('http://127.0.0.1:7071', '127.0.0.1:7070')).toBe(false);
    expect(isOwnOrigin('ftp://127.0.0.1:7070', '127.0.0.1:7070')).toBe(false);
    expect(isOwnOrigin('http://undefined', undefined)).toBe(false);
  });
});
