/**
 * Who may send from a browser: a list of hosts and origins for each property.
 *
 *   shop.example.com              this host, http and https, any port
 *   shop.example.com:8443         this host on this port
 *   https://shop.example.com      this origin (RFC 6454)
 *   *.example.com                 every host below it, not itself; also with a scheme or a port
 */
const entryPattern = /^(?:(https?):\/\/)?(\*\.)?([^/*\s@?#\\]+)$/i;

export const originRule =
  'a host or an origin, such as shop.example.com, *.example.com or https://example.com:8443';

interface Parts {
  readonly scheme: string;
  readonly host: string;
  /** As written: '' is the scheme's own. */
  readonly port: string;
}

/** In the one form in which it is stored: lower case, names in ASCII. Undefined if it is no entry. */
export function normalEntry(text: string): string | undefined {
  const [, scheme, wildcard = '', rest = ''] = entryPattern.exec(text.trim()) ?? [];
  const parts = rest === '' ? undefined : partsOf(`${scheme?.toLowerCase() ?? 'http'}://${rest}`);
  if (parts === undefined || (wildcard !== '' && isIp(parts.host))) return undefined;
  // `host:80` without a scheme names a port that partsOf has taken for http's own.
  const port = scheme === undefined && /:80$/.test(rest) ? '80' : parts.port;
  return (
    (scheme === undefined ? '' : `${parts.scheme}://`) +
    wildcard +
    parts.host +
    (port === '' ? '' : `:${port}`)
  );
}

/** Every entry that would let this origin in, the narrowest first; none if it is no origin of the web. */
export function entriesFor(origin: string): readonly string[] {
  const parts = /^https?:\/\/[^/]+$/.test(origin) ? partsOf(origin) : undefined;
  if (parts === undefined) return [];
  const { scheme, port } = parts;
  const realPort = port === '' ? (scheme === 'https' ? '443' : '80') : port;
  const ownPort = port === '' ? '' : `:${port}`;
  return [parts.host, ...parentsOf(parts.host).map((parent) => `*.${parent}`)].flatMap((host) => [
    `${scheme}://${host}${ownPort}`,
    `${host}:${realPort}`,
    host,
  ]);
}

export const isOriginAllowed = (origin: string, entries: readonly string[]): boolean =>
  entries.length > 0 && entriesFor(origin).some((entry) => entries.includes(entry));

/**
 * True if the page came from this collector itself. A name in `Host` proves nothing, since anybody may let his own
 * name point here (DNS rebinding); an address, or localhost, can't be made to.
 */
export const isOwnOrigin = (origin: string, host: string | undefined): boolean =>
  host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);

/** An address or `localhost`, with or without a port. */
export function isAddress(host: string | undefined): boolean {
  const name = host === undefined ? undefined : partsOf(`http://${host}`)?.host;
  return name !== undefined && (name === 'localhost' || isIp(name));
}

const hostPattern = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/;

const isIp = (host: string): boolean => host.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(host);

function partsOf(url: string): Parts | undefined {
  if (url.length > 300 || !URL.canParse(url)) return undefined;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(url);
  // `null` is what pages without an origin say.
  if (!hostPattern.test(hostname) || hostname === 'null') return undefined;
  if (username + password + search + hash !== '' || pathname !== '/') return undefined;
  return { scheme: protocol.slice(0, -1), host: hostname, port };
}

function parentsOf(host: string): string[] {
  if (isIp(host)) return [];
  const labels = host.split('.');
  return labels.slice(1).map((_label, i) => labels.slice(i + 1).join('.'));
}
