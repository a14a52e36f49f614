import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { enrichedJson } from '../enrich.ts';
import { Enricher } from './enricher.ts';
import { writeTestDatabase } from './geo.testing.ts';
import { GeoDatabase } from './geo-database.ts';
import { TrustedProxies } from './trusted-proxies.ts';

const folder = mkdtempSync(join(tmpdir(), 'crowdbeat-enricher-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'geo.mmdb');
const there = (iso_code: string) => ({ country: { iso_code } });
writeTestDatabase(file, 6, {
  '198.51.100.0/24': there('DE'),
  '203.0.113.0/24': there('FR'),
  '2001:db8::/32': there('NZ'),
});

const full = () => new Enricher({ geo: new GeoDatabase(file), proxies: new TrustedProxies('loopback') });
const nobody = { forwardedFor: undefined, agent: undefined };
const bot = 'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)';

/** What an event's `_m1` becomes. */
const added = (enricher: Enricher, sender: Parameters<Enricher['receipt']>[1]): unknown =>
  JSON.parse(enrichedJson({ a: 1 }, undefined, enricher.receipt(7, sender), false))._m1;

describe('Enricher', () => {
  it('adds place and agent to the time and the address of receipt', () => {
    expect(added(full(), { peer: '198.51.100.9', forwardedFor: undefined, agent: bot })).toEqual({
      receivedUTC: 7,
      ip: '198.51.100.9',
      geo: { country_iso_code: 'DE' },
      ua: { family: 'BingCrawler', device: 'bot', bot: true },
    });
  });

  it('believes a trusted proxy', () => {
    const sender = { peer: '127.0.0.1', forwardedFor: '198.51.100.9', agent: undefined };
    const expected = { receivedUTC: 7, ip: '198.51.100.9', geo: { country_iso_code: 'DE' } };
    const enricher = full();
    expect(added(enricher, sender)).toEqual(expected);
    expect(added(enricher, sender)).toEqual(expected);
    expect(enricher.addressOf({ ...sender, forwardedFor: '[2001:db8::9]:5' })).toBe('2001:db8::9');
  });

  it('believes nobody else, also when it has met the header from a trusted one', () => {
    const enricher = full();
    enricher.receipt(7, { peer: '127.0.0.1', forwardedFor: '198.51.100.9', agent: undefined });
    const spoofed = { peer: '203.0.113.5', forwardedFor: '198.51.100.9', agent: undefined };
    expect(added(enricher, spoofed)).toEqual({
      receivedUTC: 7,
      ip: '203.0.113.5',
      geo: { country_iso_code: 'FR' },
    });
    const trustsNobody = new Enricher({ geo: new GeoDatabase(file) });
    expect(trustsNobody.addressOf({ ...spoofed, peer: '127.0.0.1' })).toBe('127.0.0.1');
  });

  it.each(['garbage', '', '198.51.100.9, garbage', `${'1,'.repeat(4000)}x`])(
    'falls back to the connection where the header is %.30j',
    (forwardedFor) => {
      const enricher = full();
      for (const peer of ['127.0.0.1', '127.0.0.2'])
        expect(enricher.addressOf({ peer, forwardedFor, agent: undefined })).toBe(peer);
    },
  );

  it('takes an address in a long header for the same one', () => {
    const forwardedFor = `${'6.6.6.6, '.repeat(500)}203.0.113.5`;
    expect(added(full(), { peer: '127.0.0.1', forwardedFor, agent: undefined })).toMatchObject({
      ip: '203.0.113.5',
      geo: { country_iso_code: 'FR' },
    });
  });

  it('flags bots, and leaves agents alone when told so', () => {
    const sender = { peer: '127.0.0.1', forwardedFor: undefined, agent: bot };
    expect(full().receipt(7, sender).isBot).toBe(true);
    const withoutAgents = new Enricher({ agents: false });
    expect(withoutAgents.receipt(7, sender).isBot).toBe(false);
    expect(added(withoutAgents, sender)).toEqual({ receivedUTC: 7, ip: '127.0.0.1' });
  });

  it('adds nothing where nothing is known', () => {
    for (const agent of [undefined, ''])
      expect(added(full(), { ...nobody, peer: '127.0.0.1', agent })).toEqual({
        receivedUTC: 7,
        ip: '127.0.0.1',
      });
  });
});
