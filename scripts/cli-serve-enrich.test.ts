import { describe, expect, it } from 'vitest';
import { findPackagedDatabase } from '../server/ingest/enrich/packaged-database.ts';
import { resolveEnrichment } from './cli-serve-enrich.ts';

describe('resolveEnrichment', () => {
  it('takes the packaged database where it is made, and says why where it is not', () => {
    const found = findPackagedDatabase();
    const resolved = resolveEnrichment({});
    if (found?.isMade) expect(resolved.geoFile).toBe(found.file);
    else expect(resolved.geoMissing).toMatch(/is not installed|crowdbeat setup/);
    expect(resolved.trustProxy).toBeUndefined();
  });

  it('takes a file of the user’s own instead', () => {
    expect(resolveEnrichment({ geoDb: '/data/GeoIP2-City.mmdb' })).toMatchObject({
      geoFile: '/data/GeoIP2-City.mmdb',
    });
  });

  it('knows no places when told so', () => {
    const resolved = resolveEnrichment({ geo: 'off', trustProxy: 'loopback' });
    expect(resolved).toEqual({ trustProxy: 'loopback', agents: true });
    expect(resolveEnrichment({ geo: 'off', agents: 'off' }).agents).toBe(false);
  });

  it.each([
    [{ geo: 'yes' }, '--geo: needs on or off, got "yes"'],
    [{ agents: 'no' }, '--agents: needs on or off, got "no"'],
    [{ geo: 'off', geoDb: 'x.mmdb' }, '--geo-db: needs --geo on, got --geo off and "x.mmdb"'],
    [{ geoDb: '' }, '--geo-db: needs a file, got ""'],
    [{ trustProxy: '10.0.0.0/99' }, 'got "10.0.0.0/99"'],
    [{ trustProxy: '' }, 'got ""'],
  ])('refuses %j', (args, message) => {
    expect(() => resolveEnrichment(args)).toThrow(message);
  });
});
