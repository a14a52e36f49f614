import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketName, granularities } from '../../server/base/time-bucket.ts';
import { newUniqueMarks, type UniqueMarks } from './ledger.ts';
import { emptyStoreRecord, type LastBeat, mergeStoreRecord, StoreBeats } from './store-beats.ts';

const rows = ['sessionStart', 'view', 'heartbeat', 'bot:sessionStart', 'bot:view', 'bot:heartbeat'];
const [heartbeat, botHeartbeat] = [2, 5];

test('for any visits of any persons of a slot: departures by bucket are what sets of persons would say', () => {
  const start = Date.UTC(2026, 11, 31, 23, 30);
  const visit = fc.record({
    person: fc.integer({ min: 0, max: 3 }),
    gaps: fc.array(fc.integer({ min: 0, max: 20 * 60_000 }), { minLength: 1, maxLength: 6 }),
  });
  fc.assert(
    fc.property(fc.array(visit, { maxLength: 12 }), (visits) => {
      const beats = new StoreBeats(rows);
      const marks = new Map<number, UniqueMarks>();
      const sets = new Map<string, Set<number>>();
      let [timeMs, last] = [start, undefined as LastBeat | undefined];
      visits.forEach(({ person, gaps }, number) => {
        const own = marks.get(person) ?? newUniqueMarks(rows.length);
        marks.set(person, own);
        for (const gap of gaps) {
          timeMs += gap;
          last = beats.beat(last, heartbeat, `visit ${number}`, timeMs, own);
        }
        for (const granularity of granularities) {
          const name = bucketName(timeMs, granularity);
          sets.set(name, (sets.get(name) ?? new Set()).add(person));
        }
      });
      if (last !== undefined) beats.depart(last);
      const naive = Object.fromEntries([...sets].map(([name, set]) => [name, set.size]));
      expect(beats.record.departures['sessionTimeout'] ?? {}).toEqual(naive);
    }),
  );
});

test('bots depart in a row of their own', () => {
  const beats = new StoreBeats(rows);
  const last = beats.beat(undefined, botHeartbeat, 'b', Date.UTC(2026, 0, 1), newUniqueMarks());
  if (last !== undefined) beats.depart(last);
  expect(Object.keys(beats.record.departures)).toEqual(['bot:sessionTimeout']);
});

test('where events come out of order no departure is foretold', () => {
  const beats = new StoreBeats(rows, false);
  expect(beats.beat(undefined, heartbeat, 's', 1, newUniqueMarks())).toBeUndefined();
  expect(beats.record.departures).toEqual({});
});

test('a session that was beaten before it was written is unwritten until then; records add up', () => {
  const beats = new StoreBeats(rows);
  beats.first(true);
  beats.first(false);
  beats.first(false);
  beats.write();
  const merged = emptyStoreRecord();
  for (let worker = 0; worker < 2; worker++) mergeStoreRecord(merged, beats.record);
  expect(merged).toMatchObject({ sessions: 6, unwritten: 2 });
});
