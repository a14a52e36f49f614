/** Questions about many periods at once over random crowds, against plain sets. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { bucketName, granularities } from '../../base/time-bucket.ts';
import { startTestRedis, type TestRedis } from '../../store/redis.testing.ts';
import { defaultRetention } from '../../store/retention.ts';
import { PropertyStore } from '../../store/store.ts';
import { answerVisitorQuestion } from './answer.ts';
import { commitFacts, type Fact, makeBitmaps, startIdsAt, visitorsWith } from './crowd.testing.ts';
import type { Ask, Expression } from './question.ts';

const property = { account: 'demo', property: 'site' };
const minuteMs = 60_000;
const dayMs = 86_400_000;
const range = undefined;
const view: Expression = { event: 'view', range };
const pay: Expression = { event: 'pay', range };
let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

const borders = [Date.UTC(2026, 10, 21), Date.UTC(2026, 11, 1), Date.UTC(2027, 0, 1)];
const setting = {
  border: fc.constantFrom(...borders),
  facts: fc.array(
    fc.record({
      visitor: fc.integer({ min: 0, max: 12 }).map((n) => `visitor ${n}`),
      offset: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -10_000, max: 2000 })),
      event: fc.constantFrom('view', 'pay'),
      source: fc.constantFrom(undefined, 'mail', 'ads'),
    }),
    { minLength: 1, maxLength: 60 },
  ),
  firstId: fc.constantFrom(0, 2 ** 20 - 4),
  bitmaps: fc.constantFrom('none', 'all', 'some'),
  /** Minutes from the border to now: in the middle of the crowd's days, or after them. */
  now: fc.constantFrom(2001, 9000),
};

interface Setting {
  readonly border: number;
  readonly facts: readonly (Omit<Fact, 'minuteMs'> & { readonly offset: number })[];
  readonly firstId: number;
  readonly bitmaps: string;
  readonly now: number;
}

async function arrange({ border, facts: drawn, firstId, bitmaps, now }: Setting) {
  await redis.connection.call('FLUSHALL', []);
  await startIdsAt(redis.connection, property, firstId);
  // One day more, so that the finest buckets of all facts are kept.
  const clock = new ManualClock(border + now * minuteMs);
  const facts = drawn.map((fact) => ({ ...fact, minuteMs: border + fact.offset * minuteMs }));
  const retention = { ...defaultRetention, minute: 30 * dayMs };
  await commitFacts(new PropertyStore(redis.connection, property, { clock, retention }), facts);
  let number = 0;
  await makeBitmaps(redis.connection, () => bitmaps === 'all' || (bitmaps === 'some' && number++ % 2 === 0));
  const context = { connection: redis.connection, property, retention, clock };
  return { facts, context, nowMs: clock.wallMs() };
}

/** Distinct visitors with the event from `fromMs` to before `toMs`. */
const uniques = (facts: readonly Fact[], event: string | undefined, fromMs: number, toMs: number) =>
  visitorsWith(
    facts,
    (fact) =>
      (event === undefined || fact.event === event) && fact.minuteMs >= fromMs && fact.minuteMs < toMs,
  );

const both = (a: ReadonlySet<string>, b: ReadonlySet<string>): number =>
  [...a].filter((visitor) => b.has(visitor)).length;

function check(name: string, askOf: (border: number) => { from: number; to: number; ask: Ask }, twin: Twin) {
  test(name, async () => {
    await fc.assert(
      fc.asyncProperty(fc.record(setting), async (drawn) => {
        const { facts, context, nowMs } = await arrange(drawn);
        const { from, to, ask } = askOf(drawn.border);
        const question = { range: { fromMs: from, toMs: to }, timeoutMs: 20_000, ask };
        const reply = await answerVisitorQuestion(question, context);
        const expected = twin(facts, from, to, nowMs);
        for (const [member, value] of Object.entries(expected))
          expect([member, (reply as Record<string, unknown>)[member]]).toEqual([member, value]);
      }),
      { numRuns: 60 },
    );
  });
}

type Twin = (facts: readonly Fact[], fromMs: number, toMs: number, nowMs: number) => object;
const before = (border: number, minutes: number) => border - minutes * minuteMs;

for (const by of granularities) {
  const minutes = by === 'minute' ? 60 : 9000;
  check(
    `a series by ${by} has the uniques of each bucket, and of what the range has of the first and last`,
    (border) => ({
      from: before(border, minutes),
      to: border + 61 * minuteMs,
      ask: { kind: 'series', of: view, by },
    }),
    (facts, fromMs, toMs) => {
      const buckets = new Map<string, Set<string>>();
      for (let timeMs = fromMs; timeMs < toMs; timeMs += minuteMs)
        buckets.set(bucketName(timeMs, by), new Set());
      for (const { visitor, minuteMs: timeMs, event } of facts)
        if (event === 'view' && timeMs >= fromMs && timeMs < toMs)
          buckets.get(bucketName(timeMs, by))?.add(visitor);
      return { series: [...buckets].map(([bucket, { size: visitors }]) => ({ bucket, visitors })) };
    },
  );
}

check(
  'the top of sources has them by visitors, ties by name, those of the range only',
  (border) => ({
    from: before(border, 700),
    to: border + 700 * minuteMs,
    ask: { kind: 'top', what: 'sources', limit: 10, among: pay },
  }),
  (facts, fromMs, toMs) => {
    const payers = uniques(facts, 'pay', fromMs, toMs);
    const top = ['ads', 'mail'].map((source) => {
      const from = uniques(
        facts.filter((fact) => fact.source === source),
        undefined,
        fromMs,
        toMs,
      );
      return { source, visitors: both(from, payers) };
    });
    return { top: top.filter(({ visitors }) => visitors > 0).sort((a, b) => b.visitors - a.visitors) };
  },
);

check(
  'an unordered funnel has who did all steps up to each, in whatever order',
  (border) => ({
    from: before(border, 3000),
    to: border + 5 * minuteMs,
    ask: { kind: 'funnel', steps: [view, pay, { not: { source: 'mail', campaign: undefined, range } }] },
  }),
  (facts, fromMs, toMs) => {
    const viewers = uniques(facts, 'view', fromMs, toMs);
    const payers = uniques(facts, 'pay', fromMs, toMs);
    const mailed = uniques(
      facts.filter(({ source }) => source === 'mail'),
      undefined,
      fromMs,
      toMs,
    );
    const paid = [...viewers].filter((visitor) => payers.has(visitor));
    const counts = [viewers.size, paid.length, paid.filter((visitor) => !mailed.has(visitor)).length];
    return { funnel: counts.map((visitors, i) => ({ step: i + 1, visitors })) };
  },
);

for (const by of ['day', 'week'] as const) {
  const lengthMs = by === 'day' ? dayMs : 7 * dayMs;
  check(
    `retention by ${by} has each cohort and who of it came back, null for what is to come`,
    (border) => ({
      from: before(border, 7000),
      to: border + 700 * minuteMs,
      ask: { kind: 'retention', cohort: view, returning: pay, by, columns: 9 },
    }),
    (facts, fromMs, toMs, nowMs) => {
      const weekday = (new Date(fromMs).getUTCDay() + 6) % 7;
      const dayStart = Math.floor(fromMs / dayMs) * dayMs;
      const firstMs = by === 'day' ? dayStart : dayStart - weekday * dayMs;
      const rows = [];
      for (let rowMs = firstMs; rowMs < toMs; rowMs += lengthMs) {
        const cohort = uniques(facts, 'view', rowMs, rowMs + lengthMs);
        const visitors = Array.from({ length: 9 }, (_none, column) => {
          const startMs = rowMs + column * lengthMs;
          // As far as clocks may be ahead: ten minutes.
          if (startMs >= nowMs + 10 * minuteMs) return null;
          return both(cohort, uniques(facts, 'pay', startMs, startMs + lengthMs));
        });
        rows.push({ cohort: bucketName(rowMs, 'day'), size: cohort.size, visitors });
      }
      return { retention: rows };
    },
  );
}

check(
  'new and returning visitors are told apart by any earlier event',
  (border) => ({ from: border, to: border + 90 * minuteMs, ask: { kind: 'newReturning', of: view } }),
  (facts, fromMs, toMs) => {
    const now = uniques(facts, 'view', fromMs, toMs);
    const returning = both(now, uniques(facts, undefined, 0, fromMs));
    return { new: now.size - returning, returning };
  },
);

check(
  'stickiness has the visitors of each day, of 7 and of 30 days',
  (border) => ({
    from: border - 3 * dayMs,
    to: border + dayMs,
    ask: { kind: 'stickiness', of: { anyEvent: true, range } },
  }),
  (facts, fromMs, toMs) => {
    const days = [];
    for (let dayStart = fromMs; dayStart < toMs; dayStart += dayMs) {
      const [dau = 0, wau = 0, mau = 0] = [1, 7, 30].map(
        (days) => uniques(facts, undefined, dayStart - (days - 1) * dayMs, dayStart + dayMs).size,
      );
      const ratio = mau === 0 ? null : Math.round((dau / mau) * 10_000) / 10_000;
      days.push({ day: bucketName(dayStart, 'day'), dau, wau, mau, ratio });
    }
    return { stickiness: days };
  },
);

check(
  'concurrent visitors are those of each minute and the window before it, and the peak is the most',
  (border) => ({
    from: before(border, 6),
    to: border + 6 * minuteMs,
    ask: { kind: 'concurrent', of: { event: 'view' }, windowMinutes: 3 },
  }),
  (facts, fromMs, toMs) => {
    const points = [];
    for (let timeMs = fromMs; timeMs < toMs; timeMs += minuteMs) {
      const visitors = uniques(facts, 'view', timeMs - 2 * minuteMs, timeMs + minuteMs).size;
      points.push({ minute: bucketName(timeMs, 'minute'), visitors });
    }
    const most = Math.max(...points.map(({ visitors }) => visitors));
    return { concurrent: points, peak: points.find(({ visitors }) => visitors === most) };
  },
);
