/**
 * From a request to its receipt: who really sent it, from where, with which browser.
 *
 * What a request costs here when address and agent were met before: two look-ups in maps and the receipt, about
 * 0.7 us with the two headers read from the socket. A new address costs 5 to 10 us more, a new agent 25 us.
 */
import { RecentMap } from '../../store/recent-map.ts';
import type { Receipt, TimeLimits } from '../enrich.ts';
import { Agents } from './agent.ts';
import type { GeoDatabase, GeoSource } from './geo-database.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** What is known of a request before its body is read. */
export interface Sender {
  /** The other end of the connection. */
  readonly peer: string;
  /** X-Forwarded-For, or undefined. */
  readonly forwardedFor: string | undefined;
  readonly agent: string | undefined;
}

export interface EnricherOptions {
  readonly geo?: GeoDatabase | undefined;
  readonly proxies?: TrustedProxies | undefined;
  /** Whether `ua` is added and bots are told from people. Default true. */
  readonly agents?: boolean | undefined;
  /** Goes into every receipt. Default: see there. */
  readonly timeLimits?: TimeLimits | undefined;
}

interface Origin {
  readonly ip: string;
  readonly geoJson: string;
}

/** At most twice as many, about 150 bytes each. */
const originsRemembered = 32_768;
/** A header longer than this names several proxies; remembering it whole would cost more than reading it. */
const headerLengthRemembered = 48;

export class Enricher {
  readonly #geo: GeoDatabase | undefined;
  readonly #proxies: TrustedProxies | undefined;
  readonly #agents: Agents | undefined;
  readonly #timeLimits: TimeLimits | undefined;
  /** By address, and by headers that are hardly more than one. */
  readonly #origins = new RecentMap<string, Origin>(originsRemembered);

  constructor({ geo, proxies, agents = true, timeLimits }: EnricherOptions = {}) {
    this.#timeLimits = timeLimits;
    this.#geo = geo;
    this.#proxies = proxies;
    this.#agents = agents ? new Agents() : undefined;
  }

  /** The geo database, if there is one. */
  get geoSource(): GeoSource | undefined {
    return this.#geo?.source;
  }

  /** @param receivedMs epoch ms, whole */
  receipt(receivedMs: number, sender: Sender): Receipt {
    const { ip, geoJson } = this.#originOf(sender);
    const { agent } = sender;
    const timeLimits = this.#timeLimits;
    if (this.#agents === undefined || agent === undefined || agent === '')
      return { receivedMs, ip, timeLimits, agent, isBot: false, furtherJson: geoJson };
    const { isBot, json } = this.#agents.facts(agent);
    return { receivedMs, ip, timeLimits, agent, isBot, furtherJson: geoJson + json };
  }

  /** The client's address, as far as it can be believed. */
  addressOf(sender: Sender): string {
    return this.#originOf(sender).ip;
  }

  #originOf({ peer, forwardedFor }: Sender): Origin {
    const proxies = this.#proxies;
    if (forwardedFor === undefined || proxies === undefined || !proxies.isTrusted(peer))
      return this.#originAt(peer);
    const known = this.#origins.get(forwardedFor);
    if (known !== undefined) return known;
    const client = proxies.clientOf(forwardedFor);
    // A header with anything in it that is no address tells nothing, and the next peer's may be alike.
    if (client === undefined) return this.#originAt(peer);
    const origin = this.#originAt(copyOf(client));
    if (forwardedFor.length <= headerLengthRemembered) this.#origins.set(forwardedFor, origin);
    return origin;
  }

  #originAt(ip: string): Origin {
    let origin = this.#origins.get(ip);
    if (origin === undefined) {
      origin = { ip, geoJson: this.#geo?.json(ip) ?? '' };
      this.#origins.set(ip, origin);
    }
    return origin;
  }
}

/** A part of a long text keeps the whole of it alive, a copy does not. */
const copyOf = (address: string): string => Buffer.from(address, 'latin1').toString('latin1');
