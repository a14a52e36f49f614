import { expect, test } from 'vitest';
import { CrowdCounters } from '../worker/crowd-counters.ts';
import { LittlesLaw } from './littles-law.ts';

/** A visitor a second arrives and stays for 20 s; who comes and goes is handled `lateMs` afterwards, from 40 s on. */
function worstShare(lateMs: number): { windows: number; worstShare: number } {
  const counters = new CrowdCounters();
  const law = new LittlesLaw();
  for (let second = 0; second < 100; second++) {
    const late = second >= 40 ? lateMs : 0;
    counters.arrive(second * 1000, second * 1000 + late);
    if (second >= 20) counters.depart(second * 1000, second * 1000);
    if (second >= 25) law.add(second * 1000 + 900, counters.visitorTime(second * 1000 + 900));
  }
  return law.summary();
}

test('a crowd that comes and goes as planned keeps the law in every window', () => {
  expect(worstShare(0)).toEqual({ windows: 7, worstShare: 0 });
});

test('a generator that lets people in late breaks it: 10 arrivals 2 s late are 20 of 200 visitor-seconds', () => {
  expect(worstShare(2000).worstShare).toBeCloseTo(0.1, 2);
});

test('a crowd too small to judge is not judged', () => {
  const law = new LittlesLaw();
  for (let second = 0; second < 30; second++)
    law.add(second * 1000, { presentMs: 0, plannedMs: second * 9000 });
  expect(law.summary()).toEqual({ windows: 0, worstShare: 0 });
});
