import { describe, expect, test } from 'vitest';
import { playVisit, testCrowd } from './plan.testing.ts';
import { parseSite } from './site.ts';
import { pageLoad, sessionMsMax } from './visit-timing.ts';
import { acts } from './visitor.ts';

const crowd = testCrowd();
const slots = Array.from({ length: 400 }, (_value, slot) => slot);

/** One page read for ever about a second long, left after a million of them. */
const endless = parseSite({
  name: 'endless',
  origin: 'https://endless.example',
  entry: { page: 1 },
  pages: {
    page: { path: '/', title: 'Page', reading: { medianMs: 1000, sigma: 0 }, next: { page: 1e6, exit: 1 } },
  },
  sources: [{ weight: 1 }],
  returningShare: 0,
});

describe('a visit', () => {
  test('starts with sessionStart at its arrival and ends with leave, one of each', () => {
    for (const slot of slots) {
      const kinds = playVisit(crowd.firstVisitor(slot, 17.5)).map((act) => act.kind);
      expect(kinds[0]).toBe(acts.sessionStart);
      expect(kinds.at(-1)).toBe(acts.leave);
      expect(kinds.slice(1, -1).every((kind) => kind === acts.view || kind === acts.heartbeat)).toBe(true);
    }
    expect(crowd.firstVisitor(0, 17.5).dueMs).toBe(17.5);
  });

  test('opens its first page 60 to 400 ms after its start', () => {
    for (const slot of slots) {
      const view = playVisit(crowd.firstVisitor(slot, 10)).find((act) => act.kind === acts.view);
      expect(view?.dueMs).toBeGreaterThanOrEqual(10 + pageLoad.minMs);
      expect(view?.dueMs).toBeLessThanOrEqual(10 + pageLoad.maxMs);
    }
  });

  test('never goes back in time', () => {
    for (const slot of slots) {
      const dues = playVisit(crowd.firstVisitor(slot, 0)).map((act) => act.dueMs);
      expect(dues).toEqual([...dues].sort((a, b) => a - b));
    }
  });

  test('numbers its events 1, 2, 3 without gaps, and leave has no number', () => {
    for (const slot of slots) {
      const seqs = playVisit(crowd.firstVisitor(slot, 0)).map((act) => act.seq);
      expect(seqs.slice(0, -1)).toEqual(seqs.slice(1).map((_seq, index) => index + 1));
      expect(seqs.at(-1)).toBe(0);
    }
  });

  test('only opens pages to which the page before leads', () => {
    const kindOf = (page: number): string => crowd.pages[page]?.kind ?? '?';
    const steps = new Set<string>();
    for (const slot of slots) {
      const views = playVisit(crowd.firstVisitor(slot, 0)).filter((act) => act.kind === acts.view);
      views.slice(1).forEach((view, index) => {
        steps.add(`${kindOf(views[index]?.pageIndex ?? -1)}>${kindOf(view.pageIndex)}`);
      });
    }
    expect(steps.has('product>cart')).toBe(true);
    expect([...steps].filter((step) => /^(home|search)>(cart|checkout|thanks)$|>offers$/.test(step))).toEqual(
      ['home>offers'],
    );
  });

  test('ends after four hours at the latest, at that instant', () => {
    const played = playVisit(testCrowd({ site: endless, heartbeatMs: 0 }).firstVisitor(3, 250));
    expect(played.at(-1)).toMatchObject({ kind: acts.leave, dueMs: 250 + sessionMsMax });
    // A view a second: one at 60 to 400 ms, 14,399 more, and the two ends.
    expect(played).toHaveLength(14_402);
  });

  test('knows how many whole milliseconds it is old, as floored times on the wire tell', () => {
    const visitor = testCrowd({ phase: 'sync' }).firstVisitor(5, 1000.75);
    expect(visitor.elapsedMs).toBe(0);
    while (visitor.kind !== acts.heartbeat) visitor.advance();
    // 5000 - floor(1000.75), not floor(5000 - 1000.75).
    expect([visitor.dueMs, visitor.elapsedMs]).toEqual([5000, 4000]);
  });
});

describe('heartbeats', () => {
  test('spread: come every interval from a phase of their own below one interval, as long as the visitor is there', () => {
    const phases = slots.map((slot) => {
      const played = playVisit(crowd.firstVisitor(slot, 333.5));
      const leaveMs = played.at(-1)?.dueMs ?? 0;
      const beats = played.filter((act) => act.kind === acts.heartbeat).map((act) => act.dueMs);
      const firstMs = beats[0];
      if (firstMs === undefined) {
        expect(leaveMs).toBeLessThanOrEqual(333.5 + 5000);
        return undefined;
      }
      const due: number[] = [];
      for (let k = 0; firstMs + k * 5000 < leaveMs; k += 1) due.push(firstMs + k * 5000);
      expect(beats).toEqual(due);
      return firstMs - 333.5;
    });
    const known = phases.filter((phase) => phase !== undefined);
    expect(known.every((phase) => phase > 0 && phase < 5000)).toBe(true);
    for (const quarter of [0, 1, 2, 3]) {
      const within = known.filter((phase) => Math.floor(phase / 1250) === quarter).length;
      // A quarter of about 370 phases: 92 with deviation 8.
      expect(Math.abs(within - known.length / 4)).toBeLessThan(5 * Math.sqrt((known.length * 3) / 16));
    }
  });

  test('sync: come at the multiples of the interval of run time that lie within the visit', () => {
    const inStep = testCrowd({ phase: 'sync' });
    for (const slot of slots) {
      const arrivalMs = slot * 77;
      const played = playVisit(inStep.firstVisitor(slot, arrivalMs));
      const leaveMs = played.at(-1)?.dueMs ?? 0;
      const due: number[] = [];
      for (let ms = 5000; ms < leaveMs; ms += 5000) if (ms > arrivalMs) due.push(ms);
      expect(played.filter((act) => act.kind === acts.heartbeat).map((act) => act.dueMs)).toEqual(due);
    }
  });

  test('sync: a visitor who arrives on a multiple beats first at the next one', () => {
    const played = playVisit(testCrowd({ phase: 'sync', site: endless }).firstVisitor(0, 10_000));
    expect(played.find((act) => act.kind === acts.heartbeat)?.dueMs).toBe(15_000);
  });

  test('spread: none falls on the start itself, even where a phase is too small to be told from it', () => {
    // So late in a run that times are whole numbers: half of all phases within 1 ms round to nothing.
    const late = testCrowd({ heartbeatMs: 1 });
    for (const slot of slots.slice(0, 50)) {
      const visitor = late.firstVisitor(slot, 2 ** 52);
      visitor.advance();
      expect(visitor.dueMs).toBeGreaterThan(visitor.startMs);
    }
  });

  test('an interval of 0 means none', () => {
    const played = playVisit(testCrowd({ heartbeatMs: 0, site: endless }).firstVisitor(0, 0));
    expect(played.some((act) => act.kind === acts.heartbeat)).toBe(false);
  });

  test('neither their interval nor their phase changes any view or leave', () => {
    const withoutBeats = (options: { heartbeatMs: number; phase: 'spread' | 'sync' }): unknown => {
      const beating = testCrowd(options);
      return slots.map((slot) =>
        playVisit(beating.firstVisitor(slot, 40))
          .filter((act) => act.kind !== acts.heartbeat)
          .map((act) => [act.kind, act.dueMs, act.pageIndex]),
      );
    };
    const none = withoutBeats({ heartbeatMs: 0, phase: 'spread' });
    expect(withoutBeats({ heartbeatMs: 5000, phase: 'spread' })).toEqual(none);
    expect(withoutBeats({ heartbeatMs: 700, phase: 'spread' })).toEqual(none);
    expect(withoutBeats({ heartbeatMs: 5000, phase: 'sync' })).toEqual(none);
  });

  test('name the page being read', () => {
    for (const slot of slots) {
      let reading: number | undefined;
      for (const act of playVisit(crowd.firstVisitor(slot, 0))) {
        if (act.kind === acts.heartbeat && reading !== undefined) expect(act.pageIndex).toBe(reading);
        if (act.kind === acts.view) reading = act.pageIndex;
      }
    }
  });

  test('at the same instant as a view come after it, and at the instant of leaving not at all', () => {
    // Every 1 ms, and all times whole: each view and the leave meet a heartbeat.
    const played = playVisit(testCrowd({ phase: 'sync', heartbeatMs: 1 }).firstVisitor(1, 0));
    played.forEach((act, index) => {
      if (act.kind === acts.view)
        expect(played[index + 1]).toMatchObject({ kind: acts.heartbeat, dueMs: act.dueMs });
    });
    const leaveMs = played.at(-1)?.dueMs ?? 0;
    expect(played.at(-2)).toMatchObject({ kind: acts.heartbeat, dueMs: leaveMs - 1 });
  });
});

describe('leaveAt', () => {
  test('makes leave the next and last act, at the given time and without a number', () => {
    const visitor = testCrowd({ site: endless }).firstVisitor(0, 0);
    for (let act = 0; act < 10; act += 1) visitor.advance();
    visitor.leaveAt(54_321.5);
    expect(playVisit(visitor)).toMatchObject([{ kind: acts.leave, dueMs: 54_321.5, seq: 0 }]);
    expect(visitor.leftMs).toBe(54_321.5);
  });

  test('has no effect on somebody who has left', () => {
    const visitor = crowd.firstVisitor(0, 0);
    const leaveMs = playVisit(visitor).at(-1)?.dueMs;
    visitor.leaveAt(99);
    visitor.advance();
    expect([visitor.dueMs, visitor.leftMs]).toEqual([Number.POSITIVE_INFINITY, leaveMs]);
  });
});
