import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { startTestCollector, type TestCollector } from './collector.testing.ts';

const nowMs = Date.parse('2026-11-21T17:05:09Z');
const clock = { ...systemClock, wallMs: () => nowMs };
const minuteMs = 60_000;
const dayMs = 86_400_000;

let test: TestCollector | undefined;
afterEach(() => test?.stop());

async function start(...options: Parameters<typeof startTestCollector>): Promise<TestCollector> {
  test = await startTestCollector({ clock, ...options[0] });
  return test;
}

const eventAt = (timeMs: number, session = 's') => ({
  event: { type: 'view', seq: 1, time: timeMs },
  session: { id: session, start: timeMs },
  visitor: { id: session },
});
const count = async (bucket: string) => (await test?.get(`/count?event=view&bucket=${bucket}`))?.json;
const keysLike = async (pattern: string) =>
  ((await test?.redis.connection.call('KEYS', [pattern])) as string[] | undefined)?.sort() ?? [];

describe('an event that comes late', () => {
  it('counts in the minute of its own time', async () => {
    const { write } = await start();
    await write(eventAt(nowMs - 7 * dayMs));
    expect(await count('2026-11-14-17-05')).toEqual({ count: 1 });
    expect(await count('2026-11-14')).toEqual({ count: 1 });
    expect(await count('2026-11-21')).toEqual({ count: 0 });
    expect(await count('2026')).toEqual({ count: 1 });
    expect(await keysLike('*session_index*')).toEqual(['{demo::site}::session_index::2026-11-14']);
  });

  it('or too early counts when it is received, if it is out of limits', async () => {
    const { write } = await start();
    await write([eventAt(nowMs - 7 * dayMs - 1, 'a'), eventAt(nowMs + 5 * minuteMs + 1, 'b')]);
    expect(await count('2026-11-14')).toEqual({ count: 0 });
    expect(await count('2026-11-21-17-05')).toEqual({ count: 2 });
    expect(await keysLike('*session_index*')).toEqual(['{demo::site}::session_index::2026-11-21']);
  });

  it('has other limits where the collector was told so', async () => {
    const { write } = await start({ timeLimits: { ageMs: dayMs, aheadMs: 60 * minuteMs } });
    await write([
      eventAt(nowMs - dayMs - 1, 'a'),
      eventAt(nowMs - dayMs, 'b'),
      eventAt(nowMs + 60 * minuteMs, 'c'),
    ]);
    expect(await count('2026-11-20-17-05')).toEqual({ count: 1 });
    expect(await count('2026-11-21-17-05')).toEqual({ count: 1 });
    expect(await count('2026-11-21-18-05')).toEqual({ count: 1 });
  });

  it('and is 390 days old writes the day, the month and the year, which have not expired, and nothing else', async () => {
    const { write } = await start({ timeLimits: { ageMs: 400 * dayMs } });
    await write(eventAt(nowMs - 390 * dayMs));
    expect(await keysLike('*evt:*')).toEqual([
      '{demo::site}::evt:view::2025',
      '{demo::site}::evt:view::2025-10',
      '{demo::site}::evt:view::2025-10-27',
    ]);
    for (const bucket of ['2025', '2025-10', '2025-10-27']) expect(await count(bucket)).toEqual({ count: 1 });
    for (const bucket of ['2025-10-27-17', '2025-10-27-17-05'])
      expect(await count(bucket)).toEqual({ expired: true });
  });

  it('of such a day has a session that lives for nine days, so that it is still counted once', async () => {
    const { write, redis } = await start({ timeLimits: { ageMs: 400 * dayMs } });
    const old = eventAt(nowMs - 390 * dayMs);
    await write(old);
    expect((await write(old)).json).toMatchObject({ duplicates: 1 });
    const sessions = [...(await keysLike('*session_*')), ...(await keysLike('*sess::*'))];
    expect(sessions).toHaveLength(3);
    for (const key of sessions) {
      const seconds = Number(await redis.connection.call('TTL', [key]));
      expect(seconds, key).toBeGreaterThan(9 * 86_400 - 60);
      expect(seconds, key).toBeLessThanOrEqual(9 * 86_400 + 3600);
    }
    expect((await test?.get('/totals'))?.json).toMatchObject({ sessions: 1, documents: 1 });
  });
});
