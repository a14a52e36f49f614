/** Who may track, ask for users and declare fields on a closed collector; the forbidden things are tried. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AccessTest, startClosed } from './access.testing.ts';

let at: AccessTest;
let admin: string;
let reader: string;
let schemer: string;
let key: string;
beforeAll(async () => {
  at = await startClosed(['demo', 'other']);
  admin = await at.login('demo/admin');
  reader = await at.user(admin, 'demo', 'reader', ['get']);
  schemer = await at.user(admin, 'demo', 'schemer', ['schema']);
  const reply = await at.ask('/property/key', { token: admin, form: { property: 'demo/site' } });
  key = (reply.json as { key: string }).key;
});
afterAll(() => at.test.stop());

const pixel = '/track/it?event.type=login&visitor.id=v&user.id=u';
const fields = { properties: '[{"name":"a","type":"string"}]' };

describe('on a closed collector', () => {
  it('a pixel needs a publish key or a right, and is stored where that one may write', async () => {
    expect((await at.ask(pixel)).status).toBe(401);
    expect((await at.ask(`${pixel}&key=pk_nonsense`)).status).toBe(401);
    expect((await at.ask(pixel, { token: reader })).status).toBe(403);
    expect(await at.documents(admin, 'demo/site')).toBe(0);
    const reply = await at.ask(`${pixel}&key=${key}`);
    expect([reply.status, reply.headers.get('x-crowdbeat-rejected')]).toEqual([200, null]);
    expect(await at.documents(admin, 'demo/site')).toBe(1);
    expect((await at.ask(`${pixel}&key=${key}&config_account=demo`)).status).toBe(200);
    expect(await at.documents(admin, 'demo/site')).toBe(2);
  });

  it('a pixel reaches no other account, neither by property= nor by config_account=', async () => {
    const strange = ['property=other/site', 'config_account=other', 'config_account=other%2Fsite'];
    for (const member of strange)
      for (const shown of [`&key=${key}`, ''])
        expect((await at.ask(`${pixel}&${member}${shown}`)).status, member).toBeGreaterThanOrEqual(400);
    for (const member of strange)
      expect((await at.ask(`${pixel}&${member}`, { token: admin })).status, member).toBeGreaterThanOrEqual(
        400,
      );
    const otherAdmin = await at.login('other/admin');
    expect(await at.documents(otherAdmin, 'other/site')).toBe(0);
    expect((await at.ask('/user-record?id=u', { token: otherAdmin })).status).toBe(404);
  });

  it('a publish key learns nothing', async () => {
    for (const path of ['/user-record?id=u', '/user-record?visitor=v', '/schema', '/store/list'])
      for (const asked of [{ key }, {}]) expect((await at.ask(path, asked)).status, path).toBe(401);
    expect((await at.ask('/schema/add', { key, form: fields })).status).toBe(401);
  });

  it('users and schema are read with the right get, and declared with the right schema', async () => {
    expect((await at.ask('/user-record?id=u', { token: reader })).json).toMatchObject({ id: 'u' });
    expect((await at.ask('/user-record?id=u', { token: schemer })).status).toBe(403);
    expect((await at.ask('/schema', { token: reader })).status).toBe(200);
    expect((await at.ask('/schema/add', { token: reader, form: fields })).status).toBe(403);
    expect((await at.ask('/schema/add', { token: schemer, form: fields })).status).toBe(200);
    const other = '/schema/add?property=other/site';
    expect((await at.ask(other, { token: schemer, form: fields })).status).toBeGreaterThanOrEqual(400);
    const otherAdmin = await at.login('other/admin');
    const shown = (await at.ask('/schema', { token: otherAdmin })).json as { name: string }[];
    expect(shown.map(({ name }) => name)).not.toContain('a');
  });
});
