import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../protocol/limits.ts';
import { deleteProperty } from '../store/delete-property.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';

let test: TestCollector;
beforeAll(async () => {
  test = await startTestCollector();
});
afterAll(() => test.stop());

interface Shown {
  readonly name: string;
  readonly standard: boolean;
}

async function add(property: string, properties: unknown, asForm = true) {
  const json = JSON.stringify(properties);
  const body = asForm ? new URLSearchParams({ properties: json }).toString() : `{"properties":${json}}`;
  const type = asForm ? 'application/x-www-form-urlencoded' : 'application/json';
  const url = `${test.collector.url}/schema/add?property=${property}`;
  const reply = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
  return { status: reply.status, json: (await reply.json()) as Record<string, unknown> };
}
const schema = async (property: string) => (await test.get(`/schema?property=${property}`)).json as Shown[];
const declared = async (property: string) => (await schema(property)).filter(({ standard }) => !standard);
const color = { name: 'item.color', type: 'string', multi: true, description: 'of the hat' };

describe('the schema of a property', () => {
  it('has the standard fields, and says which are not indexed for having too many values', async () => {
    const fields = await schema('t/fresh');
    for (const name of [
      'event.type',
      'page.path',
      'page.loadMs',
      '_m1.geo.country_iso_code',
      'order.revenue',
    ])
      expect(fields).toContainEqual(expect.objectContaining({ name, standard: true, indexed: true }));
    for (const name of ['visitor.id', 'session.id', 'user.id'])
      expect(fields).toContainEqual(expect.objectContaining({ name, type: 'string', indexed: false }));
    expect(fields.every((field) => 'type' in field && 'multi' in field && 'description' in field)).toBe(true);
  });

  it('takes declared fields as a form and as JSON, and shows them', async () => {
    expect(await add('t/add', [color])).toMatchObject({ status: 200, json: { added: ['item.color'] } });
    const more = [{ name: 'item.größe', type: 'integer' }, color];
    expect(await add('t/add', more, false)).toMatchObject({ status: 200, json: { added: ['item.größe'] } });
    expect(await declared('t/add')).toEqual([
      { ...color, standard: false, indexed: true },
      { name: 'item.größe', type: 'integer', multi: false, description: '', standard: false, indexed: true },
    ]);
    expect(await declared('t/other')).toEqual([]);
  });

  it('gets a new version with every change, and only then', async () => {
    const version = async (fields: unknown[]) => (await add('t/version', fields)).json['version'] as number;
    const first = await version([color]);
    expect(await version([color])).toBe(first);
    const second = await version([{ ...color, name: 'b' }]);
    expect(second).toBeGreaterThan(first);
    await deleteProperty(test.redis.connection, { account: 't', property: 'version' });
    expect(await version([color])).toBeGreaterThan(second - 1);
  });

  it('refuses to declare a field as another, and adds nothing then', async () => {
    await add('t/conflict', [color]);
    const changed = { ...color, type: 'integer' };
    expect(await add('t/conflict', [{ ...color, name: 'new' }, changed])).toMatchObject({
      status: 409,
      json: { code: 'schema_conflict' },
    });
    expect(await declared('t/conflict')).toHaveLength(1);
  });

  it('declares at most 1,000 fields', async () => {
    const many = Array.from({ length: limits.schemaFieldsMax }, (_none, i) => ({
      name: `f${i}`,
      type: 'date',
    }));
    expect((await add('t/many', many.slice(1))).status).toBe(200);
    expect((await add('t/many', [{ name: 'x', type: 'text' }])).status).toBe(200);
    expect(await add('t/many', [{ name: 'y', type: 'text' }])).toMatchObject({
      json: { code: 'schema_full' },
    });
    expect(await declared('t/many')).toHaveLength(limits.schemaFieldsMax);
  });

  it.each<[string, unknown]>([
    ['properties: needs', 'no array'],
    ['properties: needs', []],
    ['properties[0]: needs an object', ['a']],
    ['unknown member "tyep"', [{ name: 'a', tyep: 'string' }]],
    [
      'properties[1].type: needs string, text, integer, double, date, got "bool"',
      [color, { name: 'a', type: 'bool' }],
    ],
    ['properties[0].multi', [{ ...color, multi: 'yes' }]],
    ['properties[0].description', [{ ...color, description: 'x'.repeat(501) }]],
    ['is given twice', [color, color]],
    ['is a standard field', [{ name: 'page.path', type: 'string' }]],
    ['begins with _m1', [{ name: '_m1.geo.mood', type: 'string' }]],
    ['has a part that no event may have', [{ name: 'a.__proto__', type: 'string' }]],
    ['more than 8 parts', [{ name: 'a.b.c.d.e.f.g.h.i', type: 'string' }]],
    ...['', 'a..b', '.a', 'a b', 'a:b', '7a', 'a*', '-a', 'x'.repeat(129)].map((name): [string, unknown] => [
      'needs a dotted name',
      [{ name, type: 'string' }],
    ]),
  ])('refuses with "%s" %j', async (message, properties) => {
    const reply = await add('t/bad', properties);
    expect(reply).toMatchObject({ status: 400, json: { code: 'bad_parameter' } });
    expect(reply.json['message']).toContain(message);
    expect(await declared('t/bad')).toEqual([]);
  });

  it('is not written while the property is being deleted', async () => {
    await test.redis.connection.call('SET', ['{t::going}::generation', '!mark']);
    expect((await add('t/going', [color])).status).toBe(503);
    expect(await test.redis.connection.call('KEYS', ['{t::going}*'])).toEqual(['{t::going}::generation']);
  });
});

describe('GET /store/list', () => {
  it('shows the one store, with the replicas that there are', async () => {
    expect((await test.get('/store/list')).json).toEqual([
      { name: 'index', type: 'standard', active: true, autocommit: 0, shards: 1, replicas: 0 },
    ]);
  });
});
