/**
 * Where an address is, from a MaxMind DB file (MMDB), read whole into memory: a lookup takes a few steps in a
 * tree and no disk: 2 to 5 us, and 5 more where the place was not met before.
 */
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { Reader, type Response } from 'maxmind';
import { CrowdbeatError, messageOf } from '../../base/errors.ts';
import { RecentMap } from '../../store/recent-map.ts';
import { isPrivate } from './address.ts';
import { readPlace } from './geo-place.ts';

/** What a person may want to know of a database. */
export interface GeoSource {
  readonly file: string;
  /** As the file calls itself. */
  readonly type: string;
  /** Day on which it was built, `YYYY-MM-DD`. */
  readonly built: string;
  /** Words that its licence asks for, where the file has them. */
  readonly attribution: string | undefined;
}

/** A town's visitors come from many addresses with one record; about 600 bytes each. */
const placesRemembered = 4096;

export class GeoDatabase {
  readonly source: GeoSource;
  readonly #reader: Reader<Response>;
  readonly #hasIpv6: boolean;
  /** Places as JSON, by the decoded record, which the reader's own cache keeps one of. */
  readonly #json = new WeakMap<object, string>();

  /** Throws CB_FILE if the file can't be read or is no MMDB. */
  constructor(file: string) {
    try {
      this.#reader = new Reader(readFileSync(file), { cache: new RecordCache() });
    } catch (thrown) {
      const message = `geo database ${file}: not a readable MMDB file: ${messageOf(thrown)}`;
      throw new CrowdbeatError('CB_FILE', message, { cause: thrown });
    }
    const { databaseType, buildEpoch, description, ipVersion } = this.#reader.metadata;
    this.#hasIpv6 = ipVersion === 6;
    const built = buildEpoch.toISOString().slice(0, 10);
    const words = (description as unknown as Record<string, string> | undefined)?.['en'];
    this.source = { file, type: databaseType, built, attribution: attributionOf(databaseType, words) };
  }

  /** `,"geo":{…}`, or '' where nothing is known: private addresses, and what the database does not hold. */
  json(address: string): string {
    // Asked for an IPv6 address, an IPv4 tree would answer for its first 32 bits.
    if (isPrivate(address) || (!this.#hasIpv6 && isIPv6(address))) return '';
    const record = this.#lookUp(address);
    if (typeof record !== 'object' || record === null) return '';
    let json = this.#json.get(record);
    if (json === undefined) {
      json = placeJson(record);
      this.#json.set(record, json);
    }
    return json;
  }

  #lookUp(address: string): unknown {
    try {
      return this.#reader.get(address);
    } catch {
      // A damaged file: what it can't tell of an address is not known, and the event counts all the same.
      return undefined;
    }
  }
}

function placeJson(record: object): string {
  const json = JSON.stringify(readPlace(record));
  return json === '{}' ? '' : `,"geo":${json}`;
}

/** The reader's cache of decoded records, by their place in the file; strings are cached there as well. */
class RecordCache {
  readonly #records = new RecentMap<number | string, never>(placesRemembered);

  get(key: number | string): never | undefined {
    return this.#records.get(key);
  }

  set(key: number | string, value: unknown): void {
    this.#records.set(key, value as never);
  }
}

const makers: readonly [RegExp, string][] = [
  [
    /geolite2/i,
    'This product includes GeoLite2 data created by MaxMind, available from https://www.maxmind.com',
  ],
  [/dbip|db-ip/i, 'IP Geolocation by DB-IP, https://db-ip.com'],
];

function attributionOf(type: string, words: string | undefined): string | undefined {
  return makers.find(([pattern]) => pattern.test(`${type} ${words ?? ''}`))?.[1];
}
