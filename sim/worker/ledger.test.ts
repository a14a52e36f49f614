import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketName, granularities } from '../../server/base/time-bucket.ts';
import { emptyLedger, Ledger, mergeLedger, newUniqueMarks, totalFates, unaccounted } from './ledger.ts';

const view = 1;

test('for any people and times: uniques per bucket are what sets of people would say', () => {
  const start = Date.UTC(2026, 11, 31, 23, 30);
  const times = fc.array(fc.integer({ min: 0, max: 90 * 60_000 }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(times, { maxLength: 8 }), (people) => {
      const ledger = new Ledger();
      const sets = new Map<string, Set<number>>();
      people.forEach((offsets, person) => {
        const marks = newUniqueMarks();
        for (const offset of [...offsets].sort((a, b) => a - b)) {
          ledger.countUnique(view, start + offset, marks);
          for (const granularity of granularities) {
            const name = bucketName(start + offset, granularity);
            sets.set(name, (sets.get(name) ?? new Set()).add(person));
          }
        }
      });
      const naive = Object.fromEntries([...sets].map(([name, set]) => [name, set.size]));
      expect(ledger.record.uniques['view']!).toEqual(naive);
    }),
  );
});

test('event types are counted apart', () => {
  const ledger = new Ledger();
  const marks = newUniqueMarks();
  ledger.countUnique(0, Date.UTC(2026, 0, 1), marks);
  ledger.countUnique(2, Date.UTC(2026, 0, 1), marks);
  expect(ledger.record.uniques['sessionStart']!['2026-01-01']).toBe(1);
  expect(ledger.record.uniques['heartbeat']!['2026-01-01-00-00']).toBe(1);
  expect(ledger.record.uniques['view']!).toEqual({});
});

test('merged ledgers add up, and the accounting identity tells what is missing', () => {
  const one = new Ledger();
  one.fates(view).planned = 5;
  one.fates(view).accepted = 3;
  one.reject(view, 'too_old');
  const merged = emptyLedger();
  mergeLedger(merged, one.record);
  mergeLedger(merged, one.record);
  expect(totalFates(merged)).toMatchObject({ planned: 10, accepted: 6, rejected: 2 });
  expect(merged.rejections).toEqual({ too_old: 2 });
  expect(unaccounted(totalFates(merged))).toBe(2);
});
