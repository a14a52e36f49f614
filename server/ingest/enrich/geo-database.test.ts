import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { Enricher } from './enricher.ts';
import { writeTestDatabase } from './geo.testing.ts';
import { GeoDatabase } from './geo-database.ts';
import type { MmdbValue } from './mmdb-writer.ts';
import { findPackagedDatabase } from './packaged-database.ts';

const folder = mkdtempSync(join(tmpdir(), 'crowdbeat-geo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bremen = {
  country: { iso_code: 'DE', names: { en: 'Germany' } },
  subdivisions: [{ iso_code: 'HB', names: { en: 'Bremen' } }],
  city: { names: { de: 'Bremen', en: 'Bremen' } },
  location: { latitude: 53.0946, longitude: 8.8787, time_zone: 'Europe/Berlin' },
};
const munich = {
  country: { iso_code: 'DE' },
  subdivisions: [{ names: { en: 'Bavaria' } }],
  city: { names: { en: 'Munich' } },
  location: { latitude: 48.1371, longitude: 11.5761 },
};
const flat = {
  country_code: 'US',
  state1: 'California',
  state2: '',
  city: 'Mountain View',
  postcode: '',
  latitude: 37.422000885009766,
  longitude: -122.08499908447266,
  timezone: '',
};
const countryOnly = { country: { iso_code: 'US' }, location: { latitude: 37.751, longitude: -97.822 } };

let files = 0;
function openDatabase(networks: Record<string, MmdbValue>, ipVersion: 4 | 6 = 6, type?: string): GeoDatabase {
  const file = join(folder, `${files++}.mmdb`);
  writeTestDatabase(file, ipVersion, networks, type);
  return new GeoDatabase(file);
}

const placeIn = (database: GeoDatabase, address: string): unknown => {
  const json = database.json(address);
  return json === '' ? undefined : JSON.parse(`{${json.slice(1)}}`).geo;
};

describe('GeoDatabase', () => {
  const database = openDatabase({
    '198.51.100.0/24': bremen,
    '203.0.113.0/25': munich,
    '203.0.113.128/25': flat,
    '192.0.2.0/24': countryOnly,
    '2001:db8:7::/48': bremen,
    '10.0.0.0/8': bremen,
    'fd00::/8': bremen,
  });

  it('gives all that a GeoIP2 record holds, for IPv4 and IPv6', () => {
    const place = {
      country_iso_code: 'DE',
      subdivision_1_iso_code: 'HB',
      city_name: 'Bremen',
      time_zone: 'Europe/Berlin',
      latitude: 53.0946,
      longitude: 8.8787,
    };
    expect(placeIn(database, '198.51.100.77')).toEqual(place);
    expect(placeIn(database, '2001:db8:7:1::5')).toEqual(place);
  });

  it('derives code and time zone where a record has names and coordinates only', () => {
    expect(placeIn(database, '203.0.113.1')).toMatchObject({
      subdivision_1_iso_code: 'BY',
      city_name: 'Munich',
      time_zone: 'Europe/Berlin',
    });
  });

  it('reads the flat records of ip-location-db, with 32-bit coordinates', () => {
    expect(placeIn(database, '203.0.113.200')).toEqual({
      country_iso_code: 'US',
      subdivision_1_iso_code: 'CA',
      city_name: 'Mountain View',
      time_zone: 'America/Los_Angeles',
      latitude: 37.422,
      longitude: -122.085,
    });
  });

  it('derives no time zone from the middle of a country', () => {
    expect(placeIn(database, '192.0.2.1')).toEqual({
      country_iso_code: 'US',
      latitude: 37.751,
      longitude: -97.822,
    });
  });

  it.each(['203.0.112.1', '2001:db8:8::1', '10.1.2.3', 'fd00::1', '127.0.0.1', '::1', 'unknown', ''])(
    'knows nothing of %j, and asks nothing about private addresses',
    (address) => {
      expect(database.json(address)).toBe('');
    },
  );

  it('never answers about IPv6 from a tree of IPv4, which would take its first 32 bits', () => {
    const ipv4 = openDatabase({ '32.1.13.0/24': bremen }, 4);
    expect(placeIn(ipv4, '32.1.13.184')).toMatchObject({ city_name: 'Bremen' });
    expect(ipv4.json('2001:db8:7:1::5')).toBe('');
  });

  it('says what it is, with the words that its licence asks for', () => {
    expect(database.source).toMatchObject({ type: 'Test', built: '2026-05-17', attribution: undefined });
    const lite = openDatabase({ '1.0.0.0/8': bremen }, 6, 'GeoLite2-City');
    expect(lite.source.attribution).toContain('MaxMind');
    const dbIp = openDatabase({ '1.0.0.0/8': bremen }, 6, 'DBIP-City-Lite');
    expect(dbIp.source.attribution).toContain('https://db-ip.com');
  });

  it('refuses a file that is not there or no MMDB, and names it', () => {
    const text = join(folder, 'text.mmdb');
    writeFileSync(text, 'not a database'.repeat(100));
    for (const file of [text, join(folder, 'missing.mmdb'), folder])
      expect(() => new GeoDatabase(file)).toThrow(
        expect.objectContaining({ code: 'CB_FILE', message: expect.stringContaining(file) }),
      );
  });

  it('gives nothing, instead of failing, where a file is damaged', () => {
    const file = join(folder, 'damaged.mmdb');
    writeTestDatabase(file, 6, {
      '198.51.100.0/24': 'x',
      '203.0.113.0/24': [1, 2],
      '192.0.2.0/24': { city: 5 },
    });
    const damaged = new GeoDatabase(file);
    for (const address of ['198.51.100.1', '203.0.113.1', '192.0.2.1'])
      expect(damaged.json(address)).toBe('');
  });
});

const packaged = findPackagedDatabase();

// An optional dependency, and made smaller by the set-up: `npm test` has it unless npm could not install it.
describe.runIf(packaged?.isMade)('the packaged database', () => {
  const heldBytes = (): number => {
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };

  it('knows addresses of both kinds, with every member', () => {
    const database = new GeoDatabase(packaged?.file ?? '');
    expect(placeIn(database, '134.102.1.1')).toEqual({
      country_iso_code: 'DE',
      subdivision_1_iso_code: 'HB',
      city_name: 'Bremen',
      time_zone: 'Europe/Berlin',
      latitude: 53.1,
      longitude: 8.9,
    });
    expect(placeIn(database, '128.101.101.101')).toMatchObject({
      country_iso_code: 'US',
      subdivision_1_iso_code: 'MN',
      time_zone: 'America/Chicago',
    });
    expect(placeIn(database, '2a02:8108::1')).toMatchObject({ country_iso_code: 'DE' });
  });

  it('takes less than 80 MB of memory, with all that is remembered of addresses', () => {
    const before = heldBytes();
    const database = new GeoDatabase(packaged?.file ?? '');
    const enricher = new Enricher({ geo: database });
    let known = 0;
    for (let i = 0; i < 70_000; i++) {
      const peer = `${1 + (i % 223)}.${(i * 7) % 256}.${(i * 13) % 256}.${i >> 9}`;
      const { furtherJson } = enricher.receipt(0, { peer, forwardedFor: undefined, agent: undefined });
      if (furtherJson !== '') known += 1;
    }
    expect(known).toBeGreaterThan(35_000);
    expect(heldBytes() - before).toBeLessThan(80e6);
    // Without it nobody would know that something was measured.
    expect(heldBytes() - before).toBeGreaterThan(30e6);
    expect(enricher.geoSource?.built).toMatch(/^\d{4}-/);
  });
});
