import { expect, test } from 'vitest';
import { readWriteOutcome } from './write-outcome.ts';

const reply = (counts: object, results: object[] = []): string =>
  JSON.stringify({ durability: 'stored', accepted: 0, duplicates: 0, rejected: 0, ...counts, results });

test('one accepted event is accepted, whatever the order of the members', () => {
  expect(readWriteOutcome(200, reply({ accepted: 1 })).fate).toBe('accepted');
  expect(readWriteOutcome(200, '{"results":[],"rejected":0,"duplicates":0,"accepted":1}').fate).toBe(
    'accepted',
  );
});

test('a duplicate is acknowledged as such', () => {
  expect(readWriteOutcome(200, reply({ duplicates: 1 }, [{ index: 0, status: 'duplicate' }])).fate).toBe(
    'duplicate',
  );
});

test('a rejected event keeps the reason of the collector', () => {
  const body = reply({ rejected: 1 }, [{ index: 0, status: 'rejected', reason: 'too_old' }]);
  expect(readWriteOutcome(400, body)).toEqual({ fate: 'rejected', reason: 'too_old' });
});

test('what the target could not do now is sent again', () => {
  for (const status of [429, 500, 502, 503, 504]) expect(readWriteOutcome(status, '').fate).toBe('retry');
});

test('a 200 that is no write reply proves nothing, so the event is sent again', () => {
  for (const body of ['', 'ok', '[]', '{}', '{"accepted":1}', reply({ accepted: 2 }), reply({})]) {
    expect(readWriteOutcome(200, body), body).toEqual({ fate: 'retry', reason: 'not a write reply' });
  }
});

test('another refusal is final and named by its status', () => {
  expect(readWriteOutcome(404, 'no such page')).toEqual({ fate: 'rejected', reason: 'http 404' });
});
