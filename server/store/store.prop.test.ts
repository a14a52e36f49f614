/** The store against a naive twin: plain sets and maps that see the same events in the same order. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { bucketName, dayName, granularities, parseBucket, type TimeBucket } from '../base/time-bucket.ts';
import { type Counted, countBucket, countKnownVisitors } from './counts.ts';
import type { CommitOutcome, EventRecord } from './event-record.ts';
import { eventKeyName, sourceKeyName } from './keys.ts';
import { startTestRedis, type TestRedis, testEvent } from './redis.testing.ts';
import { defaultRetention } from './retention.ts';
import { readSessionInfo } from './session-info.ts';
import { PropertyStore } from './store.ts';
import { readTotals } from './totals.ts';
import { judgeSeq } from './window.ts';

const property = { account: 'demo', property: 'a:b' };
const startMs = Date.UTC(2026, 10, 20, 23, 0);
const nowMs = startMs + 2 * 86_400_000;
let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());
const newStore = () => new PropertyStore(redis.connection, property, { clock: new ManualClock(nowMs) });

interface SessionTwin {
  day: string;
  events: number;
  views: number;
  firstSeen: number;
  lastSeen: number;
}

class Twin {
  readonly visitors = new Map<
    string,
    {
      what: Counted;
      bucket: string;
      ids: Set<string>;
    }
  >();
  readonly known = new Set<string>();
  readonly byType: Record<string, number> = {};
  readonly bots: Record<string, number> = {};
  readonly sessions = new Map<string, SessionTwin>();
  documents = 0;
  readonly #windows = new Map<string, string>();
  readonly #eventIds = new Set<string>();

  commit(event: EventRecord): CommitOutcome {
    const outcome = this.#judge(event);
    if (outcome !== 'accepted') return outcome;
    this.documents++;
    const { isBot } = event;
    if (!isBot) this.known.add(event.visitorId);
    const types = isBot ? this.bots : this.byType;
    types[event.type] = (types[event.type] ?? 0) + 1;
    for (const granularity of granularities) {
      const bucket = bucketName(event.timeMs, granularity);
      const ofEvent = { event: event.type, isBot };
      this.#visit(`${eventKeyName(event.type, isBot)} ${bucket}`, ofEvent, bucket, event.visitorId);
      if (event.source === undefined) continue;
      const what = { source: event.source, campaign: event.campaign, isBot };
      const name = sourceKeyName(event.source, event.campaign, isBot);
      this.#visit(`${name} ${bucket}`, what, bucket, event.visitorId);
    }
    if (event.sessionId !== undefined) this.#addToSession(event.sessionId, event);
    return 'accepted';
  }

  #visit(key: string, what: Counted, bucket: string, visitor: string): void {
    const entry = this.visitors.get(key) ?? { what, bucket, ids: new Set() };
    entry.ids.add(visitor);
    this.visitors.set(key, entry);
  }

  #addToSession(id: string, event: EventRecord): void {
    const { timeMs } = event;
    const session = this.sessions.get(id) ?? {
      day: dayName(event.sessionStartMs ?? timeMs),
      events: 0,
      views: 0,
      firstSeen: timeMs,
      lastSeen: timeMs,
    };
    session.events++;
    if (event.type === 'view') session.views++;
    session.firstSeen = Math.min(session.firstSeen, timeMs);
    session.lastSeen = Math.max(session.lastSeen, timeMs);
    this.sessions.set(id, session);
  }

  #judge(event: EventRecord): CommitOutcome {
    if (event.seq > 0 && event.sessionId !== undefined) {
      const tab = JSON.stringify([event.sessionId, event.tabId]);
      const verdict = judgeSeq(this.#windows.get(tab) ?? '', event.seq);
      if (verdict.status === 'accepted') this.#windows.set(tab, verdict.window);
      return verdict.status;
    }
    if (event.eventId === undefined) return 'accepted';
    if (this.#eventIds.has(event.eventId)) return 'duplicate';
    this.#eventIds.add(event.eventId);
    return 'accepted';
  }
}

const small = (max: number) => fc.integer({ min: 0, max });
const anyEvent: fc.Arbitrary<EventRecord> = fc
  .record({
    visitor: small(6),
    session: fc.option(small(5), { nil: undefined }),
    type: fc.constantFrom('heartbeat', 'heartbeat', 'view', 'x:y', 'heart{beat}'),
    minutes: fc.oneof(small(3), small(47 * 60)),
    started: fc.boolean(),
    tab: small(2),
    seq: fc.oneof(small(12), small(12), fc.constantFrom(1030, 1031, 2100, 11_000, 12_001, 30_000)),
    eventId: fc.option(small(8), { nil: undefined }),
    source: fc.option(fc.constantFrom('news', 'a:b', ''), { nil: undefined }),
    campaign: fc.option(fc.constantFrom('-', 'spring'), { nil: undefined }),
    // Anybody may be a bot once and a person later.
    isBot: fc.constantFrom(false, false, false, true),
  })
  .map((parts) =>
    testEvent({
      visitorId:
        parts.visitor % 2 === 0
          ? `visitor ${parts.visitor}`
          : `3e0a6b52-7f6d-4a8e-9d7c-00000000000${parts.visitor}`,
      sessionId: parts.session === undefined ? undefined : `s:${parts.session}`,
      type: parts.type,
      timeMs: startMs + parts.minutes * 60_000,
      sessionStartMs: parts.started ? startMs + (parts.session ?? 0) * 3_600_000 : undefined,
      tabId: parts.tab === 0 ? '' : `tab ${parts.tab}`,
      seq: parts.session === undefined ? 0 : parts.seq,
      eventId: parts.eventId === undefined ? undefined : `e${parts.eventId}`,
      source: parts.source,
      campaign: parts.campaign,
      isBot: parts.isBot,
    }),
  );

const batches = fc.array(
  fc.record({ writer: small(1), events: fc.array(anyEvent, { minLength: 1, maxLength: 40 }) }),
  { maxLength: 14 },
);

async function expectAgreement(twin: Twin): Promise<void> {
  const { connection } = redis;
  const totals = await readTotals(connection, property);
  const { byType, bots, sessions, documents } = twin;
  expect(totals).toEqual({ byType, bots, sessions: sessions.size, documents });
  expect(await countKnownVisitors(connection, property)).toBe(twin.known.size);
  for (const { what, bucket, ids } of twin.visitors.values()) {
    const reply = await countBucket(
      connection,
      property,
      what,
      parseBucket(bucket) as TimeBucket,
      nowMs,
      defaultRetention,
    );
    expect([what, bucket, reply]).toEqual([what, bucket, { count: ids.size }]);
  }
  for (const [id, session] of twin.sessions) {
    const key = `{demo::a%3Ab}::${session.day}::session_${id.replace(':', '%3A')}`;
    const { events, views, firstSeen: firstSeenMs, lastSeen: lastSeenMs } = session;
    expect([id, await readSessionInfo(connection, key)]).toMatchObject([
      id,
      { events, views, firstSeenMs, lastSeenMs },
    ]);
  }
}

test('random batches by two stores give every count, total, session and outcome of the twin', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async (work) => {
      await redis.connection.call('FLUSHALL', []);
      const stores = [newStore(), newStore()];
      const twin = new Twin();
      for (const { writer, events } of work) {
        const outcomes = await (stores[writer] as PropertyStore).commit(events);
        expect(outcomes).toEqual(events.map((event) => twin.commit(event)));
      }
      await expectAgreement(twin);
    }),
    { numRuns: 60 },
  );
});

test('the window in the script is the window in window.ts, to the letter', async () => {
  const step = fc.oneof(small(30), small(1200), small(4000), fc.constantFrom(9999, 10_000, 10_001));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { maxLength: 12 }),
      fc.boolean(),
      async (work, climbing) => {
        await redis.connection.call('FLUSHALL', []);
        const store = newStore();
        let window = '';
        for (const steps of work) {
          const highest = climbing ? Number.parseInt(window || '0', 10) : 0;
          // Half of the runs move around the highest number, where the window's two edges are.
          const seqs = steps.map((value) =>
            Math.max(1, climbing && value % 2 === 0 ? highest - 1030 + (value % 40) : highest + value),
          );
          const outcomes = await store.commit(
            seqs.map((seq) => testEvent({ sessionId: 's', tabId: 't', seq })),
          );
          const expected = seqs.map((seq) => {
            const verdict = judgeSeq(window, seq);
            window = verdict.window;
            return verdict.status;
          });
          expect(outcomes).toEqual(expected);
          const stored = await readSessionInfo(redis.connection, '{demo::a%3Ab}::2026-11-21::session_s');
          expect(stored?.tabs.get('t')?.window ?? '').toBe(window);
        }
      },
    ),
    { numRuns: 150 },
  );
});
