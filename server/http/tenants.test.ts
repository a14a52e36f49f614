import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFirstAdmin } from '../access/first-admin.ts';
import { systemClock } from '../base/clock.ts';
import { AccountStore } from '../store/accounts-state.ts';
import { type AccessTest, eventBody, password, startClosed } from './access.testing.ts';

const awkward = [
  'a:b',
  'a::b',
  'a',
  '{a}',
  'a}',
  '*',
  '?',
  '[a]',
  'a%3Ab',
  '..',
  'größe',
  'x'.repeat(128),
  ' a ',
  '__proto__',
];

let at: AccessTest;
const tokens = new Map<string, string>();
beforeAll(async () => {
  at = await startClosed(awkward);
  for (const account of awkward) {
    const form = { account, username: 'admin', password };
    tokens.set(account, (await at.ask('/auth', { form })).text);
  }
}, 60_000);
afterAll(() => at.test.stop());

const tokenOf = (account: string): string => tokens.get(account) ?? '';
/** Names stand in the URL, since a header is trimmed. */
const param = (name: string): string => `property=${encodeURIComponent(name)}`;

describe('accounts with awkward names', () => {
  it('write to their own property and read only that', async () => {
    for (const [i, account] of awkward.entries()) {
      const items = JSON.stringify(
        Array.from({ length: i + 1 }, (_none, n) => JSON.parse(eventBody(`v${n}`))),
      );
      expect((await at.ask('/write', { token: tokenOf(account), body: items })).json).toMatchObject({
        accepted: i + 1,
      });
    }
    for (const [i, account] of awkward.entries()) {
      const own = await at.ask(`/totals?${param(`${account}/site`)}`, { token: tokenOf(account) });
      expect([account, own.json]).toEqual([account, expect.objectContaining({ documents: i + 1 })]);
    }
  });

  it('learn nothing of each other: what is another’s and what is nobody’s look alike', async () => {
    for (const account of awkward) {
      const token = tokenOf(account);
      for (const other of [...awkward.filter((name) => name !== account), 'nobody’s']) {
        const query = param(`${other}/site`);
        const body = eventBody();
        for (const reply of [
          await at.ask(`/totals?${query}`, { token }),
          await at.ask(`/write?${query}`, { token, body }),
          await at.ask('/write', { token, form: { items: body, property: `${other}/site` } }),
          await at.ask(`/system/cors/list?${query}`, { token }),
          await at.ask(`/property/key?${query}`, { token, form: {} }),
        ]) {
          expect(reply.status).toBe(404);
          expect(reply.json).toEqual({
            status: 404,
            code: 'unknown_property',
            message: `there is no property "${other}/site" that this token reaches`,
          });
        }
      }
    }
    for (const [i, account] of awkward.entries())
      expect(await at.documents(tokenOf(account), `${account}/site`)).toBe(i + 1);
  }, 60_000);

  it('see only their own users, keys, origins and parameters', async () => {
    for (const [i, account] of awkward.entries()) {
      const token = tokenOf(account);
      const form = { username: `user ${i}`, password, rights: '["get"]' };
      expect((await at.ask('/user/add', { token, form })).status).toBe(204);
      await at.ask('/system/cors/add', { token, form: { domains: `host${i}.example` } });
      await at.ask('/system', { token, form: { 'token-expire-ms': String(60_000 + i) } });
      await at.ask('/property/add', { token, form: { name: `p${i}` } });
      await at.ask('/property/key', { token, form: {} });
    }
    for (const [i, account] of awkward.entries()) {
      const token = tokenOf(account);
      const users = (await at.ask('/user/list', { token })).json as { username: string }[];
      expect(users.map(({ username }) => username)).toEqual(['admin', `user ${i}`]);
      expect((await at.ask('/system/cors/list', { token })).json).toEqual([`host${i}.example`]);
      expect((await at.ask('/system/token-expire-ms', { token })).json).toBe(60_000 + i);
      expect((await at.ask('/property/list', { token })).json).toEqual([`p${i}`, 'site'].sort());
      expect((await at.ask('/property/key/list', { token })).json).toHaveLength(1);
    }
  }, 60_000);

  it('have publish keys that open one property of theirs, whatever is written behind the point', async () => {
    const made = await at.ask('/property/key', { token: tokenOf('a'), form: {} });
    const { key } = made.json as { key: string };
    const secret = key.split('.')[0];
    for (const other of ['a:b/site', '{a}/site', 'a/p2', 'a/', '/site', 'a/site/', '*/site']) {
      const forged = `${secret}.${Buffer.from(other).toString('base64url')}`;
      expect((await at.ask('/write', { key: forged, body: eventBody() })).status).toBe(401);
      expect((await at.ask(`/write?${param(other)}`, { key, body: eventBody() })).status).not.toBe(200);
    }
    expect((await at.ask('/write', { key, body: eventBody() })).status).toBe(200);
  });

  it('go whole: what is left is what the others have', async () => {
    const { connection } = at.test.redis;
    const before = (await connection.call('KEYS', ['*'])) as string[];
    const gone = 'account to go';
    await makeFirstAdmin(connection, systemClock, { account: gone, username: 'admin', password });
    const token = await at.login(`${gone}/admin`);
    await at.ask('/system/cors/add', { token, form: { domains: '*.gone.example' } });
    await at.ask('/property/key', { token, form: {} });
    await at.ask('/system', { token, form: { geo: 'off' } });
    await new AccountStore(connection).deleteAccount(gone);
    const after = (await connection.call('KEYS', ['*'])) as string[];
    const tries = /login_tries/;
    expect(after.filter((key) => !tries.test(key)).sort()).toEqual(
      before.filter((key) => !tries.test(key)).sort(),
    );
    expect(await connection.call('SISMEMBER', ['crowdbeat::accounts', gone])).toBe(0);
    await at.until(401, () => at.ask('/property/list', { token }));
  });

  it('can’t be made with names that nobody could tell apart or write', async () => {
    const { connection } = at.test.redis;
    for (const account of ['', 'a/b', 'a\nb', 'a\0', 'x'.repeat(129), 'x'.repeat(10_240), '\ud800'])
      await expect(
        makeFirstAdmin(connection, systemClock, { account, username: 'admin', password }),
      ).rejects.toMatchObject({ code: 'CB_OPTION' });
    for (const name of ['', 'a/b', 'a\nb', '*', 'x'.repeat(10_240)])
      expect((await at.ask('/property/add', { token: tokenOf('a'), form: { name } })).status).toBe(400);
  });
});
