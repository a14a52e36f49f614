import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../protocol/limits.ts';
import { type JsonReply, startTestCollector, type TestCollector } from './collector.testing.ts';

let test: TestCollector;
beforeAll(async () => {
  test = await startTestCollector();
});
afterAll(() => test.stop());
beforeEach(() => test.redis.connection.call('FLUSHALL', []));

const event = (seq: number, type = 'view') => ({
  event: { type, seq },
  session: { id: 's' },
  visitor: { id: 'vü' },
});

async function post(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
  path = '/write',
): Promise<JsonReply> {
  const reply = await fetch(test.collector.url + path, { method: 'POST', headers, body });
  return { status: reply.status, headers: reply.headers, json: await reply.json() };
}

const totals = async (property = 'demo/site') =>
  (await test.get(`/totals?property=${encodeURIComponent(property)}`)).json;
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const lines = { 'content-type': 'application/x-ndjson' };
const gzip = { 'content-encoding': 'gzip' };
const bytes = (buffer: Buffer): Uint8Array<ArrayBuffer> => new Uint8Array(buffer);

describe('a write as a form', () => {
  it('stores the events of items=[…], as URLSearchParams and as curl -d sends them', async () => {
    const items = JSON.stringify([event(1), event(2, 'a+b & c=d')]);
    const encoded = new URLSearchParams({ items, publish: 'true', async: 'true' }).toString();
    expect(await post(encoded, form)).toMatchObject({ status: 200, json: { accepted: 2, duplicates: 0 } });
    // curl -d does not encode: what has no & + % in it goes as it is.
    const raw = `items=${JSON.stringify([event(2), event(3)])}`;
    expect(await post(raw, form)).toMatchObject({ status: 200, json: { accepted: 1, duplicates: 1 } });
    expect(await totals()).toEqual({
      byType: { view: 2, 'a+b & c=d': 1 },
      bots: {},
      sessions: 1,
      documents: 3,
    });
  });

  it('may name the property in a field; header, URL and field must agree', async () => {
    const body = (property: string) =>
      new URLSearchParams({ items: JSON.stringify([event(1)]), property }).toString();
    expect((await post(body('test/form'), form)).status).toBe(200);
    expect(await totals('test/form')).toMatchObject({ documents: 1 });
    expect(await totals()).toMatchObject({ documents: 0 });
    const header = { ...form, 'x-crowdbeat-property': 'test/form' };
    expect(await post(body('test/form'), header, '/write?property=test/form')).toMatchObject({ status: 200 });
    for (const reply of [
      await post(body('test/other'), header),
      await post(body('test/other'), form, '/write?property=test/form'),
      await post(body('nothing'), form),
    ]) {
      expect(reply).toMatchObject({ status: 400, json: { code: 'bad_property' } });
    }
    expect(await totals('test/other')).toMatchObject({ documents: 0 });
  });

  it.each([
    ['property=a/b', 'bad_body'],
    ['', 'bad_body'],
    ['items=%zz', 'bad_parameter'],
    ['items=[]&items=[]', 'bad_parameter'],
    ['item=[]', 'bad_parameter'],
    ['items=[{', 'bad_json'],
    ['items=%ff', 'bad_parameter'],
  ])('%s is refused as a whole: %s', async (body, code) => {
    expect(await post(body, form)).toMatchObject({ status: 400, json: { code } });
  });
});

describe('a write as text/plain', () => {
  it('is JSON, as navigator.sendBeacon sends it', async () => {
    const blob = new Blob([JSON.stringify({ items: [event(1), event(2)] })], { type: 'text/plain' });
    const reply = await fetch(`${test.collector.url}/write`, { method: 'POST', body: blob });
    expect(await reply.json()).toMatchObject({ accepted: 2 });
  });
});

describe('a write as NDJSON', () => {
  it('judges every line alone, numbers those that are not blank, and keeps the document as it was', async () => {
    const body = [
      JSON.stringify(event(1)),
      '',
      '  {"event":{"type":"view","seq":2},"session":{"id":"s"},"visitor":{"id":"v"}}  \r',
      '{"event":{"type":"vi',
      '[1]',
      JSON.stringify(event(1)),
      'null',
    ].join('\n');
    expect(await post(body, lines)).toMatchObject({
      status: 200,
      json: {
        accepted: 2,
        duplicates: 1,
        rejected: 3,
        results: [
          { index: 2, status: 'rejected', reason: 'not_json', message: 'the line is not JSON' },
          { index: 3, status: 'rejected', reason: 'not_an_object' },
          { index: 4, status: 'duplicate' },
          { index: 5, status: 'rejected', reason: 'not_an_object' },
        ],
      },
    });
    expect(await totals()).toMatchObject({ documents: 2, byType: { view: 2 } });
  });

  it('is 400 when no line is an event, and 200 when there is none', async () => {
    expect(await post('not json\n', lines)).toMatchObject({ status: 400, json: { rejected: 1 } });
    expect(await post('\n \r\n', lines)).toMatchObject({ status: 200, json: { accepted: 0, rejected: 0 } });
  });

  it('takes a thousand lines and refuses one more as a whole', async () => {
    const thousand = Array.from({ length: 1000 }, (_none, index) => JSON.stringify(event(index + 1)));
    expect(await post(`${thousand.join('\n')}\n\n`, lines)).toMatchObject({ json: { accepted: 1000 } });
    const more = [...thousand, JSON.stringify(event(1001))].join('\n');
    expect(await post(more, lines)).toMatchObject({ status: 413, json: { code: 'too_many_events' } });
    expect(await totals()).toMatchObject({ documents: 1000 });
  });

  it('is refused as a whole when it is not UTF-8', async () => {
    const body = Buffer.concat([Buffer.from(`${JSON.stringify(event(1))}\n"`), Buffer.from([0xff])]);
    expect(await post(bytes(body), lines)).toMatchObject({ status: 400, json: { code: 'not_utf8' } });
  });
});

describe('a write compressed by gzip', () => {
  it('is read in every format', async () => {
    const json = gzipSync(JSON.stringify([event(1)]));
    const plain = { ...gzip, 'content-type': 'application/json' };
    expect(await post(bytes(json), plain)).toMatchObject({ status: 200, json: { accepted: 1 } });
    const ndjson = gzipSync(`${JSON.stringify(event(2))}\n${JSON.stringify(event(3))}\n`);
    expect(await post(bytes(ndjson), { ...gzip, ...lines })).toMatchObject({ json: { accepted: 2 } });
    const fields = gzipSync(new URLSearchParams({ items: JSON.stringify([event(4)]) }).toString());
    expect(await post(bytes(fields), { ...gzip, ...form })).toMatchObject({ json: { accepted: 1 } });
    expect(await totals()).toMatchObject({ documents: 4 });
  });

  it.each([
    ['no gzip at all', Buffer.from('{}')],
    ['nothing', Buffer.alloc(0)],
    ['cut short', gzipSync(JSON.stringify([event(1)])).subarray(0, -9)],
    ['with a wrong checksum', Buffer.concat([gzipSync('[]').subarray(0, -8), Buffer.alloc(8)])],
  ])('%s is a 400', async (_name, body) => {
    expect(await post(bytes(body), gzip)).toMatchObject({ status: 400, json: { code: 'bad_gzip' } });
    expect(await totals()).toMatchObject({ documents: 0 });
  });

  it('may inflate to 1 MiB and not to one byte more', async () => {
    const padded = (length: number) => {
      const body = Buffer.alloc(length, ' ');
      body.write(JSON.stringify(event(1)));
      return bytes(gzipSync(body));
    };
    expect(await post(padded(limits.bodyBytesMax), gzip)).toMatchObject({ status: 200 });
    expect(await post(padded(limits.bodyBytesMax + 1), gzip)).toMatchObject({
      status: 413,
      json: { code: 'too_large' },
    });
  });

  it('that would become a gigabyte costs no memory, and a write beside forty of them gets its answer', async () => {
    // Members one after the other are one gzip file; 16 times 64 MiB of zeros are 1 MB.
    const member = gzipSync(Buffer.alloc(64 * 1_048_576));
    const bomb = bytes(Buffer.concat(new Array(15).fill(member)));
    expect(bomb.length).toBeLessThan(limits.bodyBytesMax);
    let mostBytes = 0;
    const before = process.memoryUsage().arrayBuffers;
    const watch = setInterval(() => {
      mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers - before);
    }, 1);
    const bombs = Array.from({ length: 40 }, () => post(bomb, gzip));
    expect(await post(JSON.stringify(event(1)), {})).toMatchObject({ status: 200 });
    for (const reply of await Promise.all(bombs))
      expect(reply).toMatchObject({ status: 413, json: { code: 'too_large' } });
    clearInterval(watch);
    // Forty bodies of 1 MB come in (and go out of this same process); inflated they would be 40 GB.
    expect(mostBytes).toBeLessThan(200 * 1_048_576);
  });
});
