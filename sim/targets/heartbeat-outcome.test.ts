import { expect, test } from 'vitest';
import { readHeartbeatOutcome } from './heartbeat-outcome.ts';

test('204 is the only acknowledgement', () => {
  expect(readHeartbeatOutcome(204, '')).toEqual({ fate: 'accepted', reason: '' });
  expect(readHeartbeatOutcome(200, '{"created":1}')).toEqual({
    fate: 'retry',
    reason: 'not a session reply',
  });
});

test('what the target can’t do now is tried again', () => {
  for (const status of [408, 429, 500, 503]) expect(readHeartbeatOutcome(status, '').fate).toBe('retry');
});

test('a refusal is named by its code, or else by its status', () => {
  const body = '{"status":404,"code":"no_such_store","message":"the property has no session store \\"x\\""}';
  expect(readHeartbeatOutcome(404, body)).toEqual({ fate: 'rejected', reason: 'no_such_store' });
  expect(readHeartbeatOutcome(404, '<h1>?</h1>')).toEqual({ fate: 'rejected', reason: 'http 404' });
});
