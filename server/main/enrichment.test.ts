/** Place and agent of an event, from the socket to what is stored and counted: on both paths of POST /write. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { bucketName } from '../base/time-bucket.ts';
import { writeTestDatabase } from '../ingest/enrich/geo.testing.ts';
import type { EnrichmentOptions } from '../ingest/enrich/open-enricher.ts';
import { decodeChunk } from '../store/chunk.ts';
import { PropertyKeys } from '../store/keys.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';
import { startCollector } from './collector.ts';

const folder = mkdtempSync(join(tmpdir(), 'crowdbeat-enrichment-'));
const geoFile = join(folder, 'geo.mmdb');
let test: TestCollector;
let visitors = 0;
const timeMs = systemClock.wallMs();

async function start(enrichment: EnrichmentOptions): Promise<void> {
  test = await startTestCollector({ enrichment });
}
beforeEach(() => {
  const quito = { country: { iso_code: 'EC' }, city: { names: { en: 'Quito' } } };
  writeTestDatabase(geoFile, 6, { '198.51.100.0/24': quito, '2001:db8::/32': quito });
});
afterEach(async () => {
  await test.stop();
  rmSync(geoFile);
});
afterAll(() => rmSync(folder, { recursive: true }));

const chrome =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';
const googlebot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

const event = (type = 'view') => ({
  event: { type, time: timeMs },
  visitor: { id: `v-${visitors++}` },
  session: { id: `s-${visitors}` },
  source: { name: 'news' },
});

async function write(headers: Record<string, string>, body: unknown = event()): Promise<void> {
  const reply = await test.write(body, { 'content-type': 'application/json', ...headers });
  expect(reply).toMatchObject({ status: 200, json: { rejected: 0 } });
}

/** `_m1` of the stored documents without the time of receipt, in their order. */
async function stored(): Promise<Record<string, unknown>[]> {
  const key = new PropertyKeys({ account: 'demo', property: 'site' }).documents(0);
  const fields = (await test.redis.connection.callBuffer('HGETALL', [key])) as Buffer[];
  const chunks: [number, Buffer][] = [];
  for (let i = 0; i < fields.length; i += 2)
    chunks.push([Number(fields[i]?.toString()), fields[i + 1] as Buffer]);
  chunks.sort(([a], [b]) => a - b);
  return chunks.flatMap(([, chunk]) =>
    decodeChunk(chunk).map((text) => {
      const { receivedUTC: _when, ...added } = JSON.parse(text)._m1;
      return added;
    }),
  );
}

const ua = { family: 'Chrome', os: 'Linux', device: 'desktop', bot: false };
const geo = { country_iso_code: 'EC', city_name: 'Quito' };

/** A content type that the direct path does not know sends a request to node:http. */
describe.each([
  ['the direct path', {}],
  ['node:http', { 'content-type': 'text/plain' }],
] as const)('on %s', (_path, further) => {
  it('a visitor behind a trusted proxy gets the place of the address that the proxy names', async () => {
    await start({ geoFile, trustProxy: 'loopback' });
    await write({ ...further, 'user-agent': chrome, 'x-forwarded-for': '6.6.6.6, 198.51.100.9, 127.0.0.8' });
    await write({ ...further, 'user-agent': chrome, 'x-forwarded-for': '2001:db8::9' });
    await write({ ...further, 'user-agent': chrome, 'x-forwarded-for': 'garbage' });
    expect(await stored()).toEqual([
      { ip: '198.51.100.9', geo, ua },
      { ip: '2001:db8::9', geo, ua },
      { ip: '127.0.0.1', ua },
    ]);
  });

  it('nobody is believed while no proxy is trusted', async () => {
    await start({ geoFile });
    await write({ ...further, 'user-agent': chrome, 'x-forwarded-for': '198.51.100.9' });
    expect(await stored()).toEqual([{ ip: '127.0.0.1', ua }]);
  });

  it('an agent of 10 KB is stored as what its beginning says', async () => {
    await start({ geoFile });
    await write({ ...further, 'user-agent': `${chrome} ${'x'.repeat(10_240)}` });
    expect(await stored()).toEqual([{ ip: '127.0.0.1', ua }]);
  });

  it('bots are stored and counted apart, and people’s counts hold none', async () => {
    await start({});
    await write({ ...further, 'user-agent': chrome });
    await write({ ...further, 'user-agent': googlebot }, [event(), event(), event('click')]);
    await write({ ...further, 'user-agent': googlebot });
    const day = bucketName(timeMs, 'day');
    const count = async (question: string) => (await test.get(`/count?bucket=${day}&${question}`)).json;
    expect(await count('event=view')).toEqual({ count: 1 });
    expect(await count('event=view&bot=false')).toEqual({ count: 1 });
    expect(await count('event=view&bot=true')).toEqual({ count: 3 });
    expect(await count('event=click')).toEqual({ count: 0 });
    expect(await count('event=click&bot=true')).toEqual({ count: 1 });
    expect(await count('source=news')).toEqual({ count: 1 });
    expect(await count('source=news&bot=true')).toEqual({ count: 4 });
    expect((await test.get('/totals')).json).toEqual({
      byType: { view: 1 },
      bots: { view: 3, click: 1 },
      sessions: 5,
      documents: 5,
    });
    expect((await stored())[4]).toMatchObject({ ua: { bot: true } });
  });
});

describe('the collector', () => {
  it('says in /health which geo database it has, and not where', async () => {
    await start({ geoFile });
    const { json } = await test.get('/health');
    expect(json).toMatchObject({ geo: { status: 'on', database: 'Test', built: '2026-05-17' } });
    expect(JSON.stringify(json)).not.toContain(folder);
  });

  it('says in /health that there is none', async () => {
    await start({});
    expect((await test.get('/health')).json).toMatchObject({ geo: { status: 'off' } });
  });

  it('drops a place that the client claims', async () => {
    await start({ geoFile });
    await write(
      { 'user-agent': chrome },
      { ...event(), _m1: { geo: { country_iso_code: 'XX' }, ip: '6.6.6.6' } },
    );
    expect(await stored()).toEqual([{ ip: '127.0.0.1', ua }]);
  });

  it.each(['maybe', '', 'bot'])('refuses bot=%s', async (value) => {
    await start({});
    const reply = await test.get(`/count?event=view&bucket=2026&bot=${value}`);
    expect(reply).toMatchObject({ status: 400, json: { message: expect.stringContaining('true or false') } });
  });
});

describe('a collector that can’t be enriched as asked', () => {
  it('does not start', async () => {
    await start({});
    const place = { host: '127.0.0.1', port: 0, redisUrl: test.redis.socketPath };
    const startWith = (enrichment: EnrichmentOptions) => startCollector({ ...place, enrichment });
    const missing = join(folder, 'missing.mmdb');
    await expect(startWith({ geoFile: missing })).rejects.toMatchObject({ code: 'CB_FILE' });
    await expect(startWith({ trustProxy: 'everybody' })).rejects.toMatchObject({ code: 'CB_OPTION' });
  });
});
