import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AccessTest, password, startClosed } from './access.testing.ts';

let at: AccessTest;
let admin: string;
beforeAll(async () => {
  at = await startClosed();
  admin = await at.login('admin');
});
afterAll(() => at.test.stop());

const post = (path: string, form: Record<string, string>) => at.ask(path, { token: admin, form });
const get = async (path: string) => (await at.ask(path, { token: admin })).json;

it('parameters have initial values, and the ones that were set', async () => {
  expect(await get('/system')).toMatchObject({
    cors: [],
    'token-expire-ms': 86_400_000,
    'password-min-length': 8,
    geo: 'on',
    'retention-minute': null,
  });
  expect((await post('/system/geo', { value: 'false' })).status).toBe(204);
  expect((await post('/system', { 'retention-minute': '2d', 'retention-year': 'forever' })).status).toBe(204);
  expect(await get('/system/geo')).toBe('off');
  expect(await get('/system')).toMatchObject({
    geo: 'off',
    'retention-minute': 172_800_000,
    'retention-year': 'forever',
  });
});

it.each([
  ['/system/token-expire-ms', { value: '0' }, 'token-expire-ms: needs a whole number from 1000'],
  ['/system/token-expire-ms', {}, 'token-expire-ms: needs'],
  ['/system/password-min-length', { value: '8.5' }, 'password-min-length: needs'],
  ['/system/geo', { value: 'maybe' }, 'geo: needs on or off, got "maybe"'],
  ['/system/retention-day', { value: '5' }, 'retention-day: needs a duration'],
  ['/system/publish-permissive', { value: 'true' }, 'publish-permissive: every event is checked one by one'],
  ['/system', { constructor: '1' }, 'unknown parameter "constructor"'],
  ['/system', { geo: 'on', 'retention-day': 'x' }, 'retention-day: needs'],
] as const)('%s with %j is refused and changes nothing', async (path, form, message) => {
  const before = await get('/system');
  const reply = await post(path, form as unknown as Record<string, string>);
  expect(reply.status).toBe(400);
  expect(reply.text).toContain(JSON.stringify(message).slice(1, -1));
  expect(await get('/system')).toEqual(before);
});

it('a parameter that nobody knows has no path', async () => {
  expect((await at.ask('/system/nonsense', { token: admin })).status).toBe(404);
});

it('the length of passwords and the life of tokens follow the parameters', async () => {
  await post('/system/password-min-length', { value: '20' });
  const add = (secret: string) => post('/user/add', { username: secret, password: secret, rights: '[]' });
  expect((await add('x'.repeat(19))).status).toBe(400);
  expect((await add('x'.repeat(20))).status).toBe(204);
  await post('/system/token-expire-ms', { value: '1000' });
  const { text: token } = await at.ask('/auth', { form: { username: 'admin', password } });
  await at.until(401, () => at.ask('/system', { token }));
  expect((await at.ask('/system', { token: admin })).status).toBe(200);
});
