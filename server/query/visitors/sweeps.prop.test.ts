/** Ordered funnels and attribution over random crowds, against twins that look at each visitor's minutes one by one. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { startTestRedis, type TestRedis } from '../../store/redis.testing.ts';
import { defaultRetention } from '../../store/retention.ts';
import { PropertyStore } from '../../store/store.ts';
import type { QueryWays } from '../../store/visitor-scripts.ts';
import { answerVisitorQuestion } from './answer.ts';
import { commitFacts, type Fact, has, makeBitmaps, startIdsAt } from './crowd.testing.ts';
import type { Ask, NamedLeaf, TimeRange } from './question.ts';

const property = { account: 'demo', property: 'site' };
const minuteMs = 60_000;
let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

const borders = [Date.UTC(2026, 10, 21), Date.UTC(2026, 11, 1), Date.UTC(2027, 0, 1)];
const events = ['view', 'cart', 'pay'];
/** Near each other, so that order and windows matter; now and then far away. */
const offset = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -6, max: 6 }) },
  fc.integer({ min: -200, max: 200 }),
  fc.integer({ min: -2900, max: 1400 }),
);
const anyFacts = fc.array(
  fc.record({
    visitor: fc.integer({ min: 0, max: 6 }).map((n) => `visitor ${n}`),
    offset,
    event: fc.constantFrom(...events),
    source: fc.constantFrom(undefined, 'mail', 'ads', 'blog'),
  }),
  { minLength: 1, maxLength: 60, size: 'max' },
);
const anyRange = fc.record({
  from: fc.oneof(offset, fc.constantFrom(-1440, -60, -30)),
  minutes: fc.integer({ min: 1, max: 3000 }),
});
const setting = {
  border: fc.constantFrom(...borders),
  facts: anyFacts,
  range: anyRange,
  firstId: fc.constantFrom(0, 100_000, 2 ** 20 - 4),
  bitmaps: fc.constantFrom('none', 'all', 'some'),
  ways: fc.constantFrom<QueryWays | undefined>(
    undefined,
    { funnel: 'members' },
    { funnel: 'bounds' },
    { funnel: 'blocks' },
  ),
};

interface Setting {
  readonly border: number;
  readonly facts: readonly (Omit<Fact, 'minuteMs'> & { readonly offset: number })[];
  readonly range: { readonly from: number; readonly minutes: number };
  readonly firstId: number;
  readonly bitmaps: string;
  readonly ways?: QueryWays | undefined;
}

/** Stores the crowd. Gives its facts, the range, and how to ask. */
async function arrange({ border, facts: drawn, range: { from, minutes }, firstId, bitmaps, ways }: Setting) {
  await redis.connection.call('FLUSHALL', []);
  await startIdsAt(redis.connection, property, firstId);
  const clock = new ManualClock(border + 2 * 86_400_000);
  const facts = drawn.map((fact) => ({ ...fact, minuteMs: border + fact.offset * minuteMs }));
  await commitFacts(new PropertyStore(redis.connection, property, { clock }), facts);
  let number = 0;
  await makeBitmaps(redis.connection, () => bitmaps === 'all' || (bitmaps === 'some' && number++ % 2 === 0));
  const range = { fromMs: border + from * minuteMs, toMs: border + (from + minutes) * minuteMs };
  const context = { connection: redis.connection, property, retention: defaultRetention, clock, ways };
  const ask = (question: Ask) => answerVisitorQuestion({ range, timeoutMs: 20_000, ask: question }, context);
  return { facts, range, ask };
}

const minutesOf = (facts: readonly Fact[], visitor: string, leaves: readonly NamedLeaf[]): number[] =>
  facts
    .filter((fact) => fact.visitor === visitor && leaves.some((leaf) => has(fact, leaf)))
    .map(({ minuteMs }) => minuteMs / 60_000)
    .sort((a, b) => a - b);

const inRange = (facts: readonly Fact[], { fromMs, toMs }: TimeRange): Fact[] =>
  facts.filter(({ minuteMs: atMs }) => atMs >= fromMs && atMs < toMs);

/** How many steps the visitor came, trying every beginning. */
function stepsOf(ofSteps: readonly (readonly number[])[], windowMinutes: number): number {
  let best = 0;
  for (const began of ofSteps[0] ?? []) {
    let at = began;
    let steps = 0;
    for (const minutes of ofSteps) {
      const next = minutes.find((minute) => minute >= at);
      if (next === undefined || next - began > windowMinutes) break;
      at = next;
      steps++;
    }
    best = Math.max(best, steps);
  }
  return best;
}

const anyStep = fc.constantFrom<readonly NamedLeaf[]>(
  [{ event: 'view' }],
  [{ event: 'cart' }],
  [{ event: 'pay' }],
  [{ event: 'cart' }, { event: 'pay' }],
  [{ source: 'mail', campaign: undefined }],
  [{ source: 'ads', anyCampaign: true }],
  [{ event: 'never' }],
);

test('an ordered funnel has at each step whom a look at every visitor finds, with any window', async () => {
  const anyCase = fc.record({
    ...setting,
    steps: fc.array(anyStep, { minLength: 1, maxLength: 4 }),
    windowMinutes: fc.constantFrom(undefined, 0, 1, 5, 90, 5000),
  });
  await fc.assert(
    fc.asyncProperty(anyCase, async ({ steps, windowMinutes, ...drawn }) => {
      const { facts, range, ask } = await arrange(drawn);
      const inside = inRange(facts, range);
      const visitors = [...new Set(inside.map(({ visitor }) => visitor))];
      const came = visitors.map((visitor) =>
        stepsOf(
          steps.map((leaves) => minutesOf(inside, visitor, leaves)),
          windowMinutes ?? Number.POSITIVE_INFINITY,
        ),
      );
      const expected = steps.map((_step, k) => ({ step: k + 1, visitors: came.filter((n) => n > k).length }));
      const reply = await ask({ kind: 'orderedFunnel', steps, windowMinutes });
      expect(reply).toMatchObject({ funnel: expected });
    }),
    { numRuns: 120 },
  );
});

test('attribution has for first, last and any touch what a look at every visitor finds', async () => {
  const anyCase = fc.record({ ...setting, touchesBefore: fc.constantFrom(undefined, 0, 7, 300) });
  await fc.assert(
    fc.asyncProperty(anyCase, async ({ touchesBefore, ...drawn }) => {
      const { facts, range, ask } = await arrange(drawn);
      const goal: readonly NamedLeaf[] = [{ event: 'pay' }];
      const touchesFromMs = touchesBefore === undefined ? undefined : range.fromMs - touchesBefore * minuteMs;
      const reply = await ask({ kind: 'attribution', goal, touchesFromMs, sources: undefined });
      expect(reply).toMatchObject(naiveAttribution(facts, range, touchesFromMs ?? range.fromMs));
    }),
    { numRuns: 80 },
  );
});

function naiveAttribution(facts: readonly Fact[], range: TimeRange, touchesFromMs: number) {
  const sources = ['ads', 'blog', 'mail'].map((source) => ({ source, first: 0, last: 0, any: 0 }));
  const visitors = [...new Set(facts.map(({ visitor }) => visitor))];
  let [conversions, untouched] = [0, 0];
  for (const visitor of visitors) {
    const [converted] = minutesOf(inRange(facts, range), visitor, [{ event: 'pay' }]);
    if (converted === undefined) continue;
    conversions++;
    const within = { fromMs: touchesFromMs, toMs: (converted + 1) * minuteMs };
    const touches = sources.map(({ source }) =>
      minutesOf(inRange(facts, within), visitor, [{ source, campaign: undefined }]),
    );
    if (touches.every((minutes) => minutes.length === 0)) untouched++;
    const earliest = Math.min(...touches.flat());
    const latest = Math.max(...touches.flat());
    const first = sources[touches.findIndex((minutes) => minutes.includes(earliest))];
    const last = sources[touches.findIndex((minutes) => minutes.includes(latest))];
    if (first !== undefined) first.first++;
    if (last !== undefined) last.last++;
    sources.forEach((source, i) => {
      if ((touches[i]?.length ?? 0) > 0) source.any++;
    });
  }
  return { conversions, untouched, attribution: sources.filter(({ any }) => any > 0) };
}

test('who took the steps in the other order within one hour, or one day, has not come through the funnel', async () => {
  const fact = (visitor: string, minute: number, event: string) => ({ visitor, offset: minute, event });
  const { ask } = await arrange({
    border: Date.UTC(2026, 10, 21),
    // In order, in one minute, the other way round within an hour, within a day; and both ways.
    facts: [
      ...[fact('a', 3, 'view'), fact('a', 4, 'pay'), fact('b', 7, 'pay'), fact('b', 7, 'view')],
      ...[fact('c', 8, 'view'), fact('c', 2, 'pay'), fact('d', 700, 'view'), fact('d', 20, 'pay')],
      ...[fact('e', 50, 'pay'), fact('e', 51, 'view'), fact('e', 1400, 'pay')],
    ],
    range: { from: 0, minutes: 1440 },
    firstId: 0,
    bitmaps: 'none',
  });
  const steps = [[{ event: 'view' }], [{ event: 'pay' }]];
  const came = async (windowMinutes: number | undefined) =>
    ask({ kind: 'orderedFunnel', steps, windowMinutes });
  expect(await came(undefined)).toMatchObject({ funnel: [{ visitors: 5 }, { visitors: 3 }] });
  expect(await came(1348)).toMatchObject({ funnel: [{ visitors: 5 }, { visitors: 2 }] });
  expect(await came(1349)).toMatchObject({ funnel: [{ visitors: 5 }, { visitors: 3 }] });
  expect(await came(0)).toMatchObject({ funnel: [{ visitors: 5 }, { visitors: 1 }] });
});
