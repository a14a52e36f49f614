import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userTriesMax } from '../access/login.ts';
import { type AccessTest, eventBody, password, startClosed } from './access.testing.ts';

let at: AccessTest;
beforeAll(async () => {
  at = await startClosed(['demo', 'acme']);
});
afterAll(() => at.test.stop());

/** All tests come from one address; each begins with no tries counted. */
async function forgetTries(): Promise<void> {
  const { connection } = at.test.redis;
  const keys = (await connection.call('KEYS', ['crowdbeat::login_tries::*'])) as string[];
  if (keys.length > 0) await connection.call('DEL', keys);
}

describe('POST /auth', () => {
  it('gives a token as plain text, for a form and for JSON, which both headers carry', async () => {
    const form = await at.ask('/auth', { form: { username: 'admin', password } });
    expect(form.headers.get('content-type')).toBe('text/plain');
    expect(form.headers.get('cache-control')).toBe('no-store');
    const json = await at.ask('/auth', { body: JSON.stringify({ username: 'demo/admin', password }) });
    expect(form.text).not.toBe(json.text);
    for (const token of [form.text, json.text]) {
      expect((await at.ask('/totals', { token })).status).toBe(200);
      expect((await at.ask('/totals', { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    }
  });

  it('says the same of a wrong password, an unknown user and an unknown account', async () => {
    await forgetTries();
    const replies = [];
    for (const [username, secret] of [
      ['admin', 'wrong password'],
      ['nobody', password],
      ['nowhere/admin', password],
      ['acme/admin ', password],
      ['a/b/c', password],
      [`${'x'.repeat(10_000)}`, password],
      ['admin\n', password],
    ] as const)
      replies.push(await at.ask('/auth', { form: { username, password: secret } }));
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(replies[0]).toMatchObject({ status: 401, json: { code: 'bad_login' } });
    expect(replies[0]?.text).not.toContain('wrong password');
  });

  it('finds the user in the account that is named', async () => {
    await forgetTries();
    const token = (await at.ask('/auth', { form: { username: 'admin', password, account: 'acme' } })).text;
    expect((await at.ask('/property/list', { token })).json).toEqual(['site']);
    expect((await at.ask('/totals', { token, property: 'demo/site' })).status).toBe(404);
  });

  it('takes back a token when its time is over', async () => {
    const { text: token } = await at.ask('/auth', { form: { username: 'admin', password, ttl: '1000' } });
    expect((await at.ask('/totals', { token })).status).toBe(200);
    expect(await at.until(401, () => at.ask('/totals', { token }))).toMatchObject({
      json: { code: 'bad_token' },
    });
  });

  it('refuses a ttl that is none, and a request without a name or a password', async () => {
    for (const ttl of ['0', '-1', 'x', '1e9', '99999999999999'])
      expect(await at.ask('/auth', { form: { username: 'admin', password, ttl } })).toMatchObject({
        status: 400,
      });
    expect((await at.ask('/auth', { form: { username: 'admin' } })).status).toBe(400);
    expect((await at.ask('/auth', { form: { password } })).status).toBe(400);
    expect((await at.ask('/auth', { body: '{"password":"secret' })).text).not.toContain('secret');
    expect((await at.ask(`/auth?username=admin&password=${password}`)).status).toBe(405);
  });

  it('counts failed tries by user, lets nobody in after ten, and says when to come again', async () => {
    await forgetTries();
    const wrong = { username: 'acme/admin', password: 'not the password' };
    for (let i = 0; i < userTriesMax; i++) expect((await at.ask('/auth', { form: wrong })).status).toBe(401);
    const refused = await at.ask('/auth', { form: { ...wrong, password } });
    expect(refused).toMatchObject({ status: 429, json: { code: 'too_many_tries' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await at.ask('/auth', { form: { username: 'admin', password } })).status).toBe(200);
  }, 30_000);

  it('counts failed tries by address, whatever users they are for', async () => {
    await forgetTries();
    const { connection } = at.test.redis;
    expect((await at.ask('/auth', { form: { username: 'nobody', password } })).status).toBe(401);
    await connection.call('SET', ['crowdbeat::login_tries::ip%3A127.0.0.1', '50', 'KEEPTTL']);
    expect((await at.ask('/auth', { form: { username: 'admin', password } })).status).toBe(429);
    await forgetTries();
  });

  it('counts by the address that a trusted proxy names, and by nobody else’s word', async () => {
    const behind = await startClosed(['demo'], { enrichment: { trustProxy: 'loopback' } });
    const form = { username: 'nobody', password };
    for (const collector of [behind, at])
      await collector.ask('/auth', { headers: { 'x-forwarded-for': '2001:db8:1:2:3::4' }, form });
    const counted = async ({ test }: AccessTest) =>
      ((await test.redis.connection.call('KEYS', ['crowdbeat::login_tries::ip*'])) as string[]).join();
    expect(await counted(behind)).toBe('crowdbeat::login_tries::ip%3A2001%3Adb8%3A1%3A2');
    expect(await counted(at)).toBe('crowdbeat::login_tries::ip%3A127.0.0.1');
    await behind.test.stop();
  });

  it('does not count logins that succeed', async () => {
    await forgetTries();
    for (let i = 0; i <= userTriesMax; i++) await at.login('admin');
  }, 30_000);
});

describe('a token', () => {
  it.each([
    ['nothing', {}],
    ['an empty token', { 'm1-auth-token': '' }],
    ['rubbish', { 'm1-auth-token': 'rubbish' }],
    ['a token of nobody', { 'm1-auth-token': `${'a'.repeat(43)}.ZGVtbw` }],
    ['a token twice', { 'm1-auth-token': `${'a'.repeat(43)}.ZGVtbw, ${'a'.repeat(43)}.ZGVtbw` }],
    ['Basic', { authorization: 'Basic YWRtaW46YWRtaW4=' }],
    ['10 KB', { 'm1-auth-token': 'a'.repeat(10_000) }],
  ])('is needed: %s is a 401, for reading and for writing', async (_what, headers) => {
    const type = { 'content-type': 'application/json' };
    for (const reply of [
      await at.ask('/totals', { headers }),
      await at.ask('/write', { headers: { ...headers, ...type }, body: eventBody() }),
    ]) {
      expect(reply.status).toBe(401);
      expect(reply.headers.get('www-authenticate')).toBe('Bearer');
      expect(reply.json).toMatchObject({
        status: 401,
        code: expect.any(String),
        message: expect.any(String),
      });
    }
  });

  it('is one: two different ones are refused', async () => {
    const [one, other] = [await at.login('admin'), await at.login('acme/admin')];
    const headers = { authorization: `Bearer ${other}` };
    expect((await at.ask('/totals', { token: one, headers })).status).toBe(400);
  });

  it('of another account’s name is worth nothing', async () => {
    const token = await at.login('admin');
    const forged = `${token.split('.')[0]}.${Buffer.from('acme').toString('base64url')}`;
    expect((await at.ask('/totals', { token: forged })).status).toBe(401);
  });

  it('is not needed for /ping, /health and /metrics, and for nothing else', async () => {
    for (const path of ['/ping', '/health', '/metrics']) expect((await at.ask(path)).status).toBe(200);
    const told = [
      '/totals',
      '/count',
      '/user/list',
      '/user/get',
      '/system',
      '/system/geo',
      '/system/cors/list',
    ];
    told.push('/property/list', '/property/key/list', '/schema', '/store/list', '/user-record', '/track/it');
    told.push('/session/list', '/session/query', '/session/count');
    for (const path of told) expect([path, (await at.ask(path)).status]).toEqual([path, 401]);
    const done = [
      '/write',
      '/user/add',
      '/user/update',
      '/user/remove',
      '/user/password',
      '/system',
      '/system/geo',
    ];
    done.push(
      '/system/cors/add',
      '/system/cors/remove',
      '/property/add',
      '/property/remove',
      '/property/key',
    );
    done.push(
      '/property/key/rotate',
      '/property/key/remove',
      '/schema/add',
      '/session/update',
      '/session/add',
    );
    done.push('/session/query', '/session/expired', '/visitors/query');
    for (const path of done) expect([path, (await at.ask(path, { form: {} })).status]).toEqual([path, 401]);
  });

  it('is nowhere in Redis or in the log, and neither is the password', async () => {
    const token = await at.login('admin');
    const { connection } = at.test.redis;
    const keys = (await connection.call('KEYS', ['*'])) as string[];
    const dumps = await Promise.all(keys.map((key) => connection.callBuffer('DUMP', [key])));
    const all = Buffer.concat([...(dumps as Buffer[]), Buffer.from(keys.join() + at.test.logged.join())]);
    expect(all.includes('{"*":["admin"]}')).toBe(true);
    for (const secret of [token, token.split('.')[0] ?? '', password])
      expect(all.includes(secret)).toBe(false);
  });
});
