import { describe, expect, test } from 'vitest';
import type { Crowd } from './crowd.ts';
import { actDigest, DigestSum } from './digest.ts';
import { playSlot, playVisit, testCrowd } from './plan.testing.ts';
import { gapMsMax, recentPersons } from './visit-timing.ts';
import { acts, type Visitor } from './visitor.ts';

const crowd = testCrowd();
const tenMinutesMs = 600_000;

/** Digest of all acts of the given slots within ten minutes, 1,000 of them arriving in the first second. */
function planDigest(planned: Crowd, slots: readonly number[]): DigestSum {
  const sum = new DigestSum();
  for (const slot of slots) {
    playSlot(planned, slot, slot, tenMinutesMs, (visitor) => {
      const sessionId = `${visitor.slot}/${visitor.generation}/${visitor.person.number}/${visitor.dueMs}`;
      sum.add(
        actDigest({
          sessionId,
          seq: visitor.seq,
          // Leaving had the number 3 when the first results were measured.
          type: String(visitor.kind === acts.leave ? 3 : visitor.kind),
          path: String(visitor.pageIndex),
          elapsedMs: visitor.elapsedMs,
        }),
      );
    });
  }
  return sum;
}

const thousand = Array.from({ length: 1000 }, (_value, slot) => slot);

/** The first `count` visitors of a slot, each played to its end. */
function lives(lived: Crowd, slot: number, count: number): Visitor[] {
  const visitors = [lived.firstVisitor(slot, 0)];
  while (visitors.length < count) {
    const previous = visitors.at(-1) as Visitor;
    playVisit(previous);
    visitors.push(lived.nextVisitor(previous));
  }
  return visitors;
}

describe('the plan of 1,000 slots over ten minutes', () => {
  const whole = planDigest(testCrowd(), thousand);

  test.each([2, 3])('is the same when %d workers share the slots', (workers) => {
    const sum = new DigestSum();
    for (let worker = 0; worker < workers; worker += 1) {
      sum.merge(
        planDigest(
          testCrowd(),
          thousand.filter((slot) => slot % workers === worker),
        ),
      );
    }
    expect(sum.toString()).toBe(whole.toString());
  });

  test('is the same under another run id, and another one under another seed', () => {
    expect(planDigest(testCrowd({ runId: 'other' }), thousand).toString()).toBe(whole.toString());
    expect(planDigest(testCrowd({ seed: 2 }), thousand).toString()).not.toBe(whole.toString());
  });

  test('is the one that earlier results were measured with (a change here makes them incomparable)', () => {
    expect(whole.toString()).toBe('170364:851cb2211e6fc2d1');
  });
});

describe('who follows', () => {
  test('arrives within half a second after the one before has left', () => {
    const gaps: number[] = [];
    for (let slot = 0; slot < 50; slot += 1) {
      const visitors = lives(crowd, slot, 20);
      visitors.slice(1).forEach((visitor, index) => {
        gaps.push(visitor.startMs - (visitors[index]?.leftMs ?? 0));
        expect(visitor.generation).toBe(index + 1);
      });
    }
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...gaps)).toBeLessThan(gapMsMax);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    // A uniform gap has mean 250 ms and deviation 144 ms; 950 of them 5 x 4.7 ms.
    expect(Math.abs(mean - gapMsMax / 2)).toBeLessThan(5 * (gapMsMax / Math.sqrt(12 * gaps.length)));
  });

  test('is somebody known in the site’s share of visits', () => {
    let returning = 0;
    let following = 0;
    for (let slot = 0; slot < 100; slot += 1) {
      for (const visitor of lives(crowd, slot, 41).slice(1)) {
        following += 1;
        if (visitor.person.returning) returning += 1;
      }
    }
    // Binomial: 4,000 visits with share 0.35.
    expect(Math.abs(returning - following * 0.35)).toBeLessThan(5 * Math.sqrt(following * 0.35 * 0.65));
  });

  test('comes back with the same visitor id and profile, in a session of its own', () => {
    for (let slot = 0; slot < 30; slot += 1) {
      const visitors = lives(crowd, slot, 30);
      const known = new Map<number, Visitor>();
      for (const visitor of visitors) {
        const before = known.get(visitor.person.number);
        expect(visitor.person.returning).toBe(before !== undefined);
        if (before !== undefined) {
          expect(visitor.person.visitorId).toBe(before.person.visitorId);
          expect(visitor.person.profile).toBe(before.person.profile);
        }
        known.set(visitor.person.number, visitor);
      }
      expect(new Set([...known.values()].map((visitor) => visitor.person.visitorId)).size).toBe(known.size);
      expect(new Set(visitors.map((visitor) => visitor.sessionId)).size).toBe(visitors.length);
    }
  });

  test('is, when known, each of the last four new people at times, and never anybody older', () => {
    const distances = new Set<number>();
    for (let slot = 0; slot < 60; slot += 1) {
      for (const visitor of lives(crowd, slot, 40)) {
        if (visitor.person.returning) distances.add(visitor.personsSoFar - visitor.person.number);
        else expect(visitor.person.number).toBe(visitor.personsSoFar - 1);
      }
    }
    expect([...distances].sort()).toEqual(
      Array.from({ length: recentPersons }, (_value, index) => index + 1),
    );
  });

  test('can only be asked for once the one before has left', () => {
    const visitor = crowd.firstVisitor(0, 0);
    expect(() => crowd.nextVisitor(visitor)).toThrow('has not left');
    visitor.leaveAt(5);
    visitor.advance();
    expect(crowd.nextVisitor(visitor).startMs).toBeGreaterThanOrEqual(5);
  });
});

test('another run id gives other ids to the same visitors', () => {
  const one = lives(testCrowd({ runId: 'a' }), 3, 10);
  const other = lives(testCrowd({ runId: 'b' }), 3, 10);
  const ids = [...one, ...other].map((visitor) => visitor.sessionId);
  expect(new Set(ids).size).toBe(20);
  expect(one.map((visitor) => visitor.startMs)).toEqual(other.map((visitor) => visitor.startMs));
  expect(one.map((visitor) => visitor.person.visitorId)).not.toContain(other[0]?.person.visitorId);
});

test('sources and campaigns come with the shares of the site', () => {
  const counts = new Map<string, number>();
  for (let slot = 0; slot < 10_000; slot += 1) {
    const { source, campaign } = crowd.firstVisitor(slot, 0);
    const name = `${source ?? 'direct'}/${campaign ?? ''}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const [name, share] of [
    ['direct/', 0.3],
    ['google/', 0.28],
    ['newsletter/spring', 0.1],
    ['partner/sale', 0.03],
  ] as const) {
    expect(Math.abs((counts.get(name) ?? 0) - 10_000 * share)).toBeLessThan(
      5 * Math.sqrt(10_000 * share * (1 - share)),
    );
  }
});
