import { expect, test } from 'vitest';
import { emptyLedger } from '../worker/ledger.ts';
import { ledgerReasons, totalsChecks } from './audit.ts';
import { openBuckets, totalsDrift } from './snapshot.ts';

const totals = (byType: Record<string, number>, sessions: number, documents: number) => ({
  byType,
  bots: {},
  sessions,
  documents,
});

test('totals are compared as differences, so data from before does not matter', () => {
  const ledger = emptyLedger();
  ledger.byType['view']!.accepted = 6;
  ledger.byType['view']!.duplicates = 1;
  ledger.sessions = 2;
  const checks = totalsChecks(
    totals({ view: 100, click: 3 }, 40, 103),
    totals({ view: 107, click: 3 }, 42, 110),
    ledger,
  );
  expect(checks.filter((one) => !one.ok)).toEqual([]);
  expect(checks.find((one) => one.name === 'events view')).toMatchObject({ expected: 7, actual: 7 });
});

test('one event too few, one document too many and a session too many are each named', () => {
  const ledger = emptyLedger();
  ledger.byType['heartbeat']!.accepted = 5;
  const checks = totalsChecks(totals({}, 0, 0), totals({ heartbeat: 4 }, 1, 6), ledger);
  expect(checks.filter((one) => !one.ok)).toEqual([
    { name: 'events heartbeat', expected: 5, actual: 4, ok: false },
    { name: 'documents', expected: 5, actual: 6, ok: false },
    { name: 'sessions', expected: 0, actual: 1, ok: false },
  ]);
});

test('events of a type that the crowd never sends must not appear', () => {
  const checks = totalsChecks(totals({ click: 1 }, 0, 0), totals({ click: 2 }, 0, 0), emptyLedger());
  expect(checks.find((one) => one.name === 'events click')).toMatchObject({
    expected: 0,
    actual: 1,
    ok: false,
  });
});

test('an unanswered event is unresolved, and a planned one without a fate is an error of the ledger', () => {
  const ledger = emptyLedger();
  ledger.byType['view']!.planned = 3;
  ledger.byType['view']!.unknown = 1;
  ledger.byType['view']!.accepted = 1;
  expect(ledgerReasons(ledger)).toEqual([
    'unresolved: 1 events were sent and never answered for',
    'the ledger does not add up: 1 planned events have no fate',
  ]);
});

test('the snapshot asks for every bucket that can hold an event already, across a year’s end', () => {
  const buckets = openBuckets(Date.UTC(2026, 11, 31, 23, 58, 30));
  expect(buckets).toEqual(
    expect.arrayContaining([
      '2026-12-31-23-57',
      '2027-01-01-00-03',
      '2027-01-01-00',
      '2026',
      '2027',
      '2027-01',
    ]),
  );
});

test('what moves while the crowd is silent is named', () => {
  expect(totalsDrift(totals({ view: 1 }, 1, 1), totals({ view: 1, click: 2 }, 1, 3))).toEqual([
    'byType.click went from 0 to 2',
    'documents went from 1 to 3',
  ]);
});
