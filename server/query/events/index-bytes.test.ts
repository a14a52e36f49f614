import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { PropertyKeys } from '../../store/keys.ts';
import { pollUntil, startTestRedis, type TestRedis } from '../../store/redis.testing.ts';
import { PropertyStore } from '../../store/store.ts';
import { openEventSources } from './event-source.ts';
import { heartbeat } from './heartbeats.testing.ts';
import { measureIndexBytes } from './index-bytes.testing.ts';
import { Sealer } from './sealer.ts';
import { segmentEvents } from './stored-events.testing.ts';

const property = { account: 'demo', property: 'site' };
const batch = 128;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

/** When all that was unlinked is really given back. */
async function usedMemory(): Promise<number> {
  let info = '';
  await pollUntil(async () => {
    info = String(await redis.connection.call('INFO', ['memory']));
    return info.includes('lazyfree_pending_objects:0');
  }, 'Redis gives back no memory');
  return Number(/used_memory:(\d+)/.exec(info)?.[1]);
}

describe('a persisted heartbeat', () => {
  // Places and addresses as of a real crowd; that of a simulator, all from one address, costs 71 bytes.
  it('costs Redis at most 100 bytes, document and index, of 100,000 visitors with an address each', {
    timeout: 120_000,
  }, async () => {
    const crowd = { visitors: 100_000, isSpread: true };
    const store = new PropertyStore(redis.connection, property, { clock: systemClock });
    for (let at = 0; at < segmentEvents; at += batch)
      await store.commit(Array.from({ length: batch }, (_none, i) => heartbeat(at + i, crowd)));
    const sealer = new Sealer({ connection: redis.connection });
    sealer.use(property);
    expect(await sealer.sealDue()).toBe(1);
    const bytes = await measureIndexBytes(redis.connection, property, 0, segmentEvents);
    expect(bytes.documents).toBe(0);
    expect(bytes.total).toBeLessThanOrEqual(100);

    const sources = openEventSources(redis.connection);
    const [segment] = await sources.of(property).segments();
    const positions = [0, 511, 512, 40_000, segmentEvents - 1];
    expect(segment?.isSealed).toBe(true);
    expect(await segment?.documents(positions)).toEqual(
      positions.map((n) => JSON.parse(heartbeat(n, crowd).json)),
    );
    sources.close();

    // What Redis gives back when the segment goes must agree with what it says of the keys.
    const used = await usedMemory();
    const keys = new PropertyKeys(property);
    await redis.connection.call('UNLINK', [
      keys.segmentColumns(0),
      keys.segmentPages(0),
      keys.segmentMeta(0),
    ]);
    expect(Math.abs((used - (await usedMemory())) / segmentEvents - bytes.total)).toBeLessThan(5);
  });
});
