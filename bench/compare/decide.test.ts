import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { signedRankIndex } from '../stats/index.ts';
import { confirm, confirmationPairs, decide, decideExactly } from './decide.ts';

interface Case {
  readonly d: number[];
  readonly options: {
    delta: number;
    aaFloor: number;
    floorMult: number;
    absDiff?: number;
    absFloor?: number;
  };
  readonly verdict: string;
  readonly change: number;
  readonly ci99: [number | null, number | null];
  readonly ci90: [number | null, number | null];
  readonly delta: number;
}

const { cases, k } = JSON.parse(
  readFileSync(new URL('fixtures/decisions.json', import.meta.url), 'utf8'),
) as {
  cases: Case[];
  k: { pairs: number; k: number[] }[];
};

const outcomeOf: Readonly<Record<string, string>> = {
  'REGRESSED?': 'regressed',
  'IMPROVED?': 'improved',
  SAME: 'same',
  INCONCLUSIVE: 'inconclusive',
};

/** Infinite bounds are null in the fixture. */
function expectBound(bound: number, kept: number | null): void {
  if (kept === null) expect(Number.isFinite(bound)).toBe(false);
  else expect(Math.expm1(bound)).toBeCloseTo(kept, 7);
}

test('the kept cases hold every outcome, so that none can be forgotten', () => {
  const outcomes = new Set(cases.map(({ verdict }) => verdict));
  expect(outcomes).toEqual(new Set(Object.keys(outcomeOf)));
  expect(cases.length).toBeGreaterThanOrEqual(70);
});

test.each(cases.map((one, index) => [index, one] as const))(
  'case %i comes out as an independent program had it',
  (_index, one) => {
    const { delta, aaFloor, floorMult, absDiff = Number.POSITIVE_INFINITY, absFloor = 0 } = one.options;
    const margin = Math.max(delta, floorMult * aaFloor);
    expect(margin).toBeCloseTo(one.delta, 9);
    const decision = decide(one.d, {
      margin,
      alpha: 0.005,
      absoluteDifference: absDiff,
      absoluteFloor: absFloor,
    });
    expect(decision.outcome).toBe(outcomeOf[one.verdict]);
    expect(Math.expm1(decision.wide.estimate)).toBeCloseTo(one.change, 7);
    expectBound(decision.wide.lower, one.ci99[0]);
    expectBound(decision.wide.upper, one.ci99[1]);
    expectBound(decision.narrow.lower, one.ci90[0]);
    expectBound(decision.narrow.upper, one.ci90[1]);
  },
);

test('indices of the signed-rank sum are those of an independent program', () => {
  for (const { pairs, k: expected } of k)
    expect([0.05, 0.025, 0.01, 0.005].map((alpha) => signedRankIndex(pairs, alpha))).toEqual(expected);
});

const differences = fc.array(fc.double({ min: -0.5, max: 0.5, noNaN: true }), {
  minLength: 1,
  maxLength: 16,
});
const mirrored = { regressed: 'improved', improved: 'regressed', same: 'same', inconclusive: 'inconclusive' };

test('exchanging the arms mirrors the outcome', () => {
  const property = fc.property(differences, fc.integer({ min: -30, max: 30 }), (noise, shift) => {
    const d = noise.map((one) => one / 5 + shift / 100);
    const options = { margin: 0.05, alpha: 0.005, absoluteDifference: 80, absoluteFloor: 50 };
    const other = decide(
      d.map((one) => 0 - one),
      { ...options, absoluteDifference: -80 },
    );
    expect(other.outcome).toBe(mirrored[decide(d, options).outcome]);
  });
  fc.assert(property, { seed: 1, numRuns: 300 });
});

test('arms that are equal in every pair are the same from five pairs on, and never before', () => {
  for (let pairs = 1; pairs <= 12; pairs += 1) {
    const options = { margin: 0.05, alpha: 0.005, absoluteDifference: 0, absoluteFloor: 50 };
    expect(decide(new Array<number>(pairs).fill(0), options).outcome).toBe(
      pairs >= 5 ? 'same' : 'inconclusive',
    );
  }
});

test('seven pairs are too few to flag anything, however large', () => {
  const options = { margin: 0.05, alpha: 0.005, absoluteDifference: 1e6, absoluteFloor: 0 };
  expect(decide(new Array<number>(7).fill(2), options).outcome).toBe('inconclusive');
  expect(decide(new Array<number>(8).fill(2), options).outcome).toBe('regressed');
});

test('a change beyond the margin that is below the floor in its unit is not flagged, and says so', () => {
  const options = { margin: 0.05, alpha: 0.005, absoluteDifference: 12, absoluteFloor: 50 };
  expect(decide(new Array<number>(12).fill(0.1), options)).toMatchObject({
    outcome: 'inconclusive',
    belowFloor: true,
  });
});

test('with no change the rule flags fewer than one session in a hundred', () => {
  // Differences of 4 % with wild ones among them, from a fixed list of seeds.
  let state = 7;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const noise = (): number => (next() < 0.1 ? 5 : 1) * 0.04 * (next() + next() + next() + next() - 2);
  const options = { margin: 0.05, alpha: 0.005, absoluteDifference: 1e6, absoluteFloor: 0 };
  let flagged = 0;
  for (let session = 0; session < 1500; session += 1) {
    const { outcome } = decide(Array.from({ length: 12 }, noise), options);
    if (outcome === 'regressed' || outcome === 'improved') flagged += 1;
  }
  expect(flagged).toBeLessThan(15);
});

test.each<[number, number, boolean, string]>([
  [100, 100, true, 'same'],
  [100, 101, true, 'regressed'],
  [100, 99, true, 'improved'],
  [100, 101, false, 'improved'],
])('one pair of exact counts, %i and %i, is enough', (base, candidate, higherIsWorse, outcome) => {
  expect(decideExactly([{ base, candidate }], 0, higherIsWorse)).toBe(outcome);
});

test('exact counts take a tolerance, and counts that go both ways are not exact', () => {
  const pairs = [
    { base: 1000, candidate: 1009 },
    { base: 1000, candidate: 1010 },
  ];
  expect(decideExactly(pairs, 0.01, true)).toBe('same');
  expect(decideExactly(pairs, 0.009, true)).toBe('inconclusive');
  expect(decideExactly([...pairs, { base: 1000, candidate: 990 }], 0, true)).toBe('inconclusive');
});

test('a confirmation needs the bound beyond zero and the estimate beyond the margin, on the flagged side', () => {
  const options = { direction: 'regressed', margin: 0.05, flagged: 1 } as const;
  const d = (centre: number): number[] => [-3, -2, -1, 0, 0, 1, 2, 3].map((step) => centre + step / 100);
  expect(confirm(d(0.1), options).confirmed).toBe(true);
  expect(confirm(d(0.04), options)).toMatchObject({ confirmed: false });
  expect(confirm(d(-0.1), options).confirmed).toBe(false);
  expect(confirm(d(-0.1), { ...options, direction: 'improved' }).confirmed).toBe(true);
});

test('more metrics flagged together ask more of each, and of eight pairs too much beyond twelve', () => {
  const d = new Array<number>(8).fill(0.2);
  const asked = (flagged: number): boolean =>
    confirm(d, { direction: 'regressed', margin: 0.05, flagged }).confirmed;
  expect([asked(1), asked(12), asked(13)]).toEqual([true, true, false]);
  expect([1, 12, 13, 30].map(confirmationPairs)).toEqual([8, 8, 9, 10]);
});
