import { expect, test } from 'vitest';
import { expectedEventsPerSecond, expectedEventsPerVisit, expectedVisit } from './closed-form.ts';
import { type PlannedAct, playSlot, playVisit, testCrowd } from './plan.testing.ts';
import { shop } from './shop.ts';
import { parseSite } from './site.ts';
import { acts } from './visitor.ts';

const visits = 20_000;
const crowd = testCrowd();
const played: PlannedAct[][] = Array.from({ length: visits }, (_value, slot) =>
  playVisit(crowd.firstVisitor(slot, 0)),
);

/** The mean of `measure` over all visits must lie within 5 standard errors, from the sample, of `expected`. */
function expectMean(measure: (visit: readonly PlannedAct[]) => number, expected: number): void {
  const values = played.map(measure);
  const mean = values.reduce((sum, value) => sum + value, 0) / visits;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / visits;
  expect(Math.abs(mean - expected)).toBeLessThan(5 * Math.sqrt(variance / visits));
}

const viewsOf = (visit: readonly PlannedAct[]): PlannedAct[] => visit.filter((act) => act.kind === acts.view);

test('a chain solved by hand: home and item, where 3 of 4 go on and a third of those again', () => {
  const reading = { medianMs: 1000, sigma: 0 };
  const site = parseSite({
    name: 'two',
    origin: 'https://two.example',
    entry: { home: 1 },
    pages: {
      home: { path: '/', title: 'Home', reading, next: { item: 3, exit: 1 } },
      item: { path: '/item', title: 'Item', reading, next: { item: 1, home: 1, exit: 1 } },
    },
    sources: [{ weight: 1 }],
    returningShare: 0,
  });
  // h = 1 + i/3 and i = 3h/4 + i/3, so h = 1.6 and i = 1.8.
  const visit = expectedVisit(site);
  expect(visit.visitRatios['home']).toBeCloseTo(1.6, 12);
  expect(visit.visitRatios['item']).toBeCloseTo(1.8, 12);
  expect(visit.pagesPerVisit).toBeCloseTo(3.4, 12);
  expect(visit.bounceShare).toBeCloseTo(0.25, 12);
});

test('the built-in shop is as its description says', () => {
  const visit = expectedVisit(shop);
  expect(visit.pagesPerVisit).toBeCloseTo(4.9, 1);
  expect(visit.bounceShare).toBeCloseTo(0.29, 2);
  expect(Math.round(visit.sessionMs / 1000)).toBe(86);
});

test.each(Object.entries(expectedVisit(shop).visitRatios))(
  'the crowd sees %s pages as often as the chain says: %d times a visit',
  (kind, ratio) => {
    expectMean(
      (visit) => viewsOf(visit).filter((act) => crowd.pages[act.pageIndex]?.kind === kind).length,
      ratio,
    );
  },
);

test('the crowd has the expected pages per visit and bounce share', () => {
  const expected = expectedVisit(shop);
  expectMean((visit) => viewsOf(visit).length, expected.pagesPerVisit);
  expectMean((visit) => (viewsOf(visit).length === 1 ? 1 : 0), expected.bounceShare);
});

test('the crowd has the expected session length', () => {
  expectMean((visit) => visit.at(-1)?.dueMs ?? 0, expectedVisit(shop).sessionMs);
});

test('the crowd sends the expected number of events per visit', () => {
  expectMean((visit) => visit.length - 1, expectedEventsPerVisit(shop, 5000));
  expect(expectedEventsPerVisit(shop, 0)).toBe(1 + expectedVisit(shop).pagesPerVisit);
});

test('products are viewed as often as Zipf’s law says: the first 2^0.9 times as often as the second', () => {
  const first = crowd.pages.findIndex((page) => page.kind === 'product');
  const views = played.flat().filter((act) => act.kind === acts.view);
  const count = (rank: number): number => views.filter((act) => act.pageIndex === first + rank - 1).length;
  const products = views.filter((act) => crowd.pages[act.pageIndex]?.kind === 'product').length;
  const norm = Array.from({ length: 400 }, (_value, index) => (index + 1) ** -0.9).reduce((a, b) => a + b);
  for (const rank of [1, 2, 10, 100]) {
    const share = rank ** -0.9 / norm;
    expect(Math.abs(count(rank) - products * share)).toBeLessThan(5 * Math.sqrt(products * share));
  }
});

test('over three hours 300 slots send the expected events per second, within 2 percent', () => {
  let events = 0;
  for (let slot = 0; slot < 300; slot += 1) {
    playSlot(crowd, slot, slot * 100, 3 * 3_600_000, (visitor) => {
      // The first half hour is left out: the crowd starts all at once, not in its steady state.
      if (visitor.kind !== acts.leave && visitor.dueMs >= 1_800_000) events += 1;
    });
  }
  const perSecond = events / (2.5 * 3600);
  expect(perSecond / expectedEventsPerSecond(shop, 5000, 300)).toBeGreaterThan(0.98);
  expect(perSecond / expectedEventsPerSecond(shop, 5000, 300)).toBeLessThan(1.02);
});
