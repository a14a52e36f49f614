import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgeSeq } from './window.ts';

function judgeAll(seqs: readonly number[]): { statuses: string[]; window: string } {
  let window = '';
  const statuses = seqs.map((seq) => {
    const verdict = judgeSeq(window, seq);
    window = verdict.window;
    return verdict.status;
  });
  return { statuses, window };
}

test('numbers in order are kept as the digits of the highest', () => {
  expect(judgeAll([1, 2, 3])).toEqual({ statuses: ['accepted', 'accepted', 'accepted'], window: '3' });
});

test('a gap is remembered until it is filled', () => {
  expect(judgeAll([1, 2, 3, 6]).window).toBe('6;4-5');
  expect(judgeAll([1, 2, 3, 6, 4]).window).toBe('6;5');
  expect(judgeAll([1, 2, 3, 6, 4, 5]).window).toBe('6');
});

test('a number seen before is a duplicate', () => {
  expect(judgeAll([1, 3, 3, 1]).statuses).toEqual(['accepted', 'accepted', 'duplicate', 'duplicate']);
});

test('the window holds 1,024 numbers: the one left of it is too old, seen or not, and never a duplicate', () => {
  expect(judgeAll([1, 1024, 1]).statuses[2]).toBe('duplicate');
  expect(judgeAll([1, 1025, 1]).statuses[2]).toBe('too_old');
  expect(judgeAll([1025, 2]).statuses[1]).toBe('accepted');
  expect(judgeAll([1025, 1]).statuses[1]).toBe('too_old');
});

test('a jump of 10,000 is accepted, one of 10,001 is not and changes nothing', () => {
  expect(judgeAll([5, 10_005]).statuses[1]).toBe('accepted');
  expect(judgeAll([5, 10_006])).toEqual({ statuses: ['accepted', 'seq_jump'], window: '5;1-4' });
  expect(judgeAll([10_001]).statuses[0]).toBe('seq_jump');
});

test('it judges as a plain set of seen numbers does', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 30_000 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, fc.boolean(), (numbers, near) => {
      const seen = new Set<number>();
      let highest = 0;
      let window = '';
      for (const number of numbers) {
        // Near the left edge of the window is where an error by one would show.
        const seq = near && highest > 1100 ? highest - 1024 + (number % 5) - 2 : number;
        const verdict = judgeSeq(window, seq);
        window = verdict.window;
        const status =
          seq > highest + 10_000
            ? 'seq_jump'
            : seq <= highest - 1024
              ? 'too_old'
              : seen.has(seq)
                ? 'duplicate'
                : 'accepted';
        expect(verdict.status).toBe(status);
        if (status !== 'accepted') continue;
        seen.add(seq);
        highest = Math.max(highest, seq);
      }
    }),
    { numRuns: 2000 },
  );
});
