import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ArrivalPlan } from './arrival-plan.ts';
import { type LoadPlan, levelAt, levelLine } from './load-plan.ts';
import { type Openings, SlotPlan } from './slot-plan.ts';

const plan = (changes: Partial<LoadPlan>): LoadPlan => ({
  model: 'present',
  base: 10,
  stages: [],
  curve: undefined,
  spikes: [],
  ...changes,
});

const whole = { workerIndex: 0, workerCount: 1 };

/** What happens until a time. */
function* until(openings: Openings, endMs: number) {
  while (openings.nextMs < endMs) yield openings.take();
}

const stageArbitrary = fc.record({
  durationMs: fc.integer({ min: 100, max: 5000 }),
  level: fc.double({ min: 0, max: 40, noNaN: true }),
});
const spikeArbitrary = fc.record({
  atMs: fc.integer({ min: 0, max: 9000 }),
  times: fc.double({ min: 0.2, max: 4, noNaN: true }),
  forMs: fc.integer({ min: 1000, max: 4000 }),
});

test('for any stages, curve and spikes: at any moment as many slots are open as the line of the level says', () => {
  fc.assert(
    fc.property(
      fc.array(stageArbitrary, { maxLength: 5 }),
      fc.array(spikeArbitrary, { maxLength: 2 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 0, max: 15_000 }), { minLength: 5, maxLength: 5 }),
      (stages, spikes, isCurved, workerCount, momentsMs) => {
        const load = plan({
          stages,
          spikes,
          curve: isCurved ? { shape: 'day', peak: 2, dayMs: 7000 } : undefined,
        });
        const changes = Array.from({ length: workerCount }, (_value, workerIndex) => [
          ...until(new SlotPlan(load, { workerIndex, workerCount }), 16_000),
        ]).flat();
        for (const atMs of momentsMs) {
          const open = new Set<number>();
          const past = changes.filter((change) => change.atMs <= atMs).sort((a, b) => a.atMs - b.atMs);
          for (const { kind, slot } of past) {
            if (kind === 'open') {
              expect(open.has(slot)).toBe(false);
              open.add(slot);
            } else if (kind === 'close') {
              expect(open.delete(slot)).toBe(true);
            }
          }
          expect(Math.abs(open.size - lineAt(load, atMs))).toBeLessThanOrEqual(1.001);
        }
      },
    ),
    { seed: 3, numRuns: 150 },
  );
});

function lineAt(load: LoadPlan, atMs: number): number {
  const line = levelLine(load);
  let from = line.next().value;
  for (;;) {
    const to = line.next().value;
    if (to.atMs === Number.POSITIVE_INFINITY) return from.level;
    if (to.atMs >= atMs)
      return from.level + ((to.level - from.level) * (atMs - from.atMs)) / (to.atMs - from.atMs);
    from = to;
  }
}

test('the knots of a day are so near to each other that the line misses the level by less than a thousandth', () => {
  const load = plan({ base: 1000, curve: { shape: 'day', peak: 3, dayMs: 86_400_000 } });
  for (let ms = 1_000_000; ms < 86_400_000; ms += 3_333_333)
    expect(Math.abs(lineAt(load, ms) / levelAt(load, ms) - 1)).toBeLessThan(1e-3);
});

test('a day has the mean 1 and the peak that was asked for, twelve hours after its quietest moment', () => {
  const load = plan({ base: 1, curve: { shape: 'day', peak: 3.5, dayMs: 1000 } });
  const levels = Array.from({ length: 1000 }, (_value, ms) => levelAt(load, ms));
  expect(levels.reduce((sum, level) => sum + level, 0) / 1000).toBeCloseTo(1, 6);
  expect(Math.max(...levels)).toBeCloseTo(3.5, 6);
  expect(levels.indexOf(Math.max(...levels))).toBe(500);
  expect(levels.indexOf(Math.min(...levels))).toBe(0);
});

test('a week has quieter weekends and the mean 1', () => {
  const load = plan({ base: 1, curve: { shape: 'week', peak: 2, dayMs: 1000 } });
  const dayMean = (day: number): number =>
    Array.from({ length: 1000 }, (_value, ms) => levelAt(load, day * 1000 + ms)).reduce((a, b) => a + b) /
    1000;
  const week = [0, 1, 2, 3, 4, 5, 6].map(dayMean);
  expect(week[5]).toBeLessThan(0.9);
  expect(week.reduce((sum, mean) => sum + mean, 0) / 7).toBeCloseTo(1, 6);
});

test('Poisson arrivals: the counts of seconds have their mean as variance, and the mean is the rate', () => {
  const counts = new Array<number>(600).fill(0);
  for (const { atMs } of until(new ArrivalPlan(plan({ model: 'poisson', base: 50 }), whole, 9), 600_000))
    counts[Math.floor(atMs / 1000)]! += 1;
  const mean = counts.reduce((sum, count) => sum + count, 0) / 600;
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / 599;
  expect(Math.abs(mean - 50)).toBeLessThan(5 * Math.sqrt(50 / 600));
  // The dispersion of n counts has a deviation of sqrt(2 / n).
  expect(Math.abs(variance / mean - 1)).toBeLessThan(5 * Math.sqrt(2 / 600));
});

test('even arrivals come one after another, 1/rate apart, from the start on', () => {
  const times = [...until(new ArrivalPlan(plan({ model: 'uniform', base: 8 }), whole, 9), 3000)].map(
    ({ atMs }) => atMs,
  );
  expect(times).toEqual(Array.from({ length: 24 }, (_value, at) => at * 125));
});

test('arrivals follow a rate that changes: their number is its integral', () => {
  const load = plan({
    model: 'poisson',
    base: 200,
    curve: { shape: 'day', peak: 2, dayMs: 60_000 },
    spikes: [{ atMs: 10_000, times: 3, forMs: 5000 }],
  });
  const times = [...until(new ArrivalPlan(load, whole, 4), 60_000)].map(({ atMs }) => atMs);
  for (const [fromMs, toMs] of [
    [0, 10_000],
    [10_000, 16_000],
    [25_000, 35_000],
    [50_000, 60_000],
  ] as const) {
    let expected = 0;
    for (let ms = fromMs; ms < toMs; ms += 10) expected += levelAt(load, ms + 5) / 100;
    const came = times.filter((ms) => ms >= fromMs && ms < toMs).length;
    expect(Math.abs(came - expected), `${fromMs}`).toBeLessThan(5 * Math.sqrt(expected) + expected * 0.002);
  }
});

test('arrivals are the same for any number of workers', () => {
  const load = plan({ model: 'poisson', base: 30, stages: [] });
  const all = (workers: number): string[] =>
    Array.from({ length: workers }, (_value, workerIndex) => [
      ...until(new ArrivalPlan(load, { workerIndex, workerCount: workers }, 7), 20_000),
    ])
      .flat()
      .map(({ slot, atMs }) => `${atMs} ${slot}`)
      .sort();
  expect(all(3)).toEqual(all(1));
  expect(all(5)).toEqual(all(1));
  expect(all(1).length).toBeGreaterThan(400);
});

test('a worker without slots of its own goes on through a curve without an end', () => {
  const load = plan({ base: 1, curve: { shape: 'day', peak: 1.5, dayMs: 10_000 } });
  const openings = new SlotPlan(load, { workerIndex: 3, workerCount: 4 });
  for (let step = 0; step < 1000; step += 1) expect(openings.take().kind).toBe('none');
  expect(Number.isFinite(openings.nextMs)).toBe(true);
});
