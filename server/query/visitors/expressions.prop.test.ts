/** Expressions over random crowds against plain sets: at borders of time and of segments, lists and bitmaps alike. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { startTestRedis, type TestRedis } from '../../store/redis.testing.ts';
import { defaultRetention } from '../../store/retention.ts';
import { PropertyStore } from '../../store/store.ts';
import { answerVisitorQuestion } from './answer.ts';
import { commitFacts, type Fact, has, makeBitmaps, startIdsAt, visitorsWith } from './crowd.testing.ts';
import type { Expression, NamedLeaf, TimeRange } from './question.ts';

const property = { account: 'demo', property: 'site' };
const minuteMs = 60_000;
let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

/** Minutes around these: midnight, the ends of a month, a February and a year. */
const borders = [Date.UTC(2026, 10, 21), Date.UTC(2026, 11, 1), Date.UTC(2027, 0, 1), Date.UTC(2028, 2, 1)];
const leaves: readonly NamedLeaf[] = [
  { event: 'view' },
  { event: 'a:b' },
  { source: 'mail', campaign: undefined },
  { source: 'mail', campaign: 'spring' },
  { source: 'mail', anyCampaign: true },
  { source: 'm*il', anyCampaign: true },
  { event: 'never' },
];

const offset = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3000, max: 3000 }));
const anyFacts = fc.array(
  fc.record({
    visitor: fc.integer({ min: 0, max: 30 }).map((n) => `visitor ${n}`),
    offset,
    event: fc.constantFrom('view', 'a:b'),
    source: fc.constantFrom(undefined, 'mail', 'mailer'),
    isBot: fc.constantFrom(false, false, false, true),
    campaign: fc.constantFrom(undefined, 'spring'),
  }),
  { minLength: 1, maxLength: 60 },
);
const anyRange = fc.record({ from: offset, minutes: fc.integer({ min: 1, max: 4000 }) });

type Sketch =
  | { readonly leaf: number; readonly own: { from: number; minutes: number } | undefined }
  | { readonly all: true }
  | { readonly anyEvent: true }
  | { readonly join: 'and' | 'or' | 'minus'; readonly parts: readonly Sketch[] }
  | { readonly not: Sketch };

const { sketch } = fc.letrec<{ sketch: Sketch }>((tie) => ({
  sketch: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({
      leaf: fc.integer({ min: 0, max: leaves.length - 1 }),
      own: fc.option(anyRange, { nil: undefined, freq: 6 }),
    }),
    fc.constantFrom<Sketch>({ all: true }, { anyEvent: true }),
    fc.record({
      join: fc.constantFrom('and' as const, 'or' as const, 'minus' as const),
      parts: fc.array(tie('sketch'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ not: tie('sketch') }),
  ),
}));

const rangeOf = (border: number, { from, minutes }: { from: number; minutes: number }): TimeRange => ({
  fromMs: border + from * minuteMs,
  toMs: border + (from + minutes) * minuteMs,
});

function expressionOf(drawn: Sketch, border: number): Expression {
  if ('leaf' in drawn) {
    const range = drawn.own === undefined ? undefined : rangeOf(border, drawn.own);
    return { ...(leaves[drawn.leaf] as NamedLeaf), range };
  }
  if ('all' in drawn) return drawn;
  if ('anyEvent' in drawn) return { anyEvent: true, range: undefined };
  if ('not' in drawn) return { not: expressionOf(drawn.not, border) };
  const parts = drawn.parts.map((part) => expressionOf(part, border));
  if (drawn.join === 'and') return { and: parts };
  return drawn.join === 'or' ? { or: parts } : { minus: parts };
}

function naive(expression: Expression, facts: readonly Fact[], range: TimeRange): Set<string> {
  const people = facts.filter(({ isBot }) => isBot !== true);
  const everybody = visitorsWith(people, () => true);
  const within = (own: TimeRange | undefined) => (fact: Fact) => {
    const { fromMs, toMs } = own ?? range;
    return fact.minuteMs >= fromMs && fact.minuteMs < toMs;
  };
  if ('all' in expression) return everybody;
  if ('anyEvent' in expression) return visitorsWith(people, within(expression.range));
  if ('not' in expression) {
    const without = naive(expression.not, facts, range);
    return new Set([...everybody].filter((visitor) => !without.has(visitor)));
  }
  if ('and' in expression || 'or' in expression || 'minus' in expression) {
    const join = 'and' in expression ? expression.and : 'or' in expression ? expression.or : expression.minus;
    const [first = new Set<string>(), ...others] = join.map((part) => naive(part, facts, range));
    if ('or' in expression) return new Set([first, ...others].flatMap((set) => [...set]));
    const wanted = 'and' in expression;
    return new Set([...first].filter((visitor) => others.every((set) => set.has(visitor) === wanted)));
  }
  const isIn = within(expression.range);
  return visitorsWith(people, (fact) => isIn(fact) && has(fact, expression));
}

const anyCase = fc.record({
  border: fc.constantFrom(...borders),
  facts: anyFacts,
  sketches: fc.array(sketch, { minLength: 1, maxLength: 4 }),
  range: anyRange,
  firstId: fc.constantFrom(0, 100_000, 2 ** 20 - 8, 2 ** 21 - 15),
  bitmaps: fc.constantFrom('none', 'all', 'some'),
  // 1 us: a script for nearly each instruction.
  scriptBudgetUs: fc.constantFrom(undefined, 1, 20),
  counts: fc.constantFrom('redis' as const, 'collector' as const),
});

test('any expression over any range has the visitors that plain sets have', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyCase,
      async ({
        border,
        facts: drawn,
        sketches,
        range: drawnRange,
        firstId,
        bitmaps,
        scriptBudgetUs,
        counts,
      }) => {
        await redis.connection.call('FLUSHALL', []);
        await startIdsAt(redis.connection, property, firstId);
        // After the last event: none is stored that lies farther ahead than the planner's horizon.
        const clock = new ManualClock(border + 3 * 86_400_000);
        const facts = drawn.map((fact) => ({ ...fact, minuteMs: border + fact.offset * minuteMs }));
        for (const fact of facts) if (fact.source === undefined) fact.campaign = undefined;
        await commitFacts(new PropertyStore(redis.connection, property, { clock }), facts);
        let number = 0;
        await makeBitmaps(
          redis.connection,
          () => bitmaps === 'all' || (bitmaps === 'some' && number++ % 2 === 0),
        );
        const range = rangeOf(border, drawnRange);
        const context = {
          connection: redis.connection,
          property,
          retention: defaultRetention,
          clock,
          scriptBudgetUs,
          ways: { counts },
        };
        for (const drawnSketch of sketches) {
          const of = expressionOf(drawnSketch, border);
          const question = { range, timeoutMs: 20_000, ask: { kind: 'uniques', of } } as const;
          const reply = await answerVisitorQuestion(question, context);
          expect(reply).toMatchObject({ visitors: naive(of, facts, range).size });
        }
        expect(await redis.connection.call('KEYS', ['*tmp*'])).toEqual([]);
      },
    ),
    { numRuns: 250 },
  );
});
