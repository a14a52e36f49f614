import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ActFields, actDigest, DigestSum } from './digest.ts';

const view: ActFields = { sessionId: 's-1', seq: 2, type: 'view', path: '/shop', elapsedMs: 150 };

function sumOf(events: readonly ActFields[]): string {
  const sum = new DigestSum();
  for (const event of events) sum.add(actDigest(event));
  return sum.toString();
}

const eventArbitrary: fc.Arbitrary<ActFields> = fc.record({
  sessionId: fc.uuid(),
  seq: fc.integer({ min: 1, max: 2_147_483_647 }),
  type: fc.constantFrom('view', 'heartbeat', 'sessionStart'),
  path: fc.webPath(),
  elapsedMs: fc.integer({ min: 0, max: 14_400_000 }),
});

test('every field counts', () => {
  const changed: ActFields[] = [
    { ...view, sessionId: 's-2' },
    { ...view, seq: 3 },
    { ...view, type: 'click' },
    { ...view, path: '/shop/' },
    { ...view, elapsedMs: 151 },
    { ...view, seq: 150, elapsedMs: 2 },
    { ...view, type: '/shop', path: 'view' },
  ];
  expect(new Set([view, ...changed].map((event) => sumOf([event]))).size).toBe(changed.length + 1);
});

test('where one text ends and the next begins counts', () => {
  expect(sumOf([{ ...view, sessionId: 'ab', type: 'c' }])).not.toBe(
    sumOf([{ ...view, sessionId: 'a', type: 'bc' }]),
  );
});

test('the order of events does not count', () => {
  fc.assert(
    fc.property(fc.array(eventArbitrary, { maxLength: 30 }), fc.integer(), (events, turn) => {
      const cut = events.length === 0 ? 0 : Math.abs(turn) % events.length;
      expect(sumOf([...events.slice(cut), ...events.slice(0, cut)].reverse())).toBe(sumOf(events));
    }),
    { seed: 5, numRuns: 200 },
  );
});

test('an event lost, doubled or doubled twice changes the sum, also apart from the count', () => {
  const others = [
    { ...view, seq: 4 },
    { ...view, seq: 5 },
  ];
  const bare = (events: readonly ActFields[]): string => sumOf(events).split(':')[1] as string;
  const sums = [others, [view, ...others], [view, view, ...others], [view, view, view, ...others]].map(bare);
  expect(new Set(sums).size).toBe(4);
});

test('sums of parts merge to the sum of the whole, as addition modulo 2^64', () => {
  const events = Array.from({ length: 1000 }, (_value, index) => ({ ...view, seq: index + 1 }));
  const merged = new DigestSum();
  for (const part of [events.slice(0, 333), events.slice(333)]) {
    const sum = DigestSum.parse(sumOf(part));
    if (sum !== undefined) merged.merge(sum);
  }
  const expected = events
    .map((event) => actDigest(event))
    .reduce((sum, { high, low }) => (sum + (BigInt(high) << 32n) + BigInt(low)) % 2n ** 64n, 0n);
  expect(merged.toString()).toBe(`1000:${expected.toString(16).padStart(16, '0')}`);
  expect(merged.count).toBe(1000);
});

test('digests of a quarter of a million neighbouring events are all different', () => {
  const seen = new Set<string>();
  for (let session = 0; session < 500; session += 1) {
    for (let seq = 1; seq <= 500; seq += 1) {
      const { high, low } = actDigest({ ...view, sessionId: `s-${session}`, seq });
      seen.add(`${high}/${low}`);
    }
  }
  expect(seen.size).toBe(250_000);
});

test.each(['', '1:12', '1:0123456789abcdeg', ':0123456789abcdef'])('%j is no sum', (text) => {
  expect(DigestSum.parse(text)).toBeUndefined();
});
