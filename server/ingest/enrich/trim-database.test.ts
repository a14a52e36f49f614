import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTestDatabase } from './geo.testing.ts';
import { GeoDatabase } from './geo-database.ts';
import { trimDatabase } from './trim-database.ts';

const folder = mkdtempSync(join(tmpdir(), 'crowdbeat-trim-'));
afterAll(() => rmSync(folder, { recursive: true }));

const place = (city: string, latitude: number, longitude: number) => {
  return {
    country_code: 'DE',
    state1: 'Berlin',
    state2: '',
    city,
    postcode: '',
    latitude,
    longitude,
    timezone: '',
  };
};
const mitte = place('Berlin (Mitte)', 52.5244, 13.4105);
const pankow = place('Berlin (Pankow)', 52.5367, 13.4012);
const potsdam = place('Potsdam', 52.3989, 13.0657);

function trimmed() {
  const [ipv4File, ipv6File] = [join(folder, '4.mmdb'), join(folder, '6.mmdb')];
  writeTestDatabase(ipv4File, 4, {
    '198.51.100.0/24': mitte,
    '198.51.101.0/24': pankow,
    '203.0.113.0/28': potsdam,
    '203.0.113.16/28': mitte,
    '8.0.0.0/8': potsdam,
  });
  writeTestDatabase(ipv6File, 6, {
    '2001:db8:1::/48': mitte,
    '2001:db8:2::/64': potsdam,
    '2001:db8:2:1::/64': mitte,
    '::8000:0:0/97': mitte,
  });
  const bytes = trimDatabase({ ipv4File, ipv6File });
  const file = join(folder, 'trimmed.mmdb');
  writeFileSync(file, bytes);
  const database = new GeoDatabase(file);
  const cityOf = (address: string): unknown => {
    const json = database.json(address);
    return json === '' ? undefined : JSON.parse(`{${json.slice(1)}}`).geo.city_name;
  };
  return { bytes, database, cityOf };
}

describe('trimDatabase', () => {
  const { bytes, database, cityOf } = trimmed();

  it('puts IPv4 and IPv6 in one file', () => {
    expect(cityOf('8.8.8.8')).toBe('Potsdam');
    expect(cityOf('198.51.100.1')).toBe('Berlin');
    expect(cityOf('2001:db8:1:5::9')).toBe('Berlin');
  });

  it('makes parts of a town the town, and places a tenth of a degree wide', () => {
    expect(database.json('198.51.101.9')).toContain('"latitude":52.5,"longitude":13.4}');
    expect(database.json('198.51.101.9')).toBe(database.json('198.51.100.9'));
    expect(bytes.includes('Mitte')).toBe(false);
  });

  it('gives networks below /24 and /48 the place of their first address', () => {
    for (const address of ['203.0.113.1', '203.0.113.17', '2001:db8:2::1', '2001:db8:2:1::1'])
      expect(cityOf(address)).toBe('Potsdam');
  });

  it('knows nothing of what neither source knows', () => {
    for (const address of ['203.0.112.1', '9.0.0.1', '2001:db8:3::1'])
      expect(database.json(address)).toBe('');
  });

  it('carries the attribution', () => {
    expect(database.source.attribution).toContain('DB-IP');
    expect(bytes.includes('CC BY 4.0')).toBe(true);
  });
});
