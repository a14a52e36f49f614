import { afterEach, describe, expect, it, test } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { type FuzzCase, makeCase } from './cases.ts';
import { judgeMemory, type MemorySample } from './memory.ts';
import { byteMutations, requestMutations } from './mutations.ts';
import { makeHome, startCrowd, startFuzzedCollector } from './processes.ts';
import { Random } from './random.ts';
import { type FuzzResult, faultsOf, fuzz } from './run.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const seed = 20_261_121;

test('20,000 spoilt requests: no crash, no 5xx but 503, nothing left hanging, and the crowd beside is exact', async () => {
  const home = makeHome();
  opened.push(() => home.remove());
  const collector = await startFuzzedCollector(home.path);
  opened.push(() => collector.stop());
  const crowd = startCrowd(collector.url, home.path);
  const options = { seed, requests: 20_000, firstCase: 0, clock: systemClock };
  const result = await fuzz(options, collector, crowd);
  expect(faultsOf(result, seed)).toEqual([]);
  // Most of what is spoilt is refused, and what is not spoilt is not.
  expect(result.statuses.get(400)).toBeGreaterThan(1000);
  expect(result.statuses.get(200)).toBeGreaterThan(500);
  expect(await collector.stop()).toBe('code 0');
}, 600_000);

describe('a case', () => {
  const bytesOf = ({ pieces }: FuzzCase): string => Buffer.concat(pieces).toString('latin1');

  it('is the same for the same seed and number, and another for others', () => {
    expect(makeCase(seed, 17)).toEqual(makeCase(seed, 17));
    expect(bytesOf(makeCase(seed, 17))).not.toBe(bytesOf(makeCase(seed, 18)));
    expect(bytesOf(makeCase(seed, 17))).not.toBe(bytesOf(makeCase(seed + 1, 17)));
  });

  it('can be anything: every mutation comes, and every ending', () => {
    const cases = Array.from({ length: 3000 }, (_none, number) => makeCase(seed, number));
    const done = new Set(cases.flatMap(({ what }) => what.split(' + ')));
    for (const name of [...Object.keys(requestMutations), ...Object.keys(byteMutations)])
      expect([name, done.has(name)]).toEqual([name, true]);
    expect(new Set(cases.map(({ ending }) => ending))).toEqual(new Set(['wait', 'end', 'reset']));
  });

  it('never names the property that the crowd is counted in', () => {
    for (let number = 0; number < 3000; number++)
      expect(bytesOf(makeCase(seed, number))).not.toContain('crowd/exact');
  });
});

describe('what counts as a fault', () => {
  const fine: FuzzResult = {
    requests: 1,
    cases: 1,
    seconds: 1,
    statuses: new Map(),
    findings: [],
    memory: { bytesPerRequest: 0, grownBytes: 0, medianBytes: 0, isFlat: true },
    crowd: { isExact: true, words: '' },
    death: undefined,
  };

  it.each<[string, Partial<FuzzResult>, RegExp]>([
    [
      'an answer that it must not give',
      { findings: [{ fuzzCase: makeCase(1, 9), words: 'answered 500' }] },
      /--case 9/,
    ],
    ['a death', { death: 'SIGSEGV' }, /ended with SIGSEGV/],
    ['memory that grows', { memory: { ...fine.memory, grownBytes: 1e8, isFlat: false } }, /grew by 100 MB/],
    ['a crowd that is not counted exactly', { crowd: { isExact: false, words: 'code 23' } }, /code 23/],
  ])('%s', (_name, changes, words) => {
    expect(faultsOf(fine, 1)).toEqual([]);
    expect(faultsOf({ ...fine, ...changes }, 1)).toEqual([expect.stringMatching(words)]);
  });
});

describe('memory', () => {
  const samplesOf = (bytesAt: (requests: number) => number): MemorySample[] =>
    Array.from({ length: 100 }, (_none, i) => ({ requests: 10_000 * i, bytes: bytesAt(10_000 * i) }));

  it('that grows while caches fill and breathes later is flat', () => {
    const random = new Random(1);
    const samples = samplesOf((requests) => Math.min(requests, 300_000) * 500 + 1e8 + random.below(2e7));
    expect(judgeMemory(samples).isFlat).toBe(true);
  });

  it('that grows by 300 bytes a request all the time is not', () => {
    const verdict = judgeMemory(samplesOf((requests) => 1e8 + 300 * requests));
    expect(verdict.isFlat).toBe(false);
    expect(verdict.bytesPerRequest).toBeCloseTo(300);
  });
});
