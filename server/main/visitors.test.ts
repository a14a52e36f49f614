import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { pollUntil } from '../store/redis.testing.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';

const nowMs = Date.UTC(2026, 10, 21, 17, 30);
const clock = new ManualClock(nowMs);
let collector: TestCollector;

const spring = { name: 'newsletter', campaign: 'spring' };
const search = { name: 'search' };
const day20 = [
  ['ada', '10:00', 'view', spring],
  ['ada', '10:20', 'subscribe'],
  ['bob', '10:00', 'view', search],
  ['bob', '10:05', 'view', spring],
  ['bob', '10:05', 'subscribe'],
  ['cy', '10:10', 'subscribe'],
  ['cy', '10:15', 'view'],
  ['dee', '11:00', 'view', search],
] as const;
const day21 = [
  ['ada', '17:00', 'heartbeat'],
  ['ada', '17:01', 'heartbeat'],
  ['bob', '17:01', 'heartbeat'],
  ['cy', '16:00', 'view'],
  ['eve', '16:30', 'view'],
  ['eve', '17:01', 'heartbeat'],
] as const;

beforeAll(async () => {
  collector = await startTestCollector({ clock });
  const event = (day: string) => (row: readonly [string, string, string, object?]) => ({
    event: { type: row[2], time: `2026-11-${day}T${row[1]}:30Z` },
    visitor: { id: row[0] },
    ...(row[3] !== undefined && { source: row[3] }),
  });
  const reply = await collector.write([...day20.map(event('20')), ...day21.map(event('21'))]);
  expect(reply.json).toMatchObject({ accepted: day20.length + day21.length, results: [] });
});
afterAll(() => collector.stop());

async function ask(question: unknown) {
  const reply = await fetch(`${collector.collector.url}/visitors/query`, {
    method: 'POST',
    body: typeof question === 'string' ? question : JSON.stringify(question),
  });
  return { status: reply.status, json: (await reply.json()) as Record<string, unknown> };
}

const page = readFileSync(new URL('../../docs/visitors.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => text);
const examples = Array.from({ length: blocks.length / 2 }, (_none, i) => ({
  question: blocks[2 * i] ?? '',
  reply: blocks[2 * i + 1] ?? '',
}));

describe('docs/visitors.md', () => {
  test.each(examples)('$question', async ({ question, reply }) => {
    const { status, json } = await ask(question);
    const { range, ...rest } = json;
    expect([status, rest]).toEqual([200, JSON.parse(reply)]);
    expect(range).toMatchObject({ from: expect.stringMatching(/:00\.000Z$/) });
  });

  test('has an example of every kind of question', () => {
    const kinds = [
      'uniques',
      'series',
      'top',
      'funnel',
      'retention',
      'attribution',
      'newReturning',
      'stickiness',
    ];
    for (const kind of [...kinds, 'concurrent'])
      expect(
        examples.some(({ question }) => Object.hasOwn(JSON.parse(question), kind)),
        kind,
      ).toBe(true);
  });
});

test('a range may end in the future, and a series stops where nothing has happened yet', async () => {
  const { json } = await ask({
    from: '2026-11-21-17-00',
    to: '2027-11-21-17-00',
    series: { of: { event: 'heartbeat' }, by: 'hour' },
  });
  expect(json['series']).toEqual([{ bucket: '2026-11-21-17', visitors: 3 }]);
  const whole = { from: '2026-11-21', to: '2030-01-01', uniques: { event: 'heartbeat' } };
  expect((await ask(whole)).json).toMatchObject({ visitors: 3 });
});

test('what is no longer kept is answered expired, and the same range in coarser buckets is counted', async () => {
  const uniques = { event: 'view' };
  const longAgo = { from: '2026-11-10T10:01Z', to: '2026-11-21', uniques };
  expect((await ask(longAgo)).json).toMatchObject({
    expired: true,
    bucket: '2026-11-10-10-01',
    granularity: 'minute',
  });
  expect((await ask({ ...longAgo, from: '2026-11-10T10:00Z' })).json).toMatchObject({ visitors: 4 });
  const ordered = { bucket: '2026-11-10', funnel: { ordered: true, steps: [uniques] } };
  expect((await ask(ordered)).json).toMatchObject({ expired: true, bucket: '2026-11-10-00-00' });
});

const view = { event: 'view' };
const bucket = '2026-11-20';
const nested = (depth: number): object => (depth === 0 ? view : { not: nested(depth - 1) });

test.each<[string, string, unknown]>([
  ['question: needs an object, got nothing', 'bad_question', '{"bucket"'],
  ['question: needs an object, got []', 'bad_question', []],
  ['needs exactly one of uniques, series', 'bad_question', { bucket }],
  ['got ["uniques","newReturning"]', 'bad_question', { bucket, uniques: view, newReturning: true }],
  ['needs from and to, or bucket', 'bad_question', { uniques: view }],
  ['unknown member "unique"', 'bad_question', { bucket, unique: view }],
  ['got "2026-13"', 'bad_question', { bucket: '2026-13', uniques: view }],
  ['bucket is a whole range', 'bad_question', { bucket, from: '2026', to: '2027', uniques: view }],
  ['question.to: needs a whole UTC minute', 'bad_question', { from: '2026-11-20', uniques: view }],
  [
    'got "2026-11-20T10:00:01Z"',
    'bad_question',
    { from: '2026-11-20T10:00:01Z', to: '2026-11-21', uniques: view },
  ],
  ['with an offset', 'bad_question', { from: '2026-11-20T10:00', to: '2026-11-21', uniques: view }],
  ['to must be after from', 'bad_range', { from: '2026-11-20', to: '2026-11-20', uniques: view }],
  ['to must be after from', 'bad_range', { from: '2026-11-21', to: '2026-11-20', uniques: view }],
  ['at most 100 years', 'bad_range', { from: '1970', to: '2071', uniques: view }],
  ['lies in the future', 'bad_range', { from: '2026-11-22', to: '2026-11-23', uniques: view }],
  [
    'uniques.event: needs a text of 1 to 128 characters, got ""',
    'bad_question',
    { bucket, uniques: { event: '' } },
  ],
  [
    'uniques.event: needs a text of 1 to 128',
    'bad_question',
    { bucket, uniques: { event: 'v'.repeat(129) } },
  ],
  ['campaign belongs to a source', 'bad_question', { bucket, uniques: { event: 'view', campaign: 'x' } }],
  ['anyCampaign: needs true', 'bad_question', { bucket, uniques: { source: 'x', anyCampaign: false } }],
  [
    'campaign and anyCampaign exclude each other',
    'bad_question',
    { bucket, uniques: { source: 'x', campaign: 'y', anyCampaign: true } },
  ],
  ['campaign belongs to a source', 'bad_question', { bucket, concurrent: { event: 'x', anyCampaign: true } }],
  ['needs one of event, source', 'bad_question', { bucket, uniques: { campaign: 'x' } }],
  ['uniques.and: needs at least one expression', 'bad_question', { bucket, uniques: { and: [] } }],
  ['uniques.and[1]', 'bad_question', { bucket, uniques: { and: [view, { xor: 1 }] } }],
  ['at most 50 levels', 'too_deep', { bucket, uniques: nested(51) }],
  ['at most 1000', 'too_many_leaves', { bucket, uniques: { or: Array(1001).fill(view) } }],
  ['at most 10000', 'too_many_buckets', { bucket: '2026', series: { of: view, by: 'minute' } }],
  [
    'needs one of minute, hour, day, month, year',
    'bad_question',
    { bucket, series: { of: view, by: 'week' } },
  ],
  ['top.of: needs one of events, sources, got "pages"', 'bad_question', { bucket, top: { of: 'pages' } }],
  ['from 1 to 1000, got 1000000', 'bad_question', { bucket, top: { of: 'events', limit: 1_000_000 } }],
  ['needs 1 to 32 steps', 'bad_question', { bucket, funnel: { steps: [] } }],
  ['belongs to an ordered funnel', 'bad_question', { bucket, funnel: { steps: [view], windowMinutes: 5 } }],
  ['funnel.steps[0]', 'bad_question', { bucket, funnel: { steps: [{ not: view }], ordered: true } }],
  ['retention.columns', 'bad_question', { bucket, retention: { cohort: view, by: 'day', columns: 0 } }],
  [
    'retention',
    'too_many_buckets',
    { from: '1990', to: '2026', retention: { cohort: view, by: 'day', columns: 2 } },
  ],
  [
    'must not be after from',
    'bad_question',
    { bucket, attribution: { goal: view, touchesFrom: '2026-11-21' } },
  ],
  ['concurrent.windowMinutes', 'bad_question', { bucket, concurrent: { windowMinutes: 61 } }],
  [
    'timeoutMs: needs a whole number from 1 to 30000',
    'bad_question',
    { bucket, uniques: view, timeoutMs: 30_001 },
  ],
])('a bad question is a 400: %s', async (message, code, question) => {
  const { status, json } = await ask(question);
  expect([status, json['code'], json['message']]).toEqual([400, code, expect.stringContaining(message)]);
});

test('fifty levels and a thousand leaves are answered', async () => {
  expect((await ask({ bucket, uniques: nested(50) })).json).toMatchObject({ visitors: 4 });
  const leaves = Array.from({ length: 1000 }, (_none, i) => ({ event: i % 2 === 0 ? 'view' : `e${i}` }));
  expect((await ask({ bucket, uniques: { or: leaves } })).json).toMatchObject({ visitors: 4 });
});

test('a source with any campaign that nobody came from is unknown, in funnels too', async () => {
  const nowhere = { source: 'newsl*', anyCampaign: true };
  const funnel = { ordered: true, steps: [{ source: 'newsletter', anyCampaign: true }, nowhere] };
  expect((await ask({ bucket, funnel })).json).toMatchObject({
    funnel: [{ visitors: 2 }, { visitors: 0 }],
    unknown: [nowhere],
  });
});

test('whoever was never anything but a bot is in no set, and who was both is in it as a person', async () => {
  const agents = {
    bot: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    person: '',
  };
  const own = await startTestCollector({ clock, enrichment: {} });
  const write = (visitor: string, agent: string) =>
    own.write(
      { event: { type: 'view' }, visitor: { id: visitor } },
      { 'content-type': 'application/json', 'user-agent': agent },
    );
  const count = async (uniques: object) => {
    const body = JSON.stringify({ bucket: '2026-11-21', uniques });
    const reply = await fetch(`${own.collector.url}/visitors/query`, { method: 'POST', body });
    return ((await reply.json()) as { visitors: number }).visitors;
  };
  try {
    await write('crawler', agents.bot);
    await write('both', agents.bot);
    expect([await count({ all: true }), await count({ not: { event: 'buy' } })]).toEqual([0, 0]);
    await write('both', agents.person);
    await write('ada', agents.person);
    expect([await count({ all: true }), await count({ not: { event: 'buy' } })]).toEqual([2, 2]);
    expect(await count({ not: { event: 'view' } })).toBe(0);
  } finally {
    await own.stop();
  }
});

test('a question of another property sees nothing of this one', async () => {
  const reply = await fetch(`${collector.collector.url}/visitors/query?property=a/b`, {
    method: 'POST',
    body: JSON.stringify({ bucket, uniques: { not: { event: 'x' } } }),
  });
  expect(await reply.json()).toMatchObject({ visitors: 0, unknown: [{ event: 'x' }] });
});

test('a client that goes away ends its question, and the collector goes on', async () => {
  const { url } = collector.collector;
  const series = { from: '2026-11-15', to: '2026-11-21', series: { of: { event: 'view' }, by: 'minute' } };
  const asked = request(`${url}/visitors/query`, { method: 'POST' });
  const ended = new Promise<void>((resolve) =>
    asked.on('error', () => resolve()).on('close', () => resolve()),
  );
  asked.end(JSON.stringify(series));
  await pollUntil(
    () => asked.socket?.bytesWritten !== undefined && asked.socket.bytesWritten > 0,
    'nothing was sent',
  );
  asked.destroy();
  await ended;
  expect((await ask({ bucket, uniques: view })).json).toMatchObject({ visitors: 4 });
  expect(collector.logged).toEqual([]);
});
