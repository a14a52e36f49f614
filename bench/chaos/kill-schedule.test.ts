import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Kill, killSchedule } from './kill-schedule.ts';

const seeds = fc.integer({ min: 0, max: 4_294_967_295 });

test('the same seed is the same schedule, another seed another', () => {
  expect(killSchedule(7, 20)).toEqual(killSchedule(7, 20));
  expect(killSchedule(7, 20)).not.toEqual(killSchedule(8, 20));
});

test('nobody is killed who is down, and kills come in the order of their times', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const kills = killSchedule(seed, 20);
      expect(kills).toHaveLength(20);
      const last = new Map<string, Kill>();
      let beforeMs = 2000;
      for (const kill of kills) {
        expect(kill.atMs).toBeGreaterThan(beforeMs);
        beforeMs = kill.atMs;
        const previous = last.get(kill.victim);
        if (previous !== undefined) expect(kill.atMs).toBeGreaterThan(previous.atMs + previous.downMs);
        last.set(kill.victim, kill);
      }
    }),
  );
});

test('over many seeds everybody is hit, and sometimes two are down at once', () => {
  const all = Array.from({ length: 50 }, (_, seed) => killSchedule(seed, 20));
  const victims = new Set(all.flat().map(({ victim }) => victim));
  expect(victims).toEqual(new Set(['collector 1', 'collector 2', 'Redis']));
  const overlaps = all.flatMap((kills) =>
    kills.slice(1).filter((kill, at) => {
      const before = kills[at];
      return before !== undefined && kill.atMs < before.atMs + before.downMs;
    }),
  );
  expect(overlaps.length).toBeGreaterThan(0);
});
