/** IP addresses as texts: read from headers and sockets, and what can be said of one without a database. */
import { BlockList, isIP } from 'node:net';

const ipv4Mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;
/** RFC 5952 needs 39 characters; brackets, a port and the spaces around them a few more. */
const addressLengthMax = 60;

/**
 * The address in one item of X-Forwarded-For: bare, or with a port, as some proxies write it
 * (`192.0.2.7:4711`, `[2001:db8::7]:4711`). IPv4 within IPv6 becomes IPv4. Undefined if it is none.
 */
export function readAddress(item: string): string | undefined {
  const text = item.trim();
  if (text.length > addressLengthMax) return undefined;
  const kind = isIP(text);
  if (kind === 4) return text;
  if (kind === 6) return plainAddress(text);
  const inner = /^(?:\[([^\]]*)\]|([\d.]*))(?::\d{1,5})?$/.exec(text);
  const bare = inner?.[1] ?? inner?.[2];
  if (bare === undefined || isIP(bare) !== (inner?.[1] === undefined ? 4 : 6)) return undefined;
  return plainAddress(bare);
}

/** A zone (`fe80::1%eth0`) means something on one machine only; `isIP` takes it, nobody else does. */
function plainAddress(address: string): string | undefined {
  if (address.includes('%')) return undefined;
  return ipv4Mapped.exec(address)?.[1] ?? address;
}

/** Of IANA's special-purpose registries (RFC 6890): what lies behind a router, on the link, or on this machine. */
export const privateRanges = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::/127',
  'fc00::/7',
  'fe80::/10',
] as const;

const privateAddresses = new BlockList();
for (const range of privateRanges) addRange(privateAddresses, range);

/** True if no database can know where the address is; also if it is no address. */
export function isPrivate(address: string): boolean {
  const kind = isIP(address);
  return kind === 0 || privateAddresses.check(address, kind === 4 ? 'ipv4' : 'ipv6');
}

/** Adds `ADDRESS` or `ADDRESS/BITS`. False, and nothing added, if it is neither. */
export function addRange(list: BlockList, range: string): boolean {
  const [address = '', bits, ...more] = range.split('/');
  const kind = isIP(address);
  if (kind === 0 || more.length > 0 || address.includes('%')) return false;
  const family = kind === 4 ? 'ipv4' : 'ipv6';
  const bitsMax = kind === 4 ? 32 : 128;
  if (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > bitsMax)) return false;
  list.addSubnet(address, bits === undefined ? bitsMax : Number(bits), family);
  return true;
}
