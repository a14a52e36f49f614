import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AccessTest, eventBody, password, startClosed } from './access.testing.ts';

let at: AccessTest;
let admin: string;
beforeAll(async () => {
  at = await startClosed(['demo', 'solo']);
  admin = await at.login('admin');
});
afterAll(() => at.test.stop());

const post = (path: string, form: Record<string, string>, token = admin) => at.ask(path, { token, form });

describe('users', () => {
  it('are added, shown, changed and removed, and no password is ever shown', async () => {
    const rights = '["publish","sessionSearch"]';
    const added = await post('/user/add', { username: 'instrument', password, rights });
    expect(added).toMatchObject({ status: 204, text: '' });
    const shown = { username: 'instrument', rights: ['publish', 'sessionQuery'] };
    expect((await at.ask('/user/get?username=instrument', { token: admin })).json).toEqual(shown);
    const list = await post('/user/list', {});
    expect(list.json).toContainEqual(shown);
    expect(list.text).not.toMatch(/password|scrypt/);
    expect((await post('/user/update', { username: 'instrument', rights: '{"site":["get"]}' })).status).toBe(
      204,
    );
    expect((await at.ask('/user/get?username=instrument', { token: admin })).json).toEqual({
      username: 'instrument',
      rights: { site: ['get'] },
    });
    expect((await post('/user/remove', { username: 'instrument' })).status).toBe(204);
    expect((await post('/user/get', { username: 'instrument' })).status).toBe(404);
  });

  it('are added by the line of the document', async () => {
    const body = `username=doc&password=ChangeMeNow!&rights=["publish"]`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await at.ask('/user/add', { token: admin, body, headers })).status).toBe(204);
    expect(await at.login('doc', 'ChangeMeNow!')).toMatch(/^[\w-]{43}\./);
  });

  it.each([
    ['no name', { password, rights: '[]' }],
    ['a name with a slash', { username: 'a/b', password, rights: '[]' }],
    ['a name with a line break', { username: 'a\nb', password, rights: '[]' }],
    ['a name of 10 KB', { username: 'a'.repeat(10_000), password, rights: '[]' }],
    ['no password', { username: 'u', rights: '[]' }],
    ['a short password', { username: 'u', password: '1234567', rights: '[]' }],
    ['a password of 2 KB', { username: 'u', password: 'p'.repeat(2000), rights: '[]' }],
    ['no rights', { username: 'u', password }],
    ['rights that are no JSON', { username: 'u', password, rights: 'publish' }],
    ['rights that are a number', { username: 'u', password, rights: '1' }],
    ['a right with a space', { username: 'u', password, rights: '["a b"]' }],
    ['an unknown field', { username: 'u', password, rights: '[]', role: 'x' }],
  ] as const)('are not added with %s', async (_what, form) => {
    const reply = await post('/user/add', form as unknown as Record<string, string>);
    expect(reply.status).toBe(400);
    expect(reply.text).not.toContain('1234567');
    expect((await post('/user/get', { username: 'u' })).status).toBe(404);
  });

  it('are not added twice, and unknown ones are neither changed nor removed', async () => {
    expect((await post('/user/add', { username: 'admin', password, rights: '[]' })).status).toBe(409);
    expect((await post('/user/update', { username: 'x', rights: '[]' })).status).toBe(404);
    expect((await post('/user/remove', { username: 'x' })).status).toBe(404);
    expect((await post('/user/password', { username: 'x', password })).status).toBe(404);
    expect(await at.login('admin')).not.toBe('');
  });

  it('always leave one admin of the whole account, also when two are removed at once', async () => {
    const token = await at.login('solo/admin');
    for (const rights of ['[]', '["get"]', '{"site":["admin"]}'])
      expect((await post('/user/update', { username: 'admin', rights }, token)).status).toBe(409);
    expect(await post('/user/remove', { username: 'admin' }, token)).toMatchObject({
      status: 409,
      json: { code: 'last_admin' },
    });
    await at.user(token, 'solo', 'second', ['admin']);
    const both = await Promise.all(
      ['admin', 'second'].map((username) => post('/user/remove', { username }, token)),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([204, 409]);
  });

  it('that are removed, or have another password, are refused with the tokens that they have', async () => {
    const removed = await at.user(admin, 'demo', 'removed', ['get']);
    const changed = await at.user(admin, 'demo', 'changed', ['get']);
    for (const token of [removed, changed]) expect((await at.ask('/totals', { token })).status).toBe(200);
    await post('/user/remove', { username: 'removed' });
    await post('/user/password', { username: 'changed', password: 'another password' });
    for (const token of [removed, changed]) await at.until(401, () => at.ask('/totals', { token }));
    expect((await at.ask('/auth', { form: { username: 'changed', password } })).status).toBe(401);
    expect(await at.login('changed', 'another password')).not.toBe('');
    // One of the same name is another user.
    await post('/user/add', { username: 'removed', password, rights: '["get"]' });
    expect((await at.ask('/totals', { token: removed })).status).toBe(401);
  });

  it('change their own password and nobody else’s, unless they are admins', async () => {
    const token = await at.user(admin, 'demo', 'plain', ['get']);
    const fresh = 'my new password';
    expect((await post('/user/password', { username: 'admin', password: fresh }, token)).status).toBe(403);
    expect((await post('/user/password', { password: 'short' }, token)).status).toBe(400);
    expect((await post('/user/password', { password: fresh }, token)).status).toBe(204);
    expect(await at.login('plain', fresh)).not.toBe('');
    expect(await at.login('admin')).not.toBe('');
  });

  it('lose a right two seconds after it was taken away at the latest, and get it back', async () => {
    const token = await at.user(admin, 'demo', 'writer', ['publish']);
    const headers = { 'content-type': 'application/json' };
    const write = () => at.ask('/write', { token, body: eventBody(), headers });
    expect((await write()).status).toBe(200);
    await post('/user/update', { username: 'writer', rights: '["get"]' });
    const refused = await at.until(403, write);
    expect(refused.json).toEqual({
      status: 403,
      code: 'no_right',
      message: 'User writer does not have requested right in set publish',
    });
    await post('/user/update', { username: 'writer', rights: '["publish"]' });
    await at.until(200, write);
  });
});

describe('rights', () => {
  /** Something that each right opens. */
  const doors: readonly [right: string, ask: (token: string) => Promise<{ status: number }>][] = [
    ['get', (token) => at.ask('/totals', { token })],
    ['get', (token) => at.ask('/count?event=view&bucket=2026', { token })],
    ['publish', (token) => at.ask('/write', { token, body: eventBody() })],
    ['publish', (token) => at.ask('/write', { token, form: { items: eventBody() } })],
    ['admin', (token) => at.ask('/user/list', { token })],
    ['admin', (token) => post('/user/add', { username: '', password: '', rights: '' }, token)],
    ['admin', (token) => post('/user/update', { username: 'x', rights: '[]' }, token)],
    ['admin', (token) => post('/user/remove', { username: 'x' }, token)],
    ['admin', (token) => at.ask('/user/get', { token })],
    ['admin', (token) => at.ask('/system', { token })],
    ['admin', (token) => at.ask('/system/geo', { token })],
    ['admin', (token) => post('/system', { geo: 'x' }, token)],
    ['admin', (token) => post('/system/geo', { value: 'x' }, token)],
    ['admin', (token) => post('/system/cors/add', { domains: '*' }, token)],
    ['admin', (token) => post('/system/cors/remove', { domains: '*' }, token)],
    ['admin', (token) => at.ask('/system/cors/list', { token })],
    ['admin', (token) => post('/property/add', { name: '*' }, token)],
    ['admin', (token) => post('/property/remove', { name: '*' }, token)],
    ['admin', (token) => at.ask('/property/list', { token })],
    ['admin', (token) => post('/property/key/remove', { hint: 'x' }, token)],
    ['admin', (token) => at.ask('/property/key/list', { token })],
  ];

  it.each(['admin', 'schema', 'get', 'publish', 'sessionUpdate', 'sessionQuery', 'custom'])(
    'open what they name and nothing else: %s',
    async (right) => {
      const token = await at.user(admin, 'demo', `only-${right}`, [right]);
      for (const [needed, ask] of doors) {
        const { status } = await ask(token);
        if (right === needed || right === 'admin') expect([needed, status]).not.toEqual([needed, 403]);
        else expect([needed, status]).toEqual([needed, 403]);
      }
    },
  );

  it('hold for one property if they are given for one, and never for the account then', async () => {
    await post('/property/add', { name: 'blog' });
    const token = await at.user(admin, 'demo', 'blogger', { blog: ['admin'], '*': ['get'] });
    const write = (property: string) => at.ask('/write', { token, property, body: eventBody() });
    expect((await write('demo/blog')).status).toBe(200);
    expect((await write('demo/site')).status).toBe(403);
    expect((await at.ask('/totals', { token, property: 'demo/site' })).status).toBe(200);
    expect((await at.ask('/system/cors/list', { token, property: 'demo/blog' })).status).toBe(200);
    expect((await at.ask('/system/cors/list', { token, property: 'demo/site' })).status).toBe(403);
    for (const path of ['/user/list', '/system', '/property/list'])
      expect((await at.ask(path, { token, property: 'demo/blog' })).status).toBe(403);
  });

  it('can’t be widened by a property that only the body names', async () => {
    const token = await at.user(admin, 'demo', 'narrow', { site: ['publish'] });
    const items = eventBody('narrow');
    const named = await at.ask('/write', { token, form: { items, property: 'demo/blog' } });
    expect(named.status).toBe(403);
    expect((await at.ask('/write', { token, form: { items, property: 'demo/site' } })).status).toBe(200);
    expect((await at.ask('/write?pr%6Fperty=demo/blog', { token, body: items })).status).toBe(403);
    const twice = await at.ask('/write?property=demo/site&property=demo/blog', { token, body: items });
    expect(twice.status).toBe(400);
  });
});
