import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { deleteProperty } from './delete-property.ts';
import { startTestRedis, type TestRedis } from './redis.testing.ts';
import { addToSchema, loadSchema, SchemaCache, standardSchema } from './schema.ts';
import type { SchemaField } from './schema-fields.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

const property = { account: 'test', property: 'schema' };
const nowMs = 1_795_280_000_000;
const field = (name: string): SchemaField => ({ name, type: 'string', multi: false, description: '' });

describe('a schema', () => {
  it('that declares nothing is the standard one', async () => {
    expect(await loadSchema(redis.connection, property)).toBe(standardSchema);
    const names = standardSchema.indexed.map(({ name }) => name);
    expect(names).toContain('event.type');
    expect(names).not.toContain('visitor.id');
  });

  it('names the index’s fields by kind', async () => {
    const kinds = {
      string: 'keyword',
      text: 'text',
      integer: 'number',
      double: 'number',
      date: 'date',
    } as const;
    const fields = Object.keys(kinds).map((type) => ({
      ...field(`f.${type}`),
      type: type as SchemaField['type'],
    }));
    await addToSchema(redis.connection, property, fields, nowMs);
    const { indexed, version } = await loadSchema(redis.connection, property);
    expect(version).toBe(nowMs);
    for (const [type, kind] of Object.entries(kinds))
      expect(indexed).toContainEqual({ name: `f.${type}`, kind, multi: false });
  });

  it('is believed for two seconds, then looked at again', async () => {
    const clock = new ManualClock(nowMs);
    const cache = new SchemaCache(redis.connection, clock);
    const before = await cache.get(property);
    await addToSchema(redis.connection, property, [field('later')], nowMs);
    clock.advanceMs(1999);
    expect(await cache.get(property)).toBe(before);
    clock.advanceMs(1);
    const after = await cache.get(property);
    expect(after.fields.map(({ name }) => name)).toContain('later');
    expect(after.version).toBe(before.version + 1);
    clock.advanceMs(2000);
    expect(await cache.get(property)).toBe(after);
    await deleteProperty(redis.connection, property);
    clock.advanceMs(2000);
    expect(await cache.get(property)).toBe(standardSchema);
  });
});
