import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { PropertyKeys } from './keys.ts';
import { startTestRedis, type TestRedis, testEvent } from './redis.testing.ts';
import { sealedVersionField } from './segment-meta.ts';
import {
  beginSealing,
  releaseSealLease,
  type SealTicket,
  stageFields,
  switchToSealed,
  takeSealLease,
} from './segment-seal.ts';
import { PropertyStore } from './store.ts';

const property = { account: 'demo', property: 'site' };
const keys = new PropertyKeys(property);
const page = Buffer.from('page');

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

const call = (command: string, ...args: string[]): Promise<unknown> => redis.connection.call(command, args);

let ticket: SealTicket;
beforeEach(async () => {
  await call('FLUSHALL');
  await new PropertyStore(redis.connection, property, { clock: systemClock }).commit([testEvent()]);
  const generation = String(await call('GET', keys.generation));
  ticket = { connection: redis.connection, keys, generation, number: 0, token: 'mine', leaseMs: 60_000 };
});

/** All steps after the lease was taken, each of which must find the segment its own. */
const steps: readonly (readonly [name: string, step: () => Promise<boolean>])[] = [
  ['removing leftovers', () => beginSealing(ticket)],
  ['writing a page', () => stageFields(ticket, keys.segmentPages(0), [['1', page]])],
  ['the switch', () => switchSegment()],
];

function switchSegment(pages = 1): Promise<boolean> {
  const entry = { token: 'mine', count: 1, pageEvents: 512, newestMs: 5 };
  const meta = { fields: [], lifted: [], ranges: [] };
  return switchToSealed(ticket, entry, meta, { columnFields: 1, pages });
}

async function stageAll(): Promise<void> {
  expect(await takeSealLease(ticket)).toBe(true);
  expect(await beginSealing(ticket)).toBe(true);
  expect(await stageFields(ticket, keys.segmentPages(0), [['0', page]])).toBe(true);
  expect(await stageFields(ticket, keys.segmentColumns(0), [['a', page]])).toBe(true);
}

/** Everything of the segment, to see that nothing was changed. */
const dump = async (): Promise<unknown[]> => [
  await call('HGETALL', keys.segmentPages(0)),
  await call('HGETALL', keys.segmentColumns(0)),
  await call('EXISTS', keys.segmentMeta(0), keys.sealed),
];

describe('a step of sealing', () => {
  it('is taken while the lease, the property and the chunks are there, and prolongs the lease', async () => {
    await stageAll();
    await call('PEXPIRE', keys.sealLease, '5000');
    expect(await switchSegment()).toBe(true);
    expect(Number(await call('PTTL', keys.sealLease))).toBeGreaterThan(5000);
    expect(await call('EXISTS', keys.documents(0), keys.directory(0))).toBe(0);
    expect(await call('HGET', keys.sealed, '0')).toBe('mine:1:512:5');
    expect(await call('HGET', keys.sealed, sealedVersionField)).toBe('1');
  });

  const obstacles: readonly (readonly [name: string, put: () => Promise<unknown>])[] = [
    ['another has the lease', () => call('SET', keys.sealLease, 'another')],
    ['the lease has ended', () => call('DEL', keys.sealLease)],
    ['the property is another', () => call('SET', keys.generation, 'another')],
    ['the property is being deleted', () => call('SET', keys.generation, `!${ticket.generation}`)],
    ['the chunks have gone', () => call('DEL', keys.documents(0))],
  ];
  for (const [obstacle, put] of obstacles)
    it.each(steps)(`changes nothing when ${obstacle}: %s`, async (_name, step) => {
      await stageAll();
      await put();
      const before = await dump();
      expect(await step()).toBe(false);
      expect(await dump()).toEqual(before);
    });

  it('does not switch when something that was written is not there', async () => {
    await stageAll();
    const before = await dump();
    expect(await switchSegment(2)).toBe(false);
    await call('HSET', keys.segmentColumns(0), 'b', 'more than was said');
    expect(await switchSegment()).toBe(false);
    await call('HDEL', keys.segmentColumns(0), 'b');
    expect(await dump()).toEqual(before);
  });
});

describe('the lease', () => {
  it('is one holder’s, and only the holder gives it back', async () => {
    expect(await takeSealLease(ticket)).toBe(true);
    const other = { ...ticket, token: 'other' };
    expect(await takeSealLease(other)).toBe(false);
    await releaseSealLease(other);
    expect(await takeSealLease(other)).toBe(false);
    await releaseSealLease(ticket);
    expect(await takeSealLease(other)).toBe(true);
  });

  it('is not given for a property that is another one by now', async () => {
    expect(await takeSealLease({ ...ticket, generation: 'another' })).toBe(false);
    expect(await call('EXISTS', keys.sealLease)).toBe(0);
  });
});
