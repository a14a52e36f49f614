import { expect, test } from 'vitest';
import { emptyLedger } from '../worker/ledger.ts';
import { emptyStoreRecord } from '../worker/store-beats.ts';
import type { CollectorApi } from './collector-api.ts';
import { readStore, storeChecks, withoutBeats, withoutDepartures } from './store-audit.ts';

const totals = (people: number, bots: number, documents: number) => ({
  byType: { view: 7, ...(people > 0 ? { sessionTimeout: people } : {}) },
  bots: bots > 0 ? { sessionTimeout: bots } : {},
  sessions: 3,
  documents,
});

const reading = (live: number, departed: number) => ({ live, departed, totals: totals(departed, 0, 0) });

const failed = (before: [number, number], after: [number, number], sessions: number, isAwaited = false) => {
  const store = {
    name: 'stash',
    before: reading(...before),
    record: { ...emptyStoreRecord(), sessions },
  };
  return storeChecks(store, reading(...after), isAwaited)
    .filter(({ ok }) => !ok)
    .map(({ name, expected, actual }) => [name, expected, actual]);
};

const both = 'sessions of stash, live and departed';

test('what came in is live or has departed, on a store with data and while flushers are at work', () => {
  expect(failed([0, 0], [50, 0], 50)).toEqual([]);
  expect(failed([0, 0], [20, 30], 50)).toEqual([]);
  expect(failed([10, 5], [52, 13], 50)).toEqual([]);
});

test('a session that is lost, and one that departs twice, are found', () => {
  expect(failed([10, 5], [51, 13], 50)).toEqual([[both, 60, 59]]);
  expect(failed([10, 5], [52, 14], 50)).toEqual([[both, 60, 61]]);
});

test('where departures were waited for nobody may be left, and each is written once', () => {
  expect(failed([0, 0], [0, 50], 50, true)).toEqual([]);
  expect(failed([0, 0], [1, 49], 50, true)).toEqual([
    ['sessions of stash, live', 0, 1],
    ['departures', 50, 49],
  ]);
});

test('departures of people and bots are taken out of totals with their documents', () => {
  expect(withoutDepartures(totals(2, 1, 10))).toEqual({
    byType: { view: 7 },
    bots: {},
    sessions: 3,
    documents: 7,
  });
});

test('heartbeats of a session store are no events, those of bots neither', () => {
  const ledger = emptyLedger(['view', 'heartbeat', 'bot:heartbeat']);
  for (const fates of Object.values(ledger.byType)) Object.assign(fates, { accepted: 4, duplicates: 1 });
  ledger.sessions = 3;
  const { byType, sessions } = withoutBeats(ledger, 2);
  expect(Object.values(byType).map(({ accepted, duplicates }) => accepted + duplicates)).toEqual([5, 0, 0]);
  expect(sessions).toBe(5);
});

test('a session that is both live and departed, in the middle of a flush, is read again until it is one of them', async () => {
  const [live, departed] = [
    [3, 3, 2, 2, 2],
    [0, 1, 1, 1, 1],
  ];
  let asked = -1;
  const api = {
    liveSessions: async () => {
      asked += 1;
      return live[asked];
    },
    totals: async () => totals(departed[asked] ?? -1, 0, 7),
  } as unknown as CollectorApi;
  expect(await readStore(api, 'stash')).toMatchObject({ live: 2, departed: 1 });
  expect(asked).toBe(3);
});
