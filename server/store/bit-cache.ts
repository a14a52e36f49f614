/**
 * Which bits are already set in Redis, so that twelve heartbeats a minute send the minute's bit once.
 *
 *   name ("evt:view") -> minute -> six buckets (minute … year, the coarse ones shared between minutes; and `all`, the
 *   people ever seen, shared between names), without `all` five of a bot's
 *   bucket -> pages of 8,192 dense visitor ids, a bit each
 *
 * A bit is remembered when a commit is packed and forgotten again (`takeBack`) unless that commit succeeds,
 * so what stays is what Redis has. Bounded: over `pagesMax` pages of 1 KiB the oldest minutes go, and if
 * that is not enough, everything; a forgotten bit is merely sent again.
 */
import { bucketName, type Granularity, granularities, minuteName } from '../base/time-bucket.ts';
import { eventKeyName, type PropertyKeys, sourceKeyName } from './keys.ts';
import { bucketExpiryMs, expiryJitterSeconds, type Retention } from './retention.ts';

const pageBits = 13;
const pageWords = 2 ** pageBits / 32;
const pagesMaxDefault = 32_768;
const namesMax = 10_000;

/** The visitors of one name in one time bucket. */
export class Bucket {
  /** Key of segment 0. */
  readonly key: string;
  readonly granularity: Granularity | 'all';
  /** Epoch ms from which the bucket is neither written nor read; Infinity = never. */
  readonly expiryMs: number;
  readonly #jitterSeconds: number;
  readonly #pages: (Uint32Array | undefined)[] = [];
  /** Pages of all buckets together; a bucket without any counts as one, for about that is what it costs. */
  readonly #total: { pages: number };
  #pageCount = 1;

  constructor(key: string, granularity: Granularity | 'all', expiryMs: number, total: { pages: number }) {
    this.key = key;
    this.granularity = granularity;
    this.expiryMs = expiryMs;
    this.#jitterSeconds = expiryJitterSeconds(key);
    this.#total = total;
    total.pages++;
  }

  /** Its pages no longer count: the cache has let go of it. */
  dropped(): void {
    this.#total.pages -= this.#pageCount;
  }

  /** Remembers an id. False if it was remembered already. */
  add(id: number): boolean {
    const number = id >>> pageBits;
    let page = this.#pages[number];
    if (page === undefined) {
      page = new Uint32Array(pageWords);
      this.#pages[number] = page;
      this.#pageCount++;
      this.#total.pages++;
    }
    const word = (id >>> 5) & (pageWords - 1);
    const mask = 1 << (id & 31);
    const before = page[word] ?? 0;
    if ((before & mask) !== 0) return false;
    page[word] = before | mask;
    return true;
  }

  takeBack(id: number): void {
    const page = this.#pages[id >>> pageBits];
    const word = (id >>> 5) & (pageWords - 1);
    if (page !== undefined) page[word] = (page[word] ?? 0) & ~(1 << (id & 31));
  }

  /** Seconds that a key made now shall live, 0 for ever; counted from the collector's clock, not from Redis'. */
  secondsToLive(nowMs: number): number {
    if (this.expiryMs === Number.POSITIVE_INFINITY) return 0;
    return Math.ceil((this.expiryMs - nowMs) / 1000) + this.#jitterSeconds;
  }
}

/** An event type, or a source with its campaign. */
export class BitName {
  readonly keyName: string;
  /** The registry in Redis knows the name. Set after a commit succeeded. */
  registered = false;
  readonly minutes = new Map<number, readonly Bucket[]>();
  readonly coarse = new Map<string, Bucket>();
  lastMinute = -1;
  lastBuckets: readonly Bucket[] = [];

  constructor(keyName: string) {
    this.keyName = keyName;
  }
}

export class BitCache {
  readonly #keys: PropertyKeys;
  readonly #retention: Retention;
  readonly #pagesMax: number;
  readonly #events = new Map<string, BitName>();
  readonly #sources = new Map<string, Map<string | undefined, BitName>>();
  /** What bots did, by key name: rare, so it may cost a text each time. */
  readonly #ofBots = new Map<string, BitName>();
  /** People ever seen: whoever is in any bucket of theirs was put into it by the same commit. */
  #all: Bucket | undefined;
  #names = 0;
  #total = { pages: 0 };

  constructor(keys: PropertyKeys, retention: Retention, pagesMax = pagesMaxDefault) {
    this.#keys = keys;
    this.#retention = retention;
    this.#pagesMax = pagesMax;
  }

  event(type: string, isBot = false): BitName {
    if (isBot) return this.#ofBot(eventKeyName(type, true));
    let name = this.#events.get(type);
    if (name === undefined) {
      name = this.#newName(eventKeyName(type));
      this.#events.set(type, name);
    }
    return name;
  }

  source(source: string, campaign: string | undefined, isBot = false): BitName {
    if (isBot) return this.#ofBot(sourceKeyName(source, campaign, true));
    let campaigns = this.#sources.get(source);
    if (campaigns === undefined) {
      campaigns = new Map();
      this.#sources.set(source, campaigns);
    }
    let name = campaigns.get(campaign);
    if (name === undefined) {
      name = this.#newName(sourceKeyName(source, campaign));
      campaigns.set(campaign, name);
    }
    return name;
  }

  #ofBot(keyName: string): BitName {
    let name = this.#ofBots.get(keyName);
    if (name === undefined) {
      name = this.#newName(keyName);
      this.#ofBots.set(keyName, name);
    }
    return name;
  }

  #newName(keyName: string): BitName {
    this.#names++;
    return new BitName(keyName);
  }

  /** The buckets of an instant, finest first. */
  buckets(name: BitName, timeMs: number): readonly Bucket[] {
    const minute = Math.floor(timeMs / 60_000);
    if (minute === name.lastMinute) return name.lastBuckets;
    let buckets = name.minutes.get(minute);
    if (buckets === undefined) {
      buckets = this.#makeBuckets(name, timeMs);
      name.minutes.set(minute, buckets);
    }
    name.lastMinute = minute;
    name.lastBuckets = buckets;
    return buckets;
  }

  #makeBuckets(name: BitName, timeMs: number): Bucket[] {
    const minute = minuteName(timeMs);
    const buckets = granularities.map((granularity) => {
      const key = this.#keys.bucket(
        name.keyName,
        granularity === 'minute' ? minute : bucketName(timeMs, granularity),
      );
      const known = name.coarse.get(key);
      if (known !== undefined) return known;
      const bucket = new Bucket(
        key,
        granularity,
        bucketExpiryMs(timeMs, granularity, this.#retention),
        this.#total,
      );
      if (granularity !== 'minute') name.coarse.set(key, bucket);
      return bucket;
    });
    if (this.#ofBots.has(name.keyName)) return buckets;
    this.#all ??= new Bucket(this.#keys.all, 'all', Number.POSITIVE_INFINITY, this.#total);
    return [...buckets, this.#all];
  }

  /** Keeps the bound. Only between commits: a packer holds on to buckets. */
  trim(): void {
    if (this.#names > namesMax) this.clear();
    if (this.#total.pages <= this.#pagesMax) return;
    for (const names of [this.#events, this.#ofBots]) for (const name of names.values()) dropOldMinutes(name);
    for (const campaigns of this.#sources.values())
      for (const name of campaigns.values()) dropOldMinutes(name);
    if (this.#total.pages > this.#pagesMax / 2) this.clear();
  }

  clear(): void {
    this.#events.clear();
    this.#sources.clear();
    this.#ofBots.clear();
    this.#all = undefined;
    this.#names = 0;
    this.#total = { pages: 0 };
  }
}

/** Lets go of the older half of a name's minutes. */
function dropOldMinutes(name: BitName): void {
  const minutes = [...name.minutes.keys()].sort((a, b) => a - b);
  for (const minute of minutes.slice(0, Math.ceil(minutes.length / 2))) {
    name.minutes.get(minute)?.[0]?.dropped();
    name.minutes.delete(minute);
  }
  name.lastMinute = -1;
}
