import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../protocol/limits.ts';
import { deleteProperty } from './delete-property.ts';
import type { IdentityChange } from './identity-change.ts';
import { PropertyKeys } from './keys.ts';
import { startTestRedis, type TestRedis } from './redis.testing.ts';
import { applyIdentity, readUserRecord, readVisitorUsers } from './users.ts';

const property = { account: 'test', property: 'users' };
const t = (second: number): number => 1_795_280_000_000 + second * 1000;
let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.connection.call('FLUSHALL', []);
  await redis.connection.call('SET', [new PropertyKeys(property).generation, '7']);
});

const change = (members: Partial<IdentityChange>): IdentityChange => ({
  type: 'login',
  timeMs: t(0),
  isOwnTime: true,
  visitorId: 'v1',
  userId: 'u1',
  data: undefined,
  signupMs: undefined,
  ...members,
});
const apply = (members: Partial<IdentityChange>, wasStoredBefore = false) =>
  applyIdentity(redis.connection, property, change(members), wasStoredBefore);
const record = (id = 'u1') => readUserRecord(redis.connection, property, id);
const visitor = (id = 'v1') => readVisitorUsers(redis.connection, property, id);

describe('a user', () => {
  it('has a record of when he signed up, logged in and out, and of his visitors', async () => {
    await apply({ type: 'signup', timeMs: t(1), signupMs: t(1), data: { name: 'Ann', plan: { id: 3 } } });
    await apply({ timeMs: t(5), visitorId: 'v2' });
    await apply({ timeMs: t(9) });
    await apply({ type: 'logout', timeMs: t(11), userId: undefined });
    expect(await record()).toEqual({
      id: 'u1',
      data: { name: 'Ann', plan: { id: 3 } },
      signupDate: t(1),
      firstLogin: t(5),
      lastLogin: t(9),
      lastLogout: t(11),
      updated: t(11),
      visitors: [
        { id: 'v1', time: t(9) },
        { id: 'v2', time: t(5) },
      ],
    });
    expect(await visitor()).toEqual({ visitor: 'v1', user: null, users: [{ id: 'u1', time: t(9) }] });
    expect(await visitor('v2')).toMatchObject({ user: 'u1' });
  });

  it('that nobody told of has no record, and neither has a visitor that was nobody', async () => {
    await apply({ type: 'updateUser', userId: undefined, visitorId: 'v9', data: { a: 1 } });
    await apply({ type: 'logout', userId: undefined, visitorId: 'v9' });
    expect(await record()).toBeUndefined();
    expect(await visitor('v9')).toBeUndefined();
  });

  it('keeps the earlier signup date when he is imported with another', async () => {
    await apply({ type: 'loginAndImport', timeMs: t(9), signupMs: t(-5000) });
    await apply({ type: 'signup', timeMs: t(10), signupMs: t(10) });
    expect(await record()).toMatchObject({ signupDate: t(-5000) });
    await apply({ type: 'loginAndImport', timeMs: t(20), signupMs: t(-9000) });
    expect(await record()).toMatchObject({ signupDate: t(-9000), firstLogin: t(9), lastLogin: t(20) });
  });

  it('is updated member by member: the later one wins, null takes it away, older never overwrites newer', async () => {
    await apply({ timeMs: t(1), data: { a: 1, b: 1, c: 'x' } });
    await apply({ type: 'updateUser', timeMs: t(9), userId: undefined, data: { a: 2, c: null } });
    await apply({ type: 'updateUser', timeMs: t(5), data: { a: 3, b: 3, c: 'late' } });
    expect(await record()).toMatchObject({ data: { a: 2, b: 3 }, updated: t(9) });
    expect((await record())?.data).not.toHaveProperty('c');
  });

  it('is, for an update that names nobody, who the visitor was at that time', async () => {
    await apply({ timeMs: t(1), userId: 'ann' });
    await apply({ timeMs: t(10), userId: 'bob' });
    await apply({ type: 'logout', timeMs: t(20), userId: undefined });
    const update = (second: number) =>
      apply({ type: 'updateUser', timeMs: t(second), userId: undefined, data: { at: second } });
    for (const second of [0, 5, 15, 25]) await update(second);
    expect((await record('ann'))?.data).toEqual({ at: 5 });
    expect((await record('bob'))?.data).toEqual({ at: 15 });
  });

  it('does not get another user’s data, whatever ids hold', async () => {
    const ids = ['u:1', 'u', '1::visitors', 'u}::x', 'u%3A1', 'ü', '*', 'a b\n'];
    for (const userId of ids) await apply({ userId, data: { own: userId, ['d:x\ud800']: 1 } });
    for (const id of ids) expect(await record(id)).toMatchObject({ id, data: { own: id, ['d:x\ud800']: 1 } });
    expect(await record('u:')).toBeUndefined();
    expect((await visitor())?.users.map(({ id }) => id).sort()).toEqual([...ids].sort());
  });
});

describe('a record', () => {
  it('is the same in whatever order, and however often, events are applied', async () => {
    const type = fc.constantFrom('signup', 'login', 'loginAndImport', 'updateUser', 'logout');
    const value = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('x', null));
    const anyChange = fc.record({
      type,
      timeMs: fc.integer({ min: 0, max: 6 }).map(t),
      visitorId: fc.constantFrom('v1', 'v2'),
      userId: fc.constantFrom('u1', 'u2'),
      data: fc.option(fc.dictionary(fc.constantFrom('a', 'b'), value), { nil: undefined }),
      signupMs: fc.option(fc.integer({ min: -5, max: 5 }).map(t), { nil: undefined }),
    });
    const state = async () => [
      await record('u1'),
      await record('u2'),
      await visitor('v1'),
      await visitor('v2'),
    ];
    await fc.assert(
      fc.asyncProperty(
        fc
          .array(anyChange, { minLength: 1, maxLength: 8 })
          .chain((changes) =>
            fc.tuple(
              fc.constant(changes),
              fc.shuffledSubarray([...changes, ...changes], { minLength: 2 * changes.length }),
            ),
          ),
        async ([changes, shuffled]) => {
          const run = async (list: readonly Partial<IdentityChange>[], wasStoredBefore: boolean) => {
            await redis.connection.call('FLUSHALL', []);
            await redis.connection.call('SET', [new PropertyKeys(property).generation, '7']);
            for (const one of list) await apply(one, wasStoredBefore);
            return state();
          };
          expect(await run(shuffled, true)).toEqual(await run(changes, false));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is not changed by a duplicate without a time of its own, but completed', async () => {
    const untimed = { isOwnTime: false, data: { a: 1, b: 1 } };
    await apply({ ...untimed, timeMs: t(1), data: { a: 1 } });
    await apply({ type: 'updateUser', timeMs: t(5), data: { a: 2 } });
    await apply({ ...untimed, timeMs: t(50) }, true);
    expect(await record()).toMatchObject({
      data: { a: 2, b: 1 },
      firstLogin: t(1),
      lastLogin: t(1),
      updated: t(5),
    });
    expect(await visitor()).toMatchObject({ users: [{ id: 'u1', time: t(1) }] });
    await apply({ type: 'logout', isOwnTime: false, timeMs: t(60) });
    await apply({ timeMs: t(70) });
    await apply({ type: 'logout', isOwnTime: false, timeMs: t(80) }, true);
    expect(await visitor()).toMatchObject({ user: 'u1' });
  });

  it('holds 128 members and 64 KiB, and says when it is full', async () => {
    const many = Object.fromEntries(Array.from({ length: 130 }, (_none, i) => [`m${i}`, i]));
    await apply({ data: many });
    expect(Object.keys((await record())?.data ?? {})).toHaveLength(limits.userRecordMembersMax);
    expect(await record()).toMatchObject({ full: true });
    for (let i = 0; i < 12; i++) await apply({ userId: 'u2', data: { [`big${i}`]: 'x'.repeat(8000) } });
    expect(Object.keys((await record('u2'))?.data ?? {})).toHaveLength(8);
    await apply({ userId: 'u2', timeMs: t(1), data: { big0: 'small', more: 1 } });
    expect((await record('u2'))?.data).toMatchObject({ big0: 'small', more: 1 });
  });

  it('names the latest 100 visitors, and a visitor the latest 20 users', async () => {
    for (let i = 0; i < 105; i++) await apply({ timeMs: t(i), visitorId: `v${i}` });
    expect((await record())?.visitors.map(({ id }) => id)).toEqual(
      Array.from({ length: limits.visitorsPerUserMax }, (_none, i) => `v${104 - i}`),
    );
    for (let i = 0; i < 25; i++) await apply({ timeMs: t(200 + i), visitorId: 'shared', userId: `s${i}` });
    await apply({ type: 'logout', timeMs: t(300), visitorId: 'shared', userId: undefined });
    const shared = await visitor('shared');
    expect(shared?.user).toBeNull();
    expect(shared?.users.map(({ id }) => id)).toEqual(
      Array.from({ length: limits.usersPerVisitorMax }, (_none, i) => `s${24 - i}`),
    );
  });
});

describe('a property', () => {
  it('that is gone or being deleted takes no users, and its deletion takes all of them', async () => {
    await apply({ data: { a: 1 } });
    const keys = new PropertyKeys(property);
    await deleteProperty(redis.connection, property);
    expect(await redis.connection.call('KEYS', [keys.pattern])).toEqual([]);
    for (const generation of [undefined, '!mark']) {
      if (generation !== undefined) await redis.connection.call('SET', [keys.generation, generation]);
      await expect(apply({ data: { a: 1 } })).rejects.toMatchObject({ code: 'CB_PROPERTY_DELETING' });
    }
    expect(await redis.connection.call('KEYS', [keys.pattern])).toEqual([keys.generation]);
  });

  it('has users of its own', async () => {
    await apply({});
    expect(
      await readUserRecord(redis.connection, { account: 'test', property: 'other' }, 'u1'),
    ).toBeUndefined();
  });

  it('forgets whose a visitor was after 400 days, and keeps the record', async () => {
    await apply({});
    const keys = new PropertyKeys(property);
    expect(await redis.connection.call('TTL', [keys.usersOfVisitor('v1')])).toBe(400 * 86_400);
    expect(await redis.connection.call('TTL', [keys.userRecord('u1')])).toBe(-1);
  });
});
