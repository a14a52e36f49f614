import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AccessTest, password, startClosed } from '../http/access.testing.ts';
import { flushTargetOf } from '../sessions/flush-client.ts';
import { readFlushConfig } from '../sessions/flush-config.ts';
import { flush } from '../sessions/flusher.ts';

let closed: AccessTest;
let admin: string;
let other: string;

beforeAll(async () => {
  closed = await startClosed(['demo', 'acme']);
  admin = await closed.login('demo/admin');
  other = await closed.login('acme/admin');
});
afterAll(() => closed.test.stop());

const upsert = JSON.stringify([{ upsert: [{ session: { id: 'a' }, visitor: { id: 'v' } }] }]);

/** Every request, with the right that it needs. */
const requests: readonly [path: string, form: Record<string, string>, right: string][] = [
  ['/session/update', { store: 'stash', ops: upsert }, 'sessionUpdate'],
  ['/session/expired', { store: 'stash', silentMs: '86400000' }, 'sessionUpdate'],
  ['/session/query', { store: 'stash' }, 'sessionQuery'],
  ['/session/count', { store: 'stash' }, 'sessionQuery'],
  ['/session/list', {}, 'sessionQuery'],
  ['/session/add', { name: 'another' }, 'admin'],
];

test('without a token nothing is told or changed; with one, each right opens its own requests', async () => {
  const tokens: Record<string, string> = {};
  for (const right of ['sessionUpdate', 'sessionQuery', 'publish', 'get'])
    tokens[right] = await closed.user(admin, 'demo', right, [right]);
  for (const [path, form, needed] of requests) {
    expect([path, (await closed.ask(path, { form })).status]).toEqual([path, 401]);
    expect([path, (await closed.ask(path, { form, token: 'nonsense' })).status]).toEqual([path, 401]);
    for (const [right, token] of Object.entries(tokens)) {
      const { status } = await closed.ask(path, { form, token });
      expect([path, right, status < 300]).toEqual([path, right, right === needed]);
      if (right !== needed) expect(status).toBe(403);
    }
  }
});

test('the direct path asks for the same', async () => {
  const body = `{"store":"stash","ops":${upsert}}`;
  const headers = { 'content-type': 'application/json' };
  const { status } = await closed.ask('/session/update', { body, headers });
  expect(status).toBe(401);
  expect((await closed.ask('/session/update', { body, headers, token: admin })).status).toBe(204);
});

test('another account reaches no session, whatever it names', async () => {
  for (const [path, form] of requests) {
    for (const property of ['demo/site', 'demo/site}::x', 'demo/*']) {
      const reply = await closed.ask(path, { form, token: other, property });
      // Not even whether there is such a property, or such a store in it.
      const { code } = reply.json as { code: string };
      expect([path, property, reply.status, code]).toEqual([path, property, 404, 'unknown_property']);
    }
    const inBody = await closed.ask(path, { form: { ...form, property: 'demo/site' }, token: other });
    expect([path, inBody.status >= 400]).toEqual([path, true]);
  }
});

test('a flusher logs in, and again when its token is refused', async () => {
  const rights = ['publish', 'sessionUpdate'];
  const form = { username: 'flush', password, rights: JSON.stringify(rights) };
  expect((await closed.ask('/user/add', { token: admin, form })).status).toBe(204);
  const config = {
    server: closed.url,
    session: 'stash',
    username: 'flush',
    password,
    timeoutSeconds: 0.05,
  };
  const target = flushTargetOf(readFlushConfig(JSON.stringify(config), 'config.json'));
  await closed.ask('/session/update', { token: admin, form: { store: 'stash', ops: upsert } });
  let written = 0;
  const deadline = AbortSignal.timeout(10_000);
  while (written === 0 && !deadline.aborted) ({ written } = await flush(target, 50, () => {}));
  expect(written).toBe(1);
  const wrong = { ...config, password: 'not the password' };
  const refused = flushTargetOf(readFlushConfig(JSON.stringify(wrong), 'config.json'));
  const failure = await flush(refused, 50, () => {}).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ code: 'CB_REFUSED' });
  expect(String(failure)).not.toContain('not the password');
});
