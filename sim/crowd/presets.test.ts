import { describe, expect, test } from 'vitest';
import { expectedVisit, readingMeanMs } from './closed-form.ts';
import { Crowd, type CrowdOptions } from './crowd.ts';
import { makeBots, makePeople } from './people.ts';
import { playVisit, testCrowd } from './plan.testing.ts';
import { presetCrowd, presets } from './presets/index.ts';
import { acts, type Visitor } from './visitor.ts';

const people = makePeople(1, 50);
const names = Object.keys(presets);

function crowdOf(name: string, options: Partial<CrowdOptions> = {}): Crowd {
  const config = presetCrowd(name);
  const bots = makeBots(config.bots.kinds);
  const rest = { seed: 1, runId: 'test', people, bots, heartbeatMs: 5000, phase: 'spread' as const };
  return new Crowd({ ...rest, site: config.site, config, ...options });
}

const isPerson = ({ person }: Visitor): boolean => (person.traits?.bot ?? -1) < 0;

/** An act with what the plan says of it. */
interface Played {
  readonly row: string;
  readonly tab: number;
  readonly dueMs: number;
  readonly kindOfPage: string;
  readonly extra: string;
}

function play(crowd: Crowd, visitor: Visitor): Played[] {
  const played: Played[] = [];
  while (visitor.dueMs !== Number.POSITIVE_INFINITY) {
    const { kind, tab, dueMs, pageIndex, extra } = visitor;
    const row = crowd.types[kind] ?? 'leave';
    played.push({ row, tab, dueMs, kindOfPage: crowd.pages[pageIndex]?.kind ?? '', extra });
    visitor.advance();
  }
  return played;
}

/** Mean within 5 standard errors, taken from the sample. */
function expectMean(values: readonly number[], expected: number, what: string): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean - expected), `${what}: ${mean}, expected ${expected}`).toBeLessThan(
    5 * Math.sqrt(variance / values.length) + 1e-9,
  );
}

describe.each(names)('the preset %s', (name) => {
  const { site, tabs, sessionMsMax, bots } = presetCrowd(name);
  const alone = { ...presetCrowd(name), tabs: { ...tabs, share: 0 } };
  const crowd = crowdOf(name, { config: alone });
  const visitors = Array.from({ length: 12_000 }, (_value, slot) => crowd.firstVisitor(slot, 0));
  const visits = visitors.filter(isPerson).map((visitor) => play(crowd, visitor));
  const expected = expectedVisit(site);
  const count = (visit: readonly Played[], row: string, page?: string): number =>
    visit.filter((act) => act.row === row && (page === undefined || act.kindOfPage === page)).length;

  test.each(Object.keys(site.pages))('has the chain’s visit ratio of %s', (page) => {
    expectMean(
      visits.map((visit) => count(visit, 'view', page)),
      expected.visitRatios[page] ?? 0,
      page,
    );
  });

  test('has the expected session length', () => {
    // The limit of a session cuts next to nothing: its longest page is read a hundred times shorter on average.
    const longest = Math.max(...Object.values(site.pages).map((page) => readingMeanMs(page.reading)));
    expect(sessionMsMax).toBeGreaterThan(15 * longest);
    expectMean(
      visits.map((visit) => visit.at(-1)?.dueMs ?? 0),
      expected.sessionMs,
      'session',
    );
  });

  test('sends as many heartbeats as the session is long', () => {
    expectMean(
      visits.map((visit) => count(visit, 'heartbeat')),
      expected.sessionMs / 5000,
      'heartbeats',
    );
  });

  test('does each deed that anybody may do as often as its share of the page’s views says', () => {
    const guarded = ['signup', 'login', 'logout', 'updateUser'];
    const goals = presetCrowd(name).experiments.map((experiment) => experiment.goal);
    for (const [page, { deeds = [] }] of Object.entries(site.pages)) {
      for (const { event, share } of deeds) {
        if (guarded.includes(event) || goals.includes(event)) continue;
        expectMean(
          visits.map((visit) => count(visit, event, page)),
          share * (expected.visitRatios[page] ?? 0),
          `${event} on ${page}`,
        );
      }
    }
  });

  test('views the items of each kind by Zipf’s law: the slope is its exponent', () => {
    for (const [kind, { items, zipfExponent }] of Object.entries(site.pages)) {
      const views = new Map<number, number>();
      const first = crowd.pages.findIndex((page) => page.kind === kind);
      for (let slot = 0; slot < 4000 && items > 3; slot += 1) {
        const visitor = crowd.firstVisitor(slot, 0);
        for (; visitor.kind !== acts.leave; visitor.advance()) {
          const rank = visitor.pageIndex - first + 1;
          if (visitor.kind === acts.view && rank >= 1 && rank <= items)
            views.set(rank, (views.get(rank) ?? 0) + 1);
        }
      }
      const [one, four] = [views.get(1) ?? 0, views.get(4) ?? 0];
      if (four < 20) continue;
      // The logarithm of a count of n has a deviation of about 1 / sqrt(n).
      const slope = Math.log(one / four) / Math.log(4);
      const deviation = Math.sqrt(1 / one + 1 / four) / Math.log(4);
      expect(Math.abs(slope - zipfExponent), kind).toBeLessThan(5 * deviation);
    }
  });

  test('has its share of bots, who do nothing but view and, if they can, beat', () => {
    const isBot = visitors.map((visitor) => (isPerson(visitor) ? 0 : 1));
    expectMean(isBot, bots.share, 'bots');
    for (let slot = 0; slot < 500; slot += 1) {
      const visitor = crowd.firstVisitor(slot, 0);
      if (isPerson(visitor)) continue;
      const kind = bots.kinds[visitor.person.traits?.bot ?? 0];
      expect(visitor.person.profile.userAgent).toBe(kind?.userAgent);
      const rows = new Set(play(crowd, visitor).map((act) => act.row));
      expect([...rows].every((row) => row.startsWith('bot:') || row === 'leave')).toBe(true);
      if (kind?.heartbeats !== true) expect(rows.has('bot:heartbeat')).toBe(false);
    }
  });

  test('numbers the events of each tab 1, 2, 3, never goes back in time, and beats in each tab on its own clock', () => {
    const tabbed = crowdOf(name);
    let further = 0;
    for (let slot = 0; slot < 800; slot += 1) {
      const visitor = tabbed.firstVisitor(slot, 0);
      const next = new Map<number, number>();
      const beats = new Map<number, number>();
      let lastMs = 0;
      for (; visitor.kind !== acts.leave; visitor.advance()) {
        expect(visitor.seq).toBe((next.get(visitor.tab) ?? 0) + 1);
        next.set(visitor.tab, visitor.seq);
        expect(visitor.dueMs).toBeGreaterThanOrEqual(lastMs);
        lastMs = visitor.dueMs;
        if (visitor.kind !== acts.heartbeat) continue;
        const before = beats.get(visitor.tab);
        if (before !== undefined) expect(visitor.dueMs - before).toBeCloseTo(5000, 6);
        beats.set(visitor.tab, visitor.dueMs);
      }
      expect(visitor.dueMs).toBeLessThanOrEqual(sessionMsMax);
      if (next.size > 1) further += 1;
      expect(next.size).toBeLessThanOrEqual(tabs.max);
    }
    if (tabs.share > 0) expect(further).toBeGreaterThan(5);
    else expect(further).toBe(0);
  });
});

test('a crowd that does nothing but read acts the same whether its visitors could do more or not', () => {
  const plain = testCrowd();
  // Another limit of a session, which no visit reaches, is enough for visitors who can do everything.
  const config = { ...presetCrowd('shop'), sessionMsMax: 4 * 3_600_000 + 1 };
  const rich = testCrowd({ config });
  for (let slot = 0; slot < 300; slot += 1) {
    const [one, other] = [plain.firstVisitor(slot, slot), rich.firstVisitor(slot, slot)];
    expect(one.constructor).not.toBe(other.constructor);
    expect(playVisit(other)).toEqual(playVisit(one));
    const [after, otherAfter] = [plain.nextVisitor(one), rich.nextVisitor(other)];
    expect(playVisit(otherAfter)).toEqual(playVisit(after));
  }
});

test('users log in only with an account, sign up only without, and keep both when they come back', () => {
  const crowd = crowdOf('boutique');
  const visits: { person: number; slot: number; row: string; text: string }[] = [];
  for (let slot = 0; slot < 400; slot += 1) {
    let visitor = crowd.firstVisitor(slot, 0);
    for (let visit = 0; visit < 30; visit += 1) {
      const person = visitor.person.number;
      for (const { row, extra } of play(crowd, visitor))
        if (row === 'signup' || row === 'login') visits.push({ person, slot, row, text: extra });
      visitor = crowd.nextVisitor(visitor);
    }
  }
  const signups = visits.filter(({ row }) => row === 'signup');
  expect(signups.length).toBeGreaterThan(100);
  // Nobody signs up twice, however often they come.
  expect(new Set(signups.map(({ slot, person }) => `${slot} ${person}`)).size).toBe(signups.length);
  const isKnown = new Set(signups.map(({ text }) => text));
  const logins = visits.filter(({ row, text }) => row === 'login' && isKnown.has(text));
  expect(logins.length).toBeGreaterThan(10);
  for (const login of logins)
    expect(visits.indexOf(login)).toBeGreaterThan(
      visits.findIndex(({ row, text }) => row === 'signup' && text === login.text),
    );
});

test('a variant lifts its goal by the factor of the config, and stays with the person', () => {
  const config = presetCrowd('boutique');
  const crowd = crowdOf('boutique', { config: { ...config, tabs: { share: 0, max: 1 } } });
  const rates = { A: [0, 0], B: [0, 0] } as Record<string, [number, number]>;
  const variants = new Map<string, string>();
  for (let slot = 0; slot < 3000; slot += 1) {
    let visitor = crowd.firstVisitor(slot, 0);
    for (let visit = 0; visit < 6; visit += 1) {
      const { visitorId } = visitor.person;
      const acts = play(crowd, visitor);
      const variant = /"variant":"(\w)"/.exec(acts.find(({ row }) => row === 'exposure')?.extra ?? '')?.[1];
      if (variant !== undefined) {
        expect(variants.get(visitorId) ?? variant).toBe(variant);
        variants.set(visitorId, variant);
        const rate = rates[variant] as [number, number];
        rate[0] += acts.filter(({ row }) => row === 'addToCart').length;
        rate[1] += acts.filter(({ row, kindOfPage }) => row === 'view' && kindOfPage === 'product').length;
      }
      visitor = crowd.nextVisitor(visitor);
    }
  }
  const share = (variant: string): number => (rates[variant]?.[0] ?? 0) / (rates[variant]?.[1] ?? 1);
  expect(share('A') / 0.12).toBeGreaterThan(0.94);
  expect(share('A') / 0.12).toBeLessThan(1.06);
  expect(share('B') / (0.12 * 1.15)).toBeGreaterThan(0.94);
  expect(share('B') / (0.12 * 1.15)).toBeLessThan(1.06);
});

describe('a warm start', () => {
  const slots = 6000;
  const crowdOfCold = crowdOf('shop', { heartbeatMs: 0 });
  const crowd = crowdOf('shop', { warmSlots: slots, heartbeatMs: 0 });
  const warm = Array.from({ length: slots }, (_value, slot) => crowd.firstVisitor(slot, 0));
  const cold = Array.from({ length: slots }, (_value, slot) => {
    const visitor = crowdOfCold.firstVisitor(slot, 0);
    while (visitor.dueMs !== Number.POSITIVE_INFINITY) visitor.advance();
    return visitor.leftMs;
  });

  test('finds everybody in a visit that began before and ends later, with events numbered from 1', () => {
    for (const visitor of warm) {
      expect(visitor.startMs).toBeLessThan(0);
      expect(visitor.dueMs).toBeGreaterThanOrEqual(0);
      expect([0, 1]).toContain(visitor.seq);
    }
  });

  test('is biased by length as the inspection paradox says: mean E[L^2]/E[L], and half of it is over', () => {
    const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
    const agesMs = warm.map((visitor) => -visitor.startMs);
    const lengthsMs = warm.map((visitor) => {
      while (visitor.dueMs !== Number.POSITIVE_INFINITY) visitor.advance();
      return visitor.leftMs - visitor.startMs;
    });
    const biased = mean(cold.map((ms) => ms * ms)) / mean(cold);
    expect(biased / mean(cold)).toBeGreaterThan(1.5);
    expect(mean(lengthsMs) / biased).toBeGreaterThan(0.88);
    expect(mean(lengthsMs) / biased).toBeLessThan(1.12);
    expect(mean(agesMs) / (mean(lengthsMs) / 2)).toBeGreaterThan(0.93);
    expect(mean(agesMs) / (mean(lengthsMs) / 2)).toBeLessThan(1.07);
  });
});
