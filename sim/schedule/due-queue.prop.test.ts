import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueQueue } from './due-queue.ts';

type Step =
  | { readonly kind: 'push'; readonly slot: number; readonly dueMs: number }
  | { readonly kind: 'pop' }
  | { readonly kind: 'remove'; readonly slot: number };

// Few slots and few times, so that ties, pushing again and removing what is there happen often.
const slot = fc.integer({ min: 0, max: 40 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      slot,
      dueMs: fc.integer({ min: 0, max: 25 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'pop' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), slot }) },
);

/** The naive twin: a list that is sorted anew after every change. */
class SortedList {
  entries: { slot: number; dueMs: number }[] = [];

  push(slot: number, dueMs: number): void {
    this.remove(slot);
    this.entries.push({ slot, dueMs });
    this.entries.sort((a, b) => a.dueMs - b.dueMs || a.slot - b.slot);
  }

  remove(slot: number): boolean {
    const before = this.entries.length;
    this.entries = this.entries.filter((entry) => entry.slot !== slot);
    return this.entries.length < before;
  }
}

test('after any steps the queue says what a sorted list says', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const queue = new DueQueue(1);
      const twin = new SortedList();
      for (const act of steps) {
        if (act.kind === 'push') {
          queue.push(act.slot, act.dueMs);
          twin.push(act.slot, act.dueMs);
        } else if (act.kind === 'pop') expect(queue.popSlot()).toBe(twin.entries.shift()?.slot ?? -1);
        else expect(queue.remove(act.slot)).toBe(twin.remove(act.slot));
        expect(queue.size).toBe(twin.entries.length);
        expect(queue.peekDueMs()).toBe(twin.entries[0]?.dueMs ?? Number.POSITIVE_INFINITY);
      }
      while (queue.size > 0) expect(queue.popSlot()).toBe(twin.entries.shift()?.slot);
      expect(twin.entries).toEqual([]);
    }),
    { seed: 7, numRuns: 150 },
  );
});
