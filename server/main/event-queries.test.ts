/** `/query` and `/get` of a real collector over a real Redis. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import type { BucketAnswer } from '../protocol/facets/facet.ts';
import { facetNaive } from '../protocol/facets/facet-naive.ts';
import { isFacetError, parseFacets } from '../protocol/facets/parse-facets.ts';
import { matches } from '../protocol/lucene/matches.ts';
import { parseLucene } from '../protocol/lucene/parse.ts';
import { isLuceneError } from '../protocol/lucene/query.ts';
import { parseSort, sortDocuments } from '../protocol/lucene/sort.ts';
import type { Document } from '../protocol/lucene/values-at.ts';
import { deleteProperty } from '../store/delete-property.ts';
import { type JsonReply, startTestCollector, type TestCollector } from './collector.testing.ts';

const nowMs = Date.UTC(2026, 10, 21, 17, 30);
const clock = new ManualClock(nowMs);
let collector: TestCollector;

interface QueryReply {
  readonly responseHeader: { readonly status: number; readonly QTime: number; readonly params: object };
  readonly response: { readonly numFound: number; readonly start: number; readonly docs: Document[] };
  readonly facets?: BucketAnswer;
}

const types = ['view', 'heartbeat', 'click', 'sessionTimeout'];
const paths = ['/home', '/shop', '/shop/cart'];
const states = ['US-CA', 'DE-BY'];
const eventCount = 400;

/** Some of 400 visitors by uuid, pages, and times over two hours. */
const event = (index: number): Record<string, unknown> => ({
  event: { type: types[index % 4], time: nowMs - ((index * 7919) % 7_200_000) },
  visitor: { id: `3f2a1b4c-0000-4000-8000-${String(index % 37).padStart(12, '0')}` },
  page: { path: paths[index % 3], ...(index % 5 === 0 && { loadMs: 100 + (index % 11) }) },
  experiment: { id: states[index % 7] },
  interest: { name: index % 10 === 0 ? ['cats', 'dogs'] : 'cats' },
});

beforeAll(async () => {
  collector = await startTestCollector({ clock });
  for (let from = 0; from < eventCount; from += 100) {
    const items = Array.from({ length: 100 }, (_none, index) => event(from + index));
    expect((await collector.write({ items })).json).toMatchObject({ accepted: 100 });
    clock.advanceMs(1000);
  }
});
afterAll(() => collector.stop());

async function post(
  fields: Record<string, string>,
  property?: string,
): Promise<{ status: number; text: string; headers: Headers }> {
  const suffix = property === undefined ? '' : `?property=${property}`;
  const reply = await fetch(`${collector.collector.url}/query${suffix}`, {
    method: 'POST',
    body: new URLSearchParams(fields),
  });
  return { status: reply.status, text: await reply.text(), headers: reply.headers };
}

async function ask(fields: Record<string, string>): Promise<QueryReply> {
  const { status, text } = await post({ store: 'index', ...fields });
  expect([status, text]).toEqual([200, text]);
  return JSON.parse(text) as QueryReply;
}

const all = async (): Promise<Document[]> => (await ask({ q: '*', rows: '1000' })).response.docs;

test('everything that was acknowledged is found, in the order of storing, with a key', async () => {
  const { responseHeader, response, facets } = await ask({ q: '*', rows: '1000' });
  expect(response.numFound).toBe(eventCount);
  expect(response.docs.map(({ _m1key }) => _m1key)).toEqual(
    Array.from({ length: eventCount }, (_none, position) => `0-${position}`),
  );
  expect(response.docs[7]).toMatchObject(event(7));
  expect(responseHeader).toEqual({
    status: 0,
    QTime: expect.any(Number),
    params: { store: 'index', q: '*', rows: '1000' },
  });
  expect(facets).toBeUndefined();
});

test('without rows there are ten', async () => {
  const { response } = await ask({ q: 'type:sessionTimeout' });
  expect([response.numFound, response.docs.length]).toEqual([100, 10]);
});

const questions: [q: string, sort: string][] = [
  ['*', '_m1.receivedUTC desc'],
  ['type:view', 'event.time desc'],
  ['event.time:[NOW-30MINUTES TO NOW] AND NOT type:click', 'page.path asc, event.time asc'],
  ['visitor.id:"3f2a1b4c-0000-4000-8000-000000000003"', 'page.loadMs desc'],
  ['visitor.id:3f2a1b4c-0000-4000-8000-00000000001*', 'visitor.id desc, event.type asc'],
  ['page.path:\\/shop* +page.loadMs:{104 TO *]', 'page.loadMs asc'],
  ['interest.name:(dogs OR birds) -experiment.id:*', 'interest.name desc'],
  ['-type:(view heartbeat)', 'experiment.id asc'],
];

test.each(questions)('%s in the order %s is what plain loops find', async (q, sort) => {
  const documents = await all();
  const query = parseLucene(q, { nowMs: clock.wallMs() });
  const specs = parseSort(sort);
  if (isLuceneError(query) || isLuceneError(specs)) throw new Error(q);
  const found = sortDocuments(
    documents.filter((document) => matches(query, document)),
    specs,
  );
  expect(found.length).toBeGreaterThan(0);
  const { response } = await ask({ q, sort, start: '3', rows: '20' });
  expect(response).toEqual({ numFound: found.length, start: 3, docs: found.slice(3, 23) });
});

const json = JSON.stringify({
  facet: {
    by_type: {
      type: 'terms',
      field: 'type',
      facet: { visitors: 'unique(visitor.id)', pages: { type: 'terms', field: 'page.path', limit: 2 } },
    },
    by_visitor: {
      type: 'terms',
      field: 'visitor.id',
      limit: 3,
      sort: 'load desc',
      facet: { load: 'max(page.loadMs)' },
    },
    by_time: {
      type: 'range',
      field: 'event.time',
      start: 'NOW/HOUR-2HOURS',
      end: 'NOW',
      gap: '+30MINUTES',
      other: 'all',
    },
    dogs: { type: 'query', q: 'interest.name:dogs', facet: { load: 'percentile(page.loadMs,50,99)' } },
    without: { type: 'terms', field: 'experiment.id', missing: true, numBuckets: true },
  },
});

test.each(['*', 'type:view', 'page.path:\\/shop* AND page.loadMs:*'])(
  'facets over %s are what plain loops count',
  async (q) => {
    const documents = await all();
    const options = { nowMs: clock.wallMs() };
    const query = parseLucene(q, options);
    const facets = parseFacets(json, options);
    if (isLuceneError(query) || isFacetError(facets)) throw new Error(q);
    const found = documents.filter((document) => matches(query, document));
    expect((await ask({ q, rows: '0', json })).facets).toEqual(facetNaive(found, facets));
  },
);

test('a question may be a form, a JSON body or a query string', async () => {
  const wanted = (await ask({ q: 'type:view', rows: '2', json })) as object;
  const strip = (reply: object): object => ({ ...reply, responseHeader: undefined });
  const body = JSON.stringify({ store: 'index', q: 'type:view', rows: 2, json: JSON.parse(json) });
  const ofJson = await fetch(`${collector.collector.url}/query`, { method: 'POST', body });
  expect(strip((await ofJson.json()) as object)).toEqual(strip(wanted));
  const query = new URLSearchParams({ store: 'index', q: 'type:view', rows: '2', json });
  expect(strip((await collector.get(`/query?${query}`)).json as object)).toEqual(strip(wanted));
});

test('fl chooses what is shown, and the columns of format=csv', async () => {
  const { response } = await ask({ q: 'type:view', rows: '1', fl: 'type,page.path,_m1key' });
  expect(response.docs).toEqual([{ event: { type: 'view' }, page: { path: '/home' }, _m1key: '0-0' }]);
  const csv = await post({
    store: 'index',
    q: 'interest.name:dogs',
    rows: '2',
    fl: 'event.type,interest',
    format: 'csv',
  });
  expect(csv.text).toBe('event.type,interest.name\r\nview,"cats,dogs"\r\nclick,"cats,dogs"\r\n');
  expect(csv.headers.get('content-type')).toMatch(/^text\/csv/);
  expect(csv.headers.get('x-crowdbeat-num-found')).toBe('40');
});

test('documents are got by their keys, in the order of the keys; what is not there is named', async () => {
  const documents = await all();
  const get = async (keys: string): Promise<unknown> => (await collector.get(`/get?keys=${keys}`)).json;
  expect(await get('0-5,17,0-2')).toEqual({
    docs: [documents[5], documents[17], documents[2]],
    missing: [],
  });
  expect(await get('0-399,0-400,9-1')).toEqual({ docs: [documents[399]], missing: ['0-400', '9-1'] });
});

describe('a question is refused in words when', () => {
  const long = Array.from({ length: 1001 }, (_none, index) => `type:${index}`).join(' ');
  const cases: [what: string, fields: Record<string, string>, code: string, words: string][] = [
    ['it names no store', { q: '*' }, 'bad_parameter', 'store is missing'],
    ['its store is not there', { store: 'stash', q: '*' }, 'no_such_store', '"stash"'],
    ['it has no q', { store: 'index' }, 'bad_parameter', 'q is missing'],
    ['a field is unknown', { q: 'page.pth:x' }, 'bad_query', 'there is no field "page.pth"'],
    ['a field of the sort is unknown', { q: '*', sort: 'nope desc' }, 'bad_query', 'no field "nope"'],
    ['q breaks off', { q: 'type:(a OR' }, 'bad_query', 'q: '],
    ['a range is upside down', { q: 'event.time:[NOW TO NOW-1DAY]' }, 'bad_query', 'q: '],
    ['it has a regular expression', { q: 'type:/v.*/' }, 'bad_query', 'regular expressions'],
    ['it has a thousand terms and one', { q: long }, 'bad_query', '1000'],
    ['it is nested too deep', { q: `${'('.repeat(51)}type:a${')'.repeat(51)}` }, 'bad_query', '50 deep'],
    ['it wants too many rows', { q: '*', rows: '1000000' }, 'too_many_rows', '11000'],
    ['it begins too far behind', { q: '*', start: '10995', rows: '6' }, 'too_many_rows', '11000'],
    ['rows is no number', { q: '*', rows: '-1' }, 'bad_parameter', 'rows: needs a whole number'],
    ['the format is unknown', { q: '*', format: 'xml' }, 'bad_parameter', '"xml"'],
    ['json is no JSON', { q: '*', json: '{facet' }, 'bad_query', 'is not JSON'],
    [
      'a facet is of an unknown field',
      { q: '*', json: '{"facet":{"a":"sum(nope)"}}' },
      'bad_query',
      '"nope"',
    ],
    [
      'a facet has too many buckets',
      { q: '*', json: '{"facet":{"a":{"type":"terms","field":"type","limit":20000}}}' },
      'bad_query',
      'facet.a.limit',
    ],
    ['a parameter is unknown', { q: '*', row: '5' }, 'bad_parameter', '"row"'],
  ];
  test.each(cases)('%s', async (_what, fields, code, words) => {
    const wanted = 'q' in fields && !_what.includes('store') ? { store: 'index', ...fields } : fields;
    const { status, text } = await post(wanted);
    expect([status, JSON.parse(text)]).toMatchObject([400, { status: 400, code }]);
    expect(JSON.parse(text).message).toContain(words);
  });

  test.each(['', 'x', '1-70000', `${'1,'.repeat(1000)}1`])('get is asked for the keys %j', async (keys) => {
    const { status, json: reply } = await collector.get(`/get?keys=${keys}`);
    expect([status, reply]).toMatchObject([400, { code: 'bad_parameter' }]);
  });
});

test('a range of a century, or in the future, is answered', async () => {
  const century = await ask({ q: 'event.time:[1950-01-01 TO 2050-01-01]', rows: '0' });
  expect(century.response.numFound).toBe(eventCount);
  const future = await ask({ q: 'event.time:[NOW+1DAY TO *]' });
  expect(future.response).toEqual({ numFound: 0, start: 0, docs: [] });
});

test('a field that was declared a moment ago can be asked for', async () => {
  expect((await post({ store: 'index', q: 'mood:good' })).status).toBe(400);
  const properties = JSON.stringify([{ name: 'mood', type: 'string' }]);
  const body = new URLSearchParams({ properties });
  const added = await fetch(`${collector.collector.url}/schema/add`, { method: 'POST', body });
  expect(added.status).toBe(200);
  expect((await ask({ q: 'mood:good' })).response.numFound).toBe(0);
  await collector.write({ event: { type: 'view', time: nowMs - 1 }, visitor: { id: 'v' }, mood: 'good' });
  const { response } = await ask({ q: 'mood:good', json: '{"facet":{"m":{"type":"terms","field":"mood"}}}' });
  expect(response.numFound).toBe(1);
});

test('an event is in every answer that starts after its acknowledgement, while others write', async () => {
  const property = 'demo/fresh';
  const write = (name: string): Promise<JsonReply> =>
    collector.write(
      { event: { type: name, time: nowMs }, visitor: { id: name } },
      { 'content-type': 'application/json', 'x-crowdbeat-property': property },
    );
  const other = Array.from({ length: 100 }, (_none, index) => write(`other${index}`));
  for (let index = 0; index < 20; index++) {
    await write(`mine${index}`);
    const { text } = await post({ store: 'index', q: `type:mine${index}` }, property);
    expect(JSON.parse(text).response.numFound).toBe(1);
  }
  await Promise.all(other);
  const { text } = await post({ store: 'index', q: '*', rows: '0' }, property);
  expect(JSON.parse(text).response.numFound).toBe(120);
});

test('a property that was deleted has no events', async () => {
  const headers = { 'content-type': 'application/json', 'x-crowdbeat-property': 'demo/gone' };
  await collector.write({ event: { type: 'view', time: nowMs }, visitor: { id: 'v' } }, headers);
  const count = async (): Promise<number> =>
    JSON.parse((await post({ store: 'index', q: '*' }, 'demo/gone')).text).response.numFound as number;
  expect(await count()).toBe(1);
  expect(
    await deleteProperty(collector.redis.connection, { account: 'demo', property: 'gone' }),
  ).toBeGreaterThan(0);
  expect(await count()).toBe(0);
});

test('a client that goes away ends its question, and the collector goes on', async () => {
  const { port } = collector.collector;
  const path = '/query?store=index&q=*&rows=1000';
  for (let index = 0; index < 20; index++) {
    const asking = request({ port, path });
    asking.on('error', () => undefined);
    asking.end(() => asking.destroy());
  }
  expect((await ask({ q: '*', rows: '0' })).response.numFound).toBeGreaterThanOrEqual(eventCount);
  expect(collector.logged).toEqual([]);
});
