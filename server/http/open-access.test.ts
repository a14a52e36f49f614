import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestCollector } from '../main/collector.testing.ts';
import { AccessTest, eventBody, password } from './access.testing.ts';
import { RawClient } from './http-client.testing.ts';

let at: AccessTest;
beforeAll(async () => {
  at = new AccessTest(await startTestCollector({ access: 'open', passwordCost: { logN: 4, r: 8, p: 1 } }));
});
afterAll(() => at.test.stop());

it('an open collector asks for no token, and properties come to be when they are written', async () => {
  expect((await at.ask('/write', { property: 'any/thing', body: eventBody() })).status).toBe(200);
  expect((await at.ask('/totals?property=any/thing')).json).toMatchObject({ documents: 1 });
  expect((await at.ask('/user/add', { form: { username: 'u', password, rights: '["get"]' } })).status).toBe(
    204,
  );
  expect((await at.ask('/user/list')).json).toEqual([{ username: 'u', rights: ['get'] }]);
  expect((await at.ask('/totals', { token: 'whatever' })).status).toBe(200);
});

const verbs = ['/user/list', '/system', '/property/list', '/system/cors/list', '/property/key/list'];

it.each([
  ['a page of another site', { origin: 'http://stranger.example' }],
  ['a page of another port', { origin: 'http://127.0.0.1:1' }],
  ['a page without an origin', { origin: 'null' }],
  ['a page that only loads a picture', { 'sec-fetch-site': 'cross-site' }],
  ['another page of the same site', { 'sec-fetch-site': 'same-site' }],
])('it keeps admin verbs from %s', async (_who, headers) => {
  for (const path of verbs) expect((await at.ask(path, { headers })).status).toBe(403);
  for (const path of ['/user/add', '/user/remove', '/user/password', '/property/remove', '/system/geo'])
    expect((await at.ask(path, { headers, form: {} })).status).toBe(403);
});

it.each([
  ['rebound.example:7070', 403],
  ['127.0.0.1.rebound.example', 403],
  ['localhost.rebound.example', 403],
  ['127.0.0.1:7070', 200],
  ['localhost:7070', 200],
  ['[::1]:7070', 200],
] as const)('it takes admin verbs by its address only: Host %s is a %d', async (host, status) => {
  for (const origin of ['', `origin: http://${host}\r\n`]) {
    const raw = new RawClient(at.test.collector.port);
    raw.send(`GET /user/list HTTP/1.1\r\nhost: ${host}\r\n${origin}\r\n`);
    expect((await raw.reply()).status).toBe(status);
    raw.close();
  }
});

it('it stores nothing from a page that is on no list, and answers no preflight of it', async () => {
  const headers = { origin: 'http://stranger.example', 'content-type': 'text/plain' };
  const property = 'demo/pages';
  expect((await at.ask('/write', { property, headers, body: eventBody() })).status).toBe(403);
  const asForm = { items: eventBody(), property };
  expect((await at.ask('/write', { headers: { origin: headers.origin }, form: asForm })).status).toBe(403);
  expect((await fetch(`${at.url}/write`, { method: 'OPTIONS', headers })).status).toBe(403);
  expect((await at.ask(`/totals?property=${property}`)).json).toMatchObject({ documents: 0 });
  const domains = 'stranger.example';
  expect((await at.ask('/system/cors/add', { property, form: { domains } })).status).toBe(204);
  expect((await at.until(200, () => at.ask('/write', { property, headers, body: eventBody() }))).status).toBe(
    200,
  );
  expect((await at.ask('/write', { property: 'demo/site', headers, body: eventBody() })).status).toBe(403);
});
