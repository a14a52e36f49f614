import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AccessTest, eventBody, startClosed } from './access.testing.ts';
import { RawClient, writeRequest } from './http-client.testing.ts';

let at: AccessTest;
let admin: string;
beforeAll(async () => {
  at = await startClosed(['demo', 'other']);
  admin = await at.login('admin');
});
afterAll(() => at.test.stop());

const post = (path: string, form: Record<string, string>, property?: string) =>
  at.ask(path, { token: admin, form, ...(property === undefined ? {} : { property }) });
const write = (property: string) => at.ask('/write', { token: admin, property, body: eventBody() });
const newKey = async (property?: string): Promise<{ key: string; hint: string }> =>
  (await post('/property/key', {}, property)).json as { key: string; hint: string };

describe('properties', () => {
  it('must be there before anything is written to them', async () => {
    expect(await write('demo/new')).toMatchObject({ status: 404, json: { code: 'unknown_property' } });
    expect((await post('/property/add', { name: 'new' })).status).toBe(204);
    expect((await write('demo/new')).status).toBe(200);
    expect((await post('/property/add', { name: 'new' })).status).toBe(409);
    expect((await at.ask('/property/list', { token: admin })).json).toEqual(['new', 'site']);
  });

  it('go with their data, keys and origins, and begin anew', async () => {
    await post('/property/add', { name: 'gone' });
    await write('demo/gone');
    const { key } = await newKey('demo/gone');
    await post('/system/cors/add', { domains: 'gone.example' }, 'demo/gone');
    expect((await post('/property/remove', { name: 'gone' })).status).toBe(204);
    expect((await write('demo/gone')).status).toBe(404);
    expect((await at.ask('/write', { key, body: eventBody() })).status).toBe(401);
    const { connection } = at.test.redis;
    expect(await connection.call('KEYS', ['*gone*'])).toEqual([]);
    expect((await post('/property/remove', { name: 'gone' })).status).toBe(404);
    await post('/property/add', { name: 'gone' });
    expect(await at.documents(admin, 'demo/gone')).toBe(0);
    expect((await at.ask('/property/key/list', { token: admin, property: 'demo/gone' })).json).toEqual([]);
    expect((await at.ask('/write', { key, body: eventBody() })).status).toBe(401);
  });

  it('need a name in the request where the account has several and none is "site"', async () => {
    const token = await at.login('other/admin');
    const totals = () => at.ask('/totals', { token });
    expect((await totals()).status).toBe(200);
    await at.ask('/property/add', { token, form: { name: 'one' } });
    await at.ask('/property/remove', { token, form: { name: 'site' } });
    expect((await totals()).status).toBe(200);
    await at.ask('/property/add', { token, form: { name: 'two' } });
    expect(await totals()).toMatchObject({ status: 404, json: { code: 'unknown_property' } });
    expect((await at.ask('/user/list', { token })).status).toBe(200);
  });
});

describe('a publish key', () => {
  it('writes to its property, by header and by URL, and does nothing else', async () => {
    const { key } = await newKey();
    expect(key).toMatch(/^pk_/);
    const before = await at.documents(admin, 'demo/site');
    expect((await at.ask('/write', { key, body: eventBody() })).status).toBe(200);
    expect((await at.ask(`/write?key=${key}`, { body: eventBody() })).status).toBe(200);
    expect((await at.ask(`/write?key=${key}&property=demo/site`, { body: eventBody() })).status).toBe(200);
    expect(await at.documents(admin, 'demo/site')).toBe(before + 3);
    for (const path of [
      '/totals',
      '/count',
      '/user/list',
      '/system',
      '/property/key/list',
      '/system/cors/list',
    ]) {
      expect((await at.ask(path, { key })).status).toBe(401);
      expect((await at.ask(path, { token: key })).status).toBe(401);
      expect((await at.ask(`${path}?key=${key}`)).status).toBe(401);
    }
    for (const path of [
      '/user/add',
      '/user/password',
      '/system',
      '/property/add',
      '/property/key',
      '/system/cors/add',
    ])
      expect((await at.ask(path, { key, form: {} })).status).toBe(401);
    for (const other of ['demo/new', 'other/one'])
      expect((await at.ask('/write', { key, property: other, body: eventBody() })).status).toBe(
        other === 'demo/new' ? 403 : 404,
      );
    expect((await at.ask('/write', { key: admin, body: eventBody() })).status).toBe(401);
  });

  it('writes to its property on a bare socket too, when that is not the account’s first', async () => {
    const { key } = await newKey('demo/new');
    const before = await at.documents(admin, 'demo/new');
    const raw = new RawClient(at.test.collector.port);
    for (let i = 0; i < 3; i++) {
      raw.send(writeRequest(eventBody(), `content-type: application/json\r\nx-crowdbeat-key: ${key}`));
      expect((await raw.reply()).status).toBe(200);
    }
    raw.send(writeRequest(eventBody(), 'content-type: application/json'));
    expect((await raw.reply()).status).toBe(401);
    raw.close();
    expect(await at.documents(admin, 'demo/new')).toBe(before + 3);
  });

  it('is shown once; the list has only its beginning', async () => {
    const { key, hint } = await newKey();
    const list = await at.ask('/property/key/list', { token: admin });
    expect(list.json).toContainEqual({ hint, createdMs: expect.any(Number) });
    expect(list.text).not.toContain(key);
    expect(key.startsWith(hint)).toBe(true);
  });

  it('is worth nothing when it was removed, or when another took its place', async () => {
    const [one, two] = [await newKey(), await newKey()];
    const ask = (key: string) => () => at.ask('/write', { key, body: eventBody() });
    for (const { key } of [one, two]) expect((await ask(key)()).status).toBe(200);
    expect((await post('/property/key/remove', { hint: one.hint })).status).toBe(204);
    await at.until(401, ask(one.key));
    expect((await ask(two.key)()).status).toBe(200);
    const rotated = (await post('/property/key/rotate', {})).json as { key: string };
    await at.until(401, ask(two.key));
    expect((await ask(rotated.key)()).status).toBe(200);
    expect((await at.ask('/property/key/list', { token: admin })).json).toHaveLength(1);
    expect((await post('/property/key/remove', { hint: 'pk_unknown' })).status).toBe(404);
  });

  it('does not reach a log or an error, also when it stands in the URL', async () => {
    const { key } = await newKey();
    const reply = await at.ask(`/write?key=${key}&nonsense=1`, { body: eventBody() });
    expect(reply.status).toBe(400);
    expect(reply.text + at.test.logged.join()).not.toContain(key);
  });
});
