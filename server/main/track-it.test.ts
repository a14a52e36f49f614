import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestCollector, type TestCollector } from './collector.testing.ts';

let test: TestCollector;
beforeAll(async () => {
  test = await startTestCollector();
});
afterAll(() => test.stop());
beforeEach(() => test.redis.connection.call('FLUSHALL', []));

const track = (query: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${test.collector.url}/track/it${query}`, init);
const totals = async (property = 'demo/site') =>
  (await test.get(`/totals?property=${encodeURIComponent(property)}`)).json;

async function expectPixel(reply: Response): Promise<void> {
  expect(reply.status).toBe(200);
  expect(reply.headers.get('content-type')).toBe('image/gif');
  expect(reply.headers.get('cache-control')).toBe('no-store');
  const bytes = Buffer.from(await reply.arrayBuffer());
  expect(bytes).toHaveLength(43);
  expect(bytes.subarray(0, 6).toString()).toBe('GIF89a');
  // Width and height, little-endian; and the byte that ends a GIF.
  expect([bytes.readUInt16LE(6), bytes.readUInt16LE(8), bytes[42]]).toEqual([1, 1, 0x3b]);
}

const aktivat =
  '?trackr_event_type=trackr_pageloaded_event&trackr_page_loadtime=312&config_cookies_v_visitor=v-1' +
  '&config_cookies_session=s-1&config_tab=t-1&hostname=shop.example&path=%2Fhats&args_=undefined';

describe('GET /track/it', () => {
  it('stores an event of either form and answers a GIF', async () => {
    const reply = await track(`${aktivat}&event_id=e-1`);
    expect(reply.headers.get('x-crowdbeat-rejected')).toBeNull();
    await expectPixel(reply);
    await expectPixel(await track('?event.type=open&visitor.id=v-2&event.id=e-2'));
    expect(await totals()).toMatchObject({ byType: { view: 1, open: 1 }, sessions: 1, documents: 2 });
  });

  it('counts an image that is fetched again once', async () => {
    for (let i = 0; i < 3; i++) {
      const reply = await track(`${aktivat}&event_id=e-1`);
      expect(reply.headers.get('x-crowdbeat-rejected')).toBeNull();
      await expectPixel(reply);
    }
    expect(await totals()).toMatchObject({ documents: 1 });
  });

  it.each([
    ['', 'missing_type'],
    ['?event.type=view', 'missing_visitor'],
    ['?event.type=%ff&visitor.id=v', 'malformed_query'],
    ['?event.type=signup&visitor.id=v', 'missing_user'],
    ['?event.type=view&visitor.id=v&session.id=s&event.seq=20000', 'seq_jump'],
    ['?event.type=view&visitor.id=v&__proto__.x=1', 'forbidden_name'],
  ])('%s is a GIF too, with the reason %s', async (query, reason) => {
    const reply = await track(query);
    expect(reply.headers.get('x-crowdbeat-rejected')).toBe(reason);
    await expectPixel(reply);
    expect(await totals()).toMatchObject({ documents: 0 });
  });

  it('writes to the property that is named by property= or by the account of Aktivat’s tracker', async () => {
    await expectPixel(await track(`${aktivat}&property=acme/blog`));
    await expectPixel(await track(`${aktivat}&config_account=acme%2Fshop`));
    await expectPixel(await track(`${aktivat}&config_account=42`));
    await expectPixel(await track(`${aktivat}&config_account=42&property=acme/blog&event_id=2`));
    for (const [property, documents] of [
      ['acme/blog', 2],
      ['acme/shop', 1],
      ['42/site', 1],
      ['demo/site', 0],
    ] as const)
      expect(await totals(property)).toMatchObject({ documents });
    for (const reply of [
      await track(`${aktivat}&property=nothing`),
      await track(`${aktivat}&config_account=a/b/c`),
      await track(`${aktivat}&config_account=42`, { headers: { 'x-crowdbeat-property': 'acme/blog' } }),
    ])
      expect(reply.status).toBe(400);
    expect(await totals('acme/blog')).toMatchObject({ documents: 2 });
  });

  it('refuses a query over 8,192 characters with 414 and a body with 413, and stores nothing', async () => {
    const fill = (length: number): string => {
      const query = 'event.type=view&visitor.id=v&event.id=';
      return `?${query}${'x'.repeat(100)}&page.title=${'x'.repeat(length - query.length - 112)}`;
    };
    await expectPixel(await track(fill(8192)));
    const tooLong = await track(fill(8193));
    expect(tooLong.status).toBe(414);
    expect(await tooLong.json()).toMatchObject({ code: 'uri_too_long' });
    const agent = { method: 'GET', path: '/track/it?event.type=view&visitor.id=v' };
    const status = await new Promise((resolve, reject) => {
      const { port } = test.collector;
      request({ ...agent, port, headers: { 'content-length': '4' } }, (reply) => {
        reply.resume().on('end', () => resolve(reply.statusCode));
      })
        .on('error', reject)
        .end('body');
    });
    expect(status).toBe(413);
    expect(await totals()).toMatchObject({ documents: 1 });
  });

  it('counts nobody who only looks (HEAD), and knows no POST', async () => {
    const head = await track(aktivat, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '43']);
    expect((await track(aktivat, { method: 'POST' })).status).toBe(405);
    expect(await totals()).toMatchObject({ documents: 0 });
  });

  it('keeps a user’s record too', async () => {
    const user = '&config_cookies_visitor=u-7&name=Ann&signupDate=1384900000';
    await expectPixel(await track(`${aktivat.replace('pageloaded', 'signupUser')}${user}`));
    expect((await test.get('/user-record?id=u-7')).json).toMatchObject({
      data: { name: 'Ann' },
      signupDate: 1_384_900_000_000,
    });
  });
});
