import { expect, test } from 'vitest';
import { CrowdbeatError, messageOf, systemCodeOf } from './errors.ts';

test('an operating error carries its stable code and keeps its cause', () => {
  const cause = new Error('connect ECONNREFUSED');
  const error = new CrowdbeatError('CB_REDIS_UNREACHABLE', 'Redis at 127.0.0.1:7000 did not answer', {
    cause,
  });
  expect([error.name, error.code, error.cause]).toEqual(['CrowdbeatError', 'CB_REDIS_UNREACHABLE', cause]);
});

test('whatever was thrown has a message, and a system error its code', () => {
  expect(messageOf('plain text')).toBe('plain text');
  expect(messageOf(new Error('boom'))).toBe('boom');
  expect(systemCodeOf(Object.assign(new Error('no space'), { code: 'ENOSPC' }))).toBe('ENOSPC');
  expect(systemCodeOf(new Error('plain'))).toBeUndefined();
});
