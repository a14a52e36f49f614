import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Visitor } from '../crowd/visitor.ts';
import { CrowdTruth, funnelRows, mergeTruth, visitorsWith } from './crowd-truth.ts';
import { Ledger, newUniqueMarks } from './ledger.ts';

const rows = ['sessionStart', 'view', 'heartbeat', 'click', 'bot:view'];
const startMs = Date.UTC(2026, 11, 31, 23, 55);

interface Done {
  readonly kind: number;
  readonly timeMs: number;
  readonly source: string | undefined;
}

const visitorOf = (slot: number, source: string | undefined): Visitor =>
  ({ slot, generation: 0, person: { number: 0 }, source, campaign: undefined }) as unknown as Visitor;

/** As a worker does: marks first, then the truth. */
function count(people: readonly (readonly Done[])[], firstSlot = 0) {
  const ledger = new Ledger(rows);
  const truth = new CrowdTruth(rows, true);
  people.forEach((done, person) => {
    const marks = newUniqueMarks(rows.length);
    const visitRow = truth.addVisit(visitorOf(firstSlot + person, undefined));
    for (const { kind, timeMs, source } of done) {
      ledger.countUnique(kind, timeMs, marks);
      const visitor = visitorOf(firstSlot + person, source);
      truth.acknowledge({ kind, pageIndex: kind, timeMs, visitor, marks, visitRow });
    }
  });
  return truth.record(['/a', '/b', '/a', '/c', '/b']);
}

const anybody = fc
  .array(
    fc.record({
      kind: fc.constantFrom(0, 1, 2, 3),
      timeMs: fc.integer({ min: 0, max: 600_000 }).map((ms) => startMs + ms),
      source: fc.constantFrom(undefined, 'ads', 'mail', 'search'),
    }),
    { maxLength: 12 },
  )
  .map((done) => [...done].sort((a, b) => a.timeMs - b.timeMs));

const minuteOf = ({ timeMs }: Done): number => Math.floor(timeMs / 60_000);

/** Step by step, over raw events: minutes t1 <= t2 <= … exist. */
function isOrdered(done: readonly Done[], steps: readonly number[]): boolean {
  let from = Number.NEGATIVE_INFINITY;
  for (const step of steps) {
    const next = done.filter((one) => one.kind === step && minuteOf(one) >= from).map(minuteOf);
    if (next.length === 0) return false;
    from = Math.min(...next);
  }
  return true;
}

test('for any people and times, funnels in any order and in order are what raw events say', () => {
  const steps = funnelRows(rows).map((row) => rows.indexOf(row));
  expect(steps).toEqual([0, 1, 3]);
  fc.assert(
    fc.property(fc.array(anybody, { maxLength: 8 }), (people) => {
      const { combos, ordered } = count(people);
      for (let length = 1; length <= steps.length; length++) {
        const wanted = steps.slice(0, length);
        const all = people.filter((done) => wanted.every((step) => done.some(({ kind }) => kind === step)));
        expect(visitorsWith(combos, wanted)).toBe(all.length);
        expect(ordered?.[length - 1]).toBe(people.filter((done) => isOrdered(done, wanted)).length);
      }
    }),
  );
});

test('for any people and times, visitors by source and bucket are what sets of people say', () => {
  fc.assert(
    fc.property(fc.array(anybody, { maxLength: 8 }), (people) => {
      const sets = new Map<string, Set<number>>();
      people.forEach((done, person) => {
        for (const { kind, timeMs, source } of done) {
          if (kind !== 0 || source === undefined) continue;
          const iso = new Date(timeMs).toISOString();
          for (const length of [4, 7, 10, 13, 16]) {
            const name = `${source} ${iso.slice(0, length).replace(/[T:]/g, '-')}`;
            sets.set(name, (sets.get(name) ?? new Set()).add(person));
          }
        }
      });
      const flat = Object.entries(count(people).sources).flatMap(([source, buckets]) =>
        Object.entries(buckets).map(([bucket, visitors]) => [`${source} ${bucket}`, visitors] as const),
      );
      expect(Object.fromEntries(flat)).toEqual(
        Object.fromEntries([...sets].map(([name, set]) => [name, set.size])),
      );
    }),
  );
});

test('pages, minutes and visits of two workers add up; bots are in no funnel', () => {
  const view = (kind: number, second: number): Done => ({
    kind,
    timeMs: startMs + second * 1000,
    source: undefined,
  });
  const one = count([[view(1, 0), view(1, 70)], [view(4, 0)]]);
  const merged = mergeTruth([one, count([[view(1, 5), view(3, 6)]], 2)]);
  expect(merged.pages).toMatchObject({ view: { '/b': 3 }, click: { '/c': 1 }, 'bot:view': { '/b': 1 } });
  expect(merged.minutes['view']).toEqual({ '2026-12-31-23-55': 2, '2026-12-31-23-56': 1 });
  expect(merged.combos).toEqual({ 2: 1, 10: 1 });
  expect([...merged.visits.slots]).toEqual([0, 1, 2]);
  expect([...merged.visits.events]).toEqual([2, 1, 2]);
});
