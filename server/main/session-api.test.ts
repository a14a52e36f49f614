import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { RawClient, writeRequest } from '../http/http-client.testing.ts';
import { limits } from '../protocol/limits.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';

const nowMs = Date.UTC(2026, 10, 21, 12, 30, 15, 17);
const clock = new ManualClock(nowMs);
let own: TestCollector;

beforeAll(async () => {
  own = await startTestCollector({ clock });
});
afterAll(() => own.stop());
beforeEach(() => clock.setWallMs(nowMs));
afterEach(() => own.redis.connection.call('FLUSHALL', []));

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

async function ask(path: string, init?: RequestInit): Promise<Reply> {
  const reply = await fetch(own.collector.url + path, init);
  const text = await reply.text();
  return {
    status: reply.status,
    headers: reply.headers,
    text,
    json: text.startsWith('{') || text.startsWith('[') ? (JSON.parse(text) as unknown) : undefined,
  };
}

const post = (path: string, body: object): Promise<Reply> =>
  ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const form = (path: string, fields: Record<string, string>): Promise<Reply> =>
  ask(path, { method: 'POST', body: new URLSearchParams(fields) });

interface Item {
  readonly session: { readonly id: string };
  readonly page?: { readonly path: string };
  readonly _m1: {
    readonly receivedUTC: number;
    readonly ip: string;
    readonly ua?: object;
    readonly session: Record<string, number>;
  };
}

const items = async (q = '*', more: Record<string, string> = {}): Promise<readonly Item[]> => {
  const reply = await form('/session/query', { store: 'stash', q, ...more });
  expect(reply.text).toMatch(/^\{"count":/);
  return (reply.json as { items: Item[] }).items;
};

const beat = (id: string, more: object = {}) => ({
  event: { type: 'heartbeat', time: nowMs, seq: 3 },
  session: { id, start: nowMs - 60_000 },
  visitor: { id: `v-${id}` },
  page: { path: '/shop' },
  ...more,
});
const upsert = (...documents: object[]) => ({ store: 'stash', ops: [{ upsert: documents }] });

test('a heartbeat goes in as a form or as JSON, and is found with what the collector knows of it', async () => {
  const reply = await form('/session/update', {
    store: 'stash',
    ops: JSON.stringify([{ upsert: [beat('s1', { _m1: { forged: true } })] }]),
  });
  expect([reply.status, reply.text]).toEqual([204, '']);
  clock.advanceMs(500);
  expect((await post('/session/update', upsert(beat('s2', { page: { path: '/ü' } })))).status).toBe(204);
  expect(await items()).toEqual([
    expect.objectContaining({ session: { id: 's2', start: nowMs - 60_000 }, page: { path: '/ü' } }),
    {
      ...beat('s1'),
      _m1: {
        receivedUTC: nowMs,
        ip: '127.0.0.1',
        ua: expect.any(Object),
        session: { lastUpdated: nowMs, firstSeen: nowMs, lastSeen: nowMs },
      },
    },
  ]);
});

test('the direct path and node:http store the same document', async () => {
  const client = new RawClient(own.collector.port);
  const body = JSON.stringify(upsert(beat('s1')));
  const head = 'content-type: application/json\r\nuser-agent: x';
  client.send(writeRequest(body, head, '/session/update'));
  expect(await client.reply()).toMatchObject({ status: 204, body: '' });
  const [direct] = await items();
  await own.redis.connection.call('FLUSHALL', []);
  client.send(writeRequest(body, `${head}\r\nexpect: 100-continue`, '/session/update'));
  await client.reply();
  expect((await items())[0]).toEqual(direct);
  client.close();
});

test('requests of both hot paths share a connection, each answered in its turn', async () => {
  const client = new RawClient(own.collector.port);
  const event = JSON.stringify({ event: { type: 'view' }, visitor: { id: 'v' } });
  const update = JSON.stringify(upsert(beat('s1')));
  client.send(
    Buffer.concat([
      writeRequest(update, undefined, '/session/update'),
      writeRequest(event),
      writeRequest('{', undefined, '/session/update'),
      writeRequest(update, undefined, '/session/update'),
    ]),
  );
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await client.reply()).status);
  expect(statuses).toEqual([204, 200, 400, 204]);
  client.close();
});

test('verbose says what became of each; without it a header tells what did nothing', async () => {
  await post('/session/update', upsert(beat('a'), beat('b')));
  const ops = [{ upsert: [beat('a'), beat('c')] }, { delete: ['b', 'd'] }];
  const told = await post('/session/update?verbose=true', { store: 'stash', ops });
  expect([told.status, told.json]).toEqual([
    200,
    { created: 1, updated: 0, stale: 1, deleted: 1, missing: 1, kept: 0 },
  ]);
  const untold = await post('/session/update', {
    store: 'stash',
    ops: [{ delete: [{ id: 'a', lastUpdated: 1 }] }],
  });
  expect([untold.status, untold.headers.get('x-crowdbeat-outcome')]).toEqual([204, 'kept=1']);
});

test('an update with one bad part is refused whole, and says where and why', async () => {
  const good = beat('good');
  const refused: [ops: unknown, code: string, says: RegExp][] = [
    [[{ upsert: [good, { event: {} }] }], 'bad_op', /^ops\[0\]\.upsert\[1\]: session\.id is missing$/],
    [[{ upsert: [good, beat('')] }], 'bad_op', /session\.id must be a text of 1 to 128 characters, got ""/],
    [[{ upsert: [good, 7] }], 'bad_op', /upsert\[1\]: must be an object/],
    [[{ upsert: [good, beat('\ud800')] }], 'bad_op', /session\.id must be/],
    [[{ upsert: [beat('x', { event: { seq: 1.5 } })] }], 'bad_op', /event\.seq must be a whole number/],
    [[{ upsert: [beat('x', { event: { time: 'noon' } })] }], 'bad_op', /event\.time must be a time.*"noon"/],
    [[{ upsert: [beat('x', { tab: { id: 7 } })] }], 'bad_op', /tab\.id must be a text/],
    [[{ upsert: [good] }, { delete: [7] }], 'bad_op', /^ops\[1\]\.delete\[0\]/],
    [
      [{ upsert: [good] }, { delete: [{ id: 'a', lastUpdated: 'x' }] }],
      'bad_op',
      /lastUpdated must be epoch/,
    ],
    [[{ upsert: [good], delete: ['a'] }], 'bad_op', /^ops\[0\]: must be/],
    [[{ insert: [good] }], 'bad_op', /^ops\[0\]: must be \{"upsert"/],
    [[{ upsert: [beat('x', { deep: [[[[[[[[1]]]]]]]] })] }], 'bad_op', /nested more than/],
    [[{ upsert: [beat('x', { big: 'x'.repeat(40_000) })] }], 'bad_op', /larger than 32768 bytes/],
    [{ upsert: [good] }, 'bad_body', /"ops" must be an array/],
    [
      [{ delete: Array.from({ length: limits.sessionOpsMax + 1 }, () => 'a') }],
      'too_many_ops',
      /at most 1000/,
    ],
  ];
  for (const [ops, code, says] of refused) {
    const { status, json } = await post('/session/update', { store: 'stash', ops });
    expect([status, json]).toEqual([
      code === 'too_many_ops' ? 413 : 400,
      expect.objectContaining({ code, message: expect.stringMatching(says) }),
    ]);
  }
  expect(await items()).toEqual([]);
});

test('bodies that look like a plain heartbeat but are none are read for what they are', async () => {
  const text = async (body: string) => {
    const { status } = await ask('/session/update', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    return status;
  };
  const [a, b] = [JSON.stringify(beat('a')), JSON.stringify(beat('b'))];
  expect(await text(`{"store":"stash","ops":[{"upsert":[${a},${b}]}]}`)).toBe(204);
  expect((await items()).length).toBe(2);
  // The name twice: the last one counts, as JSON is read everywhere.
  await own.redis.connection.call('FLUSHALL', []);
  expect(await text(`{"store":"stash","ops":[{"upsert":[${a}],"upsert":[${b}]}]}`)).toBe(204);
  expect((await items()).map(({ session }) => session.id)).toEqual(['b']);
  expect(await text(`{"store":"stash","ops":[{"upsert":[${a}]}]} x`)).toBe(400);
  expect(await text(`{"store":"stash","ops":[{"upsert":[{"session":{"id":"c"}} ,]}]}`)).toBe(400);
});

test('a store or a property that is not there is a 404; stores are added by name', async () => {
  const missing = { status: 404, code: 'no_such_store', message: expect.stringContaining('"stach"') };
  const wrong = { ...upsert(beat('a')), store: 'stach' };
  expect((await post('/session/update', wrong)).json).toEqual(missing);
  expect((await form('/session/query', { store: 'stach' })).json).toEqual(missing);
  expect((await ask('/session/list?property=demo/shop')).json).toEqual([]);
  expect((await post('/session/update?property=demo/shop', upsert(beat('a')))).status).toBe(404);
  const added = await form('/session/add?property=demo/shop', { name: 'stash' });
  expect([added.status, added.text]).toEqual([204, '']);
  expect((await ask('/session/list?property=demo/shop')).json).toEqual([
    { name: 'stash', key: 'session.id', shards: 1, replicas: 1 },
  ]);
  expect((await post('/session/update?property=demo/shop', upsert(beat('a')))).status).toBe(204);
  expect(await items()).toEqual([]);
});

test('/session/list of the first minute', async () => {
  const list = [{ name: 'stash', key: 'session.id', shards: 1, replicas: 1 }];
  expect((await ask('/session/list')).json).toEqual(list);
  expect((await form('/session/list', {})).json).toEqual(list);
});

test('queries select, sort and page', async () => {
  const sessions = Array.from({ length: 30 }, (_none, i) => ({
    ...beat(`s${String(i).padStart(2, '0')}`),
    page: { path: i % 3 === 0 ? '/home' : '/shop', loadMs: (i * 7) % 30 },
  }));
  await post('/session/update', upsert(...sessions));
  const found = await form('/session/query', {
    store: 'stash',
    q: 'page.path:"/home" AND page.loadMs:[10 TO *]',
    sort: 'page.loadMs desc',
    start: '1',
    rows: '2',
  });
  const expected = sessions
    .filter(({ page }) => page.path === '/home' && page.loadMs >= 10)
    .sort((a, b) => b.page.loadMs - a.page.loadMs);
  const { count, items: rows } = found.json as { count: number; items: Item[] };
  expect(count).toBe(expected.length);
  expect(rows.map(({ session }) => session.id)).toEqual(
    expected.slice(1, 3).map(({ session }) => session.id),
  );
  const pages = await Promise.all(
    [0, 10, 20, 30].map((start) =>
      items('session.id:s*', { sort: 'page.path asc', start: String(start), rows: '10' }),
    ),
  );
  expect(new Set(pages.flat().map(({ session }) => session.id)).size).toBe(30);
  expect(pages.map((page) => page.length)).toEqual([10, 10, 10, 0]);
  expect((await ask('/session/query?store=stash&rows=0')).json).toEqual({ count: 30, items: [] });
});

test('what a query may not ask is a 400 that names the parameter', async () => {
  const refused: [Record<string, string>, RegExp][] = [
    [{}, /^store: is missing/],
    [{ store: 'stash', rows: '1001' }, /^rows: needs a whole number from 0 to 1000, got "1001"/],
    [{ store: 'stash', start: '-1' }, /^start: needs/],
    [{ store: 'stash', q: 'a:(b' }, /^q: /],
    [{ store: 'stash', sort: 'page.path sideways' }, /^sort: /],
    [{ store: 'stash', fl: 'a' }, /unknown parameter "fl"/],
  ];
  for (const [fields, says] of refused) {
    const { status, json } = await form('/session/query', fields);
    expect([status, json]).toEqual([400, expect.objectContaining({ message: expect.stringMatching(says) })]);
  }
});

test('live figures: who is there now, in all and by a field', async () => {
  await post('/session/update', upsert(beat('a'), beat('b'), beat('c', { page: {} })));
  clock.advanceMs(10_000);
  await post('/session/update', upsert(beat('d', { page: { path: '/home' } }), beat('e')));
  const count = async (query: string) => (await ask(`/session/count?store=stash${query}`)).json;
  expect(await count('')).toEqual({ count: 5 });
  expect(await count('&withinMs=10000')).toEqual({ count: 5 });
  expect(await count('&withinMs=9999')).toEqual({ count: 2 });
  expect(await count('&by=page.path')).toEqual({
    count: 5,
    buckets: [
      { val: '/shop', count: 3 },
      { val: '/home', count: 1 },
    ],
    missing: 1,
    others: 0,
  });
  expect(await count('&by=page.path&withinMs=9999')).toMatchObject({ count: 2, missing: 0 });
  expect((await ask('/session/count?store=stash&withinMs=soon')).status).toBe(400);
});

test('sessions that are silent for long enough are handed out, by the clock of the collector', async () => {
  await post('/session/update', upsert(beat('a', { event: { time: nowMs - 3_000_000 } })));
  const expired = async (silentMs: number) => {
    const { json } = await post('/session/expired', { store: 'stash', silentMs });
    return (json as { items: Item[] }).items.map(({ session, _m1 }) => [
      session.id,
      _m1.session['departure'],
    ]);
  };
  expect(await expired(1)).toEqual([]);
  clock.advanceMs(25_000);
  expect(await expired(25_001)).toEqual([]);
  expect(await expired(25_000)).toEqual([['a', 1]]);
  expect(await expired(25_000)).toEqual([['a', 1]]);
  expect((await post('/session/expired', { store: 'stash' })).status).toBe(400);
  expect((await post('/session/expired', { store: 'stash', silentMs: 1, limit: 501 })).status).toBe(400);
});

test('a clock that is far off does not order heartbeats; the time of receipt does', async () => {
  const wrong = { event: { type: 'heartbeat', time: nowMs + 86_400_000 } };
  await post('/session/update', upsert(beat('a', wrong)));
  const [item] = await items();
  expect(item?._m1).toMatchObject({ time: 'received', session: { lastSeen: nowMs } });
  clock.advanceMs(1000);
  await post('/session/update', upsert(beat('a', { event: {}, page: { path: '/later' } })));
  expect((await items())[0]?.page?.path).toBe('/later');
});

test('updates that come together share a script call, and each is told its own outcome', async () => {
  const calls = async () => {
    const stats = String(await own.redis.connection.call('INFO', ['commandstats']));
    return ['evalsha', 'eval'].reduce(
      (sum, name) => sum + Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0),
      0,
    );
  };
  await post('/session/update', upsert(beat('s0')));
  const before = await calls();
  const clients = Array.from({ length: 20 }, () => new RawClient(own.collector.port));
  for (const [i, client] of clients.entries())
    for (let n = 0; n < 10; n++) {
      const body = JSON.stringify(upsert(n % 5 === 4 ? { bad: n } : beat(`s${i}-${n}`)));
      client.send(writeRequest(body, undefined, '/session/update'));
    }
  for (const client of clients) {
    const statuses: number[] = [];
    for (let n = 0; n < 10; n++) statuses.push((await client.reply()).status);
    expect(statuses).toEqual([204, 204, 204, 204, 400, 204, 204, 204, 204, 400]);
    client.close();
  }
  expect((await items('*', { rows: '1000' })).length).toBe(161);
  expect((await calls()) - before).toBeLessThan(80);
});
