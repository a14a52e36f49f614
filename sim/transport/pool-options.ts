/** What a pool is made with. */
import type { Clock } from '../../server/base/clock.ts';
import { CrowdbeatError } from '../../server/base/errors.ts';
import type { Target } from './connection.ts';
import type { ExchangeHandler } from './exchange.ts';

export interface HttpPoolOptions {
  /** `http:` or `https:`; only host and port are used. */
  readonly url: URL;
  /** How many connections at most, from 1. */
  readonly connections: number;
  /** From the hand-over to the socket to the end of the reply. */
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  readonly handler: ExchangeHandler;
  /** https only: false accepts any certificate. Default true. */
  readonly rejectUnauthorized?: boolean;
  /** Where the jitter of reconnects begins; give each worker its own. Default 0. */
  readonly jitterSeed?: number;
}

/** Where the URL points. @throws CrowdbeatError CB_OPTION if it is neither http: nor https: */
export function targetOf(options: HttpPoolOptions): Target {
  const { url, rejectUnauthorized = true } = options;
  const tls = url.protocol === 'https:';
  if (!tls && url.protocol !== 'http:') {
    throw new CrowdbeatError('CB_OPTION', `target: needs an http: or https: address, got "${url.href}"`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { tls, host, port: url.port === '' ? (tls ? 443 : 80) : Number(url.port), rejectUnauthorized };
}
