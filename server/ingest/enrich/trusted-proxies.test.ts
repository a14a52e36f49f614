import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrustedProxies } from './trusted-proxies.ts';

const proxies = new TrustedProxies('loopback, 10.0.0.0/8,2001:db8:1::/48');

describe('TrustedProxies', () => {
  it('trusts what lies in the ranges, and nothing else', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '10.255.0.1', '2001:db8:1::5'])
      expect(proxies.isTrusted(address)).toBe(true);
    for (const address of ['11.0.0.1', '192.168.0.1', '2001:db8:2::5', 'unknown', ''])
      expect(proxies.isTrusted(address)).toBe(false);
  });

  it.each([
    ['198.51.100.4', '198.51.100.4'],
    ['198.51.100.4, 10.0.0.1', '198.51.100.4'],
    ['198.51.100.4,10.0.0.1,10.0.0.2', '198.51.100.4'],
    ['2001:db8:9::4, 10.0.0.1', '2001:db8:9::4'],
    // What stands left of the first stranger was written by the stranger.
    ['6.6.6.6, 198.51.100.4, 10.0.0.1', '198.51.100.4'],
    ['no address, 198.51.100.4', '198.51.100.4'],
    // Nobody but proxies: the first of them.
    ['10.0.0.3, 10.0.0.1', '10.0.0.3'],
  ])('finds in %j the client %s', (header, client) => {
    expect(proxies.clientOf(header)).toBe(client);
  });

  it.each(['', ' ', ',', 'unknown', '198.51.100.4, garbage', '198.51.100.4,,10.0.0.1', '198.51.100.4,'])(
    'believes nothing of %j',
    (header) => {
      expect(proxies.clientOf(header)).toBeUndefined();
    },
  );

  it('gives up on a header that never leaves the proxies', () => {
    const header = Array.from({ length: 1000 }, () => '10.0.0.1').join();
    expect(proxies.clientOf(header)).toBeUndefined();
  });

  it('gives an address or nothing, whatever the header says', () => {
    const item = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('10.0.0.1', '::ffff:10.0.0.1', 'unknown', '1.2.3.4:5'),
    );
    fc.assert(
      fc.property(fc.array(item, { maxLength: 6 }), (items) => {
        const client = proxies.clientOf(items.join());
        expect(client === undefined || /^[\d.]+$|^[\da-fA-F:.]+$/.test(client)).toBe(true);
      }),
    );
  });

  it.each(['', 'localhost', '10.0.0.0/33', '::/129', '10.0.0.0/8/8', '10.0.0.1,', '10.0.0.0/', 'toString'])(
    'refuses the list %j and names the item',
    (list) => {
      expect(() => new TrustedProxies(list)).toThrow(/^--trust-proxy: needs addresses.*, got "/);
    },
  );
});
