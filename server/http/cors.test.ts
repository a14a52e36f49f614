import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AccessTest, eventBody, startClosed } from './access.testing.ts';
import { RawClient, writeRequest } from './http-client.testing.ts';

let at: AccessTest;
let admin: string;
let key: string;
const shop = 'https://shop.example';
const stranger = 'https://stranger.example';

beforeAll(async () => {
  at = await startClosed(['demo', 'acme']);
  admin = await at.login('admin');
  await at.ask('/system/cors/add', { token: admin, form: { domains: `${shop},*.pages.example` } });
  key = ((await at.ask('/property/key', { token: admin, form: {} })).json as { key: string }).key;
});
afterAll(() => at.test.stop());

const documents = () => at.documents(admin, 'demo/site');

describe('the list of hosts and origins', () => {
  it('is added to by the line of the document, shown, and taken from', async () => {
    const token = await at.login('acme/admin');
    const body = 'domains=localhost.somethingunique';
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await at.ask('/system/cors/add', { token, body, headers })).status).toBe(204);
    const more = '["https://Example.com:443","*.example.org","127.0.0.1:8080"]';
    expect((await at.ask('/system/cors/add', { token, form: { domains: more } })).status).toBe(204);
    const all = ['*.example.org', '127.0.0.1:8080', 'https://example.com', 'localhost.somethingunique'];
    expect((await at.ask('/system/cors/list', { token })).json).toEqual(all);
    expect((await at.ask('/system', { token })).json).toMatchObject({ cors: all });
    await at.ask('/system/cors/remove', { token, form: { domains: all.slice(1).join() } });
    expect((await at.ask('/system/cors/list', { token })).json).toEqual(all.slice(0, 1));
    await at.ask('/system/cors/remove', { token, form: { domains: '*.example.org' } });
    expect(await at.test.redis.connection.call('KEYS', ['crowdbeat::origins::*example.org'])).toEqual([]);
  });

  it.each([
    '*',
    '',
    'null',
    'ftp://a.example',
    'a b',
    'https://a.example/path',
    '*.',
    'a@b',
    '["a",1]',
    '[',
    '{}',
  ])('takes no "%s"', async (domains) => {
    expect((await at.ask('/system/cors/add', { token: admin, form: { domains } })).status).toBe(400);
  });
});

describe('a write from a page', () => {
  const ways: readonly [
    how: string,
    write: (origin: string) => Promise<{ status: number; headers: Headers }>,
  ][] = [
    [
      'with a key in the URL, as a beacon',
      (origin) =>
        at.ask(`/write?key=${key}`, { headers: { origin, 'content-type': 'text/plain' }, body: eventBody() }),
    ],
    [
      'with a key in a header',
      (origin) =>
        at.ask('/write', { key, headers: { origin, 'content-type': 'application/json' }, body: eventBody() }),
    ],
    ['with a token', (origin) => at.ask('/write', { token: admin, headers: { origin }, body: eventBody() })],
    [
      'as a form',
      (origin) =>
        at.ask('/write', {
          token: admin,
          headers: { origin },
          form: { items: eventBody(), property: 'demo/site' },
        }),
    ],
  ];

  it.each(ways)('%s is stored from a page on the list, which may read the reply', async (_how, write) => {
    const before = await documents();
    for (const origin of [shop, 'http://a.b.pages.example:8080']) {
      const reply = await write(origin);
      expect(reply.status).toBe(200);
      expect(reply.headers.get('access-control-allow-origin')).toBe(origin);
      expect(reply.headers.get('vary')).toBe('Origin');
    }
    expect(await documents()).toBe(before + 2);
  });

  it.each(ways)('%s is refused from any other, and nothing of it is stored', async (_how, write) => {
    const before = await documents();
    const strangers = [
      stranger,
      'null',
      '',
      'http://shop.example',
      'https://shop.example:8443',
      'https://shop.example.stranger.example',
      'https://xshop.example',
      'https://pages.example',
      'https://stranger.example/.pages.example',
      `https://${'x'.repeat(6000)}.pages.example`,
    ];
    for (const origin of strangers) {
      const { status, headers } = await write(origin);
      expect([origin.slice(0, 60), status]).toEqual([origin.slice(0, 60), 403]);
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
    expect(await documents()).toBe(before);
  });

  it('is held to the list of its own property, not to another’s', async () => {
    await at.ask('/property/add', { token: admin, form: { name: 'blog' } });
    const write = (property: string) =>
      at.ask('/write', { token: admin, property, headers: { origin: shop }, body: eventBody() });
    expect((await write('demo/site')).status).toBe(200);
    expect((await write('demo/blog')).status).toBe(403);
    const asForm = { items: eventBody(), property: 'demo/blog' };
    expect((await at.ask('/write', { token: admin, headers: { origin: shop }, form: asForm })).status).toBe(
      403,
    );
  });

  it('is refused two seconds after its host left the list at the latest', async () => {
    const headers = { origin: 'http://leaving.example' };
    const write = () => at.ask('/write', { key, headers, body: eventBody() });
    await at.ask('/system/cors/add', { token: admin, form: { domains: 'leaving.example' } });
    expect((await at.until(200, write)).status).toBe(200);
    await at.ask('/system/cors/remove', { token: admin, form: { domains: 'leaving.example' } });
    await at.until(403, write);
  });

  it('is judged alike on a bare socket, where the reply carries the same headers', async () => {
    const raw = new RawClient(at.test.collector.port);
    const request = (origin: string) =>
      writeRequest(
        eventBody(),
        `content-type: application/json\r\nx-crowdbeat-key: ${key}\r\norigin: ${origin}`,
      );
    raw.send(request(shop));
    const allowed = await raw.reply();
    expect(allowed).toMatchObject({
      status: 200,
      headers: { 'access-control-allow-origin': shop, vary: 'Origin' },
    });
    raw.send(request(stranger));
    const refused = await raw.reply();
    expect(refused.status).toBe(403);
    expect(refused.headers['access-control-allow-origin']).toBeUndefined();
    raw.close();
  });

  it('takes no page’s word for where it comes from: a Host that is a name proves nothing', async () => {
    const head = (host: string, extra: string) =>
      `POST /write HTTP/1.1\r\nhost: ${host}\r\norigin: http://${host}\r\n${extra}` +
      `content-type: application/json\r\ncontent-length: ${eventBody().length}\r\n\r\n${eventBody()}`;
    for (const [host, status] of [
      ['rebound.example:7070', 403],
      ['127.0.0.1:7070', 200],
      ['localhost:7070', 200],
      ['127.0.0.1.rebound.example', 403],
    ] as const) {
      const raw = new RawClient(at.test.collector.port);
      raw.send(head(host, `x-crowdbeat-key: ${key}\r\n`));
      expect([host, (await raw.reply()).status]).toEqual([host, status]);
      raw.close();
    }
  });
});

describe('a preflight', () => {
  const preflight = async (path: string, origin: string) => {
    const reply = await fetch(at.url + path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    return { status: reply.status, headers: reply.headers, text: await reply.text() };
  };

  it('is answered with exactly what a request may carry', async () => {
    const { status, headers, text } = await preflight('/write', shop);
    expect([status, text]).toEqual([204, '']);
    expect(
      Object.fromEntries([...headers].filter(([name]) => /^access|vary|content-length/.test(name))),
    ).toEqual({
      'access-control-allow-origin': shop,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers':
        'content-type, content-encoding, authorization, m1-auth-token, x-crowdbeat-key, x-crowdbeat-property, x-request-id',
      'access-control-max-age': '600',
      vary: 'Origin',
    });
  });

  it('is refused to a stranger, and for a property whose list has not the origin', async () => {
    for (const [path, origin, expected] of [
      ['/write', stranger, 403],
      ['/write', 'null', 403],
      ['/write?property=demo/site', shop, 204],
      ['/write?property=acme/site', shop, 403],
      ['/write?property=nobody/site', shop, 403],
      [`/write?key=${key}`, shop, 204],
      [`/write?key=${key}`, stranger, 403],
      ['/nowhere', shop, 404],
    ] as const) {
      const { status, headers } = await preflight(path, origin);
      expect([path, origin, status]).toEqual([path, origin, expected]);
      if (status === 403) expect(headers.get('vary')).toBe('Origin');
      if (status !== 204) expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

describe('a login from a page', () => {
  it('is answered to a page on the list, and to no other', async () => {
    const form = { username: 'admin', password: 'correct horse battery' };
    const allowed = await at.ask('/auth', { headers: { origin: shop }, form });
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, shop]);
    for (const property of ['acme/site', 'demo/blog'])
      expect((await at.ask('/auth', { headers: { origin: shop }, property, form })).status).toBe(403);
    expect((await at.ask('/auth', { headers: { origin: stranger }, form })).status).toBe(403);
  });
});
