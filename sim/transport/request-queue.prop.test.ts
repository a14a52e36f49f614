import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestQueue } from './request-queue.ts';

const step = fc.oneof(
  { weight: 5, arbitrary: fc.constant('push' as const) },
  { weight: 3, arbitrary: fc.constant('shift' as const) },
  { weight: 2, arbitrary: fc.nat({ max: 400 }) },
);

test('the queue does what a plain array does, through growth and withdrawals', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => {
      const queue = new RequestQueue();
      let twin: number[] = [];
      let next = 0;
      for (const one of steps) {
        if (one === 'push') {
          queue.push({ token: next, request: `request ${next}`, sinceMs: next * 10 });
          twin.push(next);
          next += 1;
        } else if (one === 'shift') {
          const token = twin.shift();
          const expected =
            token === undefined ? undefined : { token, request: `request ${token}`, sinceMs: token * 10 };
          expect(queue.shift()).toEqual(expected);
        } else {
          expect(queue.withdraw(one)).toBe(twin.includes(one));
          twin = twin.filter((token) => token !== one);
        }
        expect(queue.size).toBe(twin.length);
        expect(queue.peek()?.token).toBe(twin[0]);
      }
    }),
    { numRuns: 100 },
  );
});
