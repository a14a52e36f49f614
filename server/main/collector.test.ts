import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { bucketName } from '../base/time-bucket.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';
import { startCollector } from './collector.ts';

let test: TestCollector;
beforeAll(async () => {
  test = await startTestCollector();
});
afterAll(() => test.stop());

interface Sent {
  readonly session: string;
  readonly seq: number;
  readonly type?: string;
  readonly visitor?: string;
}

const event = ({ session, seq, type = 'view', visitor = session }: Sent) => ({
  event: { type, seq },
  session: { id: session },
  visitor: { id: visitor },
  source: { name: 'mail', campaign: 'spring' },
});

const stored = { durability: 'stored', accepted: 1, duplicates: 0, rejected: 0, results: [] };
/** Each test has a property of its own. */
const inProperty = (name: string) => ({
  'content-type': 'application/json',
  'x-crowdbeat-property': `test/${name}`,
});

describe('POST /write', () => {
  it('stores an event, and calls it a duplicate when it comes again', async () => {
    const body = event({ session: 'a', seq: 1 });
    expect(await test.write(body)).toMatchObject({ status: 200, json: stored });
    expect(await test.write(body)).toMatchObject({
      status: 200,
      json: { accepted: 0, duplicates: 1, results: [{ index: 0, status: 'duplicate' }] },
    });
    expect((await test.get('/totals')).json).toEqual({
      byType: { view: 1 },
      bots: {},
      sessions: 1,
      documents: 1,
    });
  });

  it('stores a thousand events of one request, over several commits, and refuses 1,001', async () => {
    const items = Array.from({ length: 1000 }, (_none, i) =>
      event({ session: `s${i % 7}`, seq: Math.floor(i / 7) + 1 }),
    );
    const headers = inProperty('thousand');
    expect(await test.write({ items }, headers)).toMatchObject({ status: 200, json: { accepted: 1000 } });
    expect(await test.write({ items }, headers)).toMatchObject({ json: { accepted: 0, duplicates: 1000 } });
    expect(await test.write([...items, items[0]], headers)).toMatchObject({
      status: 413,
      json: { code: 'too_many_events' },
    });
    const totals = (await test.get('/totals?property=test/thousand')).json;
    expect(totals).toEqual({ byType: { view: 1000 }, bots: {}, sessions: 7, documents: 1000 });
  });

  it('tells for each event of a request what became of it', async () => {
    const items = [
      event({ session: 'b', seq: 1 }),
      event({ session: 'b', seq: 1 }),
      { event: { type: 'view' } },
      event({ session: 'b', seq: 20_000 }),
      event({ session: 'b', seq: 2 }),
    ];
    const reply = await test.write({ items }, inProperty('each'));
    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject({
      accepted: 2,
      duplicates: 1,
      rejected: 2,
      results: [
        { index: 1, status: 'duplicate' },
        { index: 2, status: 'rejected', reason: 'missing_visitor' },
        { index: 3, status: 'rejected', reason: 'seq_jump' },
      ],
    });
  });

  it('answers 400 when every event was rejected', async () => {
    expect(await test.write({ nonsense: true })).toMatchObject({
      status: 400,
      json: { accepted: 0, rejected: 1, results: [{ index: 0, status: 'rejected', reason: 'missing_type' }] },
    });
  });

  it('takes text/plain and a missing type for JSON, and no unknown type or encoding', async () => {
    const body = JSON.stringify(event({ session: 'c', seq: 1 }));
    const property = { 'x-crowdbeat-property': 'test/types' };
    for (const type of ['text/plain;charset=UTF-8', 'application/json; charset=utf-8', 'Application/JSON']) {
      expect((await test.write(body, { ...property, 'content-type': type })).status).toBe(200);
    }
    for (const headers of [
      { 'content-type': 'application/xml' },
      { 'content-type': 'text/plain', 'content-encoding': 'br' },
    ]) {
      expect(await test.write(body, headers as unknown as Record<string, string>)).toMatchObject({
        status: 415,
        json: { code: 'unsupported_media_type' },
      });
    }
    const bytes = new TextEncoder().encode(body);
    const reply = await fetch(`${test.collector.url}/write?property=test/types`, {
      method: 'POST',
      body: bytes,
    });
    expect(reply.status).toBe(200);
  });

  it('says where a body stops being JSON', async () => {
    expect(await test.write('{"event":{"type":}}')).toMatchObject({
      status: 400,
      json: {
        status: 400,
        code: 'bad_json',
        message: 'the body is not JSON: unexpected "}}" at position 17',
      },
    });
  });

  it('refuses unknown query parameters and malformed properties', async () => {
    const post = async (query: string) => {
      const body = JSON.stringify(event({ session: 'd', seq: 1 }));
      return (await fetch(`${test.collector.url}/write?${query}`, { method: 'POST', body })).json();
    };
    expect(await post('asink=true')).toMatchObject({
      status: 400,
      message: 'unknown parameter "asink"; known: property, publish, async, durability',
    });
    expect(await post('property=acme')).toMatchObject({ status: 400, code: 'bad_property' });
  });

  it('writes the received time and the address into the document', async () => {
    const before = systemClock.wallMs();
    await test.write(event({ session: 'e', seq: 1 }), inProperty('document'));
    const keys = (await test.redis.connection.call('KEYS', ['{test::document}*docs'])) as string[];
    const chunk = (await test.redis.connection.callBuffer('HVALS', [keys[0] ?? ''])) as Buffer[];
    const document = JSON.parse(chunk[0]?.subarray(chunk[0].indexOf('{')).toString() ?? '');
    expect(document._m1.ip).toBe('127.0.0.1');
    expect(document._m1.receivedUTC).toBeGreaterThanOrEqual(before);
    expect(document._m1.receivedUTC).toBeLessThanOrEqual(systemClock.wallMs());
  });
});

describe('GET /count and GET /totals', () => {
  it('counts distinct visitors by event and by source', async () => {
    const headers = inProperty('count');
    for (const [visitor, seq] of [
      ['v1', 1],
      ['v1', 2],
      ['v2', 1],
    ] as const) {
      await test.write(event({ session: visitor, seq }), headers);
    }
    const year = bucketName(systemClock.wallMs(), 'year');
    const count = async (query: string) => (await test.get(`/count?property=test/count&${query}`)).json;
    expect(await count(`event=view&bucket=${year}`)).toEqual({ count: 2 });
    expect(await count(`source=mail&campaign=spring&bucket=${year}`)).toEqual({ count: 2 });
    expect(await count(`event=login&bucket=${year}`)).toEqual({ count: 0 });
    expect(await count('event=view&bucket=2001-01-01')).toEqual({ expired: true });
    expect((await test.get('/totals?property=test/count')).json).toMatchObject({
      byType: { view: 3 },
      sessions: 2,
    });
  });

  it('names the parameter that is missing, bad or unknown', async () => {
    const wrong = [
      ['/count?event=view', 'bucket= is missing'],
      ['/count?event=view&bucket=2026-99', 'bucket=: needs'],
      ['/count?event=view&bucket=2026&x=1', 'unknown parameter "x"'],
      ['/totals?event=view', 'unknown parameter "event"; known: property'],
    ] as const;
    for (const [path, message] of wrong) {
      const reply = await test.get(path);
      expect(reply.status).toBe(400);
      expect((reply.json as { message: string }).message).toContain(message);
    }
  });
});

describe('the collector', () => {
  it('reports its health and answers a ping', async () => {
    expect(await test.get('/health')).toMatchObject({
      status: 200,
      json: {
        overall: { status: 'PASSED' },
        collector: {
          version: expect.stringMatching(/^\d+\.\d+\.\d+/),
          build: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
          pid: process.pid,
        },
        redis: { status: 'connected', version: test.redis.connection.serverVersion },
        queue: { events: 0, bytes: 0 },
      },
    });
    expect(await test.get('/ping')).toMatchObject({ status: 200, json: true });
  });

  it('says which port is taken, and leaves no connection to Redis behind', async () => {
    const clients = async () =>
      String(await test.redis.connection.call('CLIENT', ['LIST']))
        .trim()
        .split('\n').length;
    const before = await clients();
    const again = startCollector({
      host: '127.0.0.1',
      port: test.collector.port,
      redisUrl: test.redis.socketPath,
    });
    await expect(again).rejects.toMatchObject({ code: 'CB_PORT_TAKEN' });
    while ((await clients()) > before) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('logged nothing in all of this', () => {
    expect(test.logged).toEqual([]);
  });
});
