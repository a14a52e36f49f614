/**
 * Whose word about a client's address is taken. Anybody can send X-Forwarded-For; it counts only when the
 * connection comes from a proxy that was named, and of its items only those that named proxies added: it is read
 * from the right, over the trusted ones, to the first address that no trusted proxy has. RFC 7239's `Forwarded`
 * is not read: a proxy that sets one of the two lets a client's other one pass.
 */
import { BlockList, isIP } from 'node:net';
import { CrowdbeatError } from '../../base/errors.ts';
import { RecentMap } from '../../store/recent-map.ts';
import { addRange, privateRanges, readAddress } from './address.ts';

const namedRanges: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: privateRanges,
};

/** More proxies in a row than this is a loop, or somebody's joke. */
const hopsMax = 20;
const peersRemembered = 1000;

export class TrustedProxies {
  readonly #ranges = new BlockList();
  readonly #known = new RecentMap<string, boolean>(peersRemembered);

  /** @param list addresses, CIDR ranges, `loopback`, `private`; by commas. Throws CB_OPTION. */
  constructor(list: string) {
    for (const item of list.split(',').map((text) => text.trim())) {
      const ranges = Object.hasOwn(namedRanges, item) ? namedRanges[item] : [item];
      for (const range of ranges ?? []) {
        if (addRange(this.#ranges, range)) continue;
        const rule = 'needs addresses, ranges such as 10.0.0.0/8, loopback or private, separated by commas';
        throw new CrowdbeatError('CB_OPTION', `--trust-proxy: ${rule}, got ${JSON.stringify(item)}`);
      }
    }
  }

  isTrusted(address: string): boolean {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const kind = isIP(address);
    const isTrusted = kind !== 0 && this.#ranges.check(address, kind === 4 ? 'ipv4' : 'ipv6');
    this.#known.set(address, isTrusted);
    return isTrusted;
  }

  /**
   * The client that a header tells of, its sender being trusted. Undefined if any item that had to be read is no
   * address: then nothing of the header is believed.
   */
  clientOf(forwardedFor: string): string | undefined {
    let end = forwardedFor.length;
    let client: string | undefined;
    for (let hops = 0; end >= 0; hops++) {
      if (hops === hopsMax) return undefined;
      const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1);
      client = readAddress(forwardedFor.slice(comma + 1, end));
      if (client === undefined || !this.isTrusted(client)) return client;
      end = comma;
    }
    // Trusted all the way: the request began at one of the proxies themselves.
    return client;
  }
}
