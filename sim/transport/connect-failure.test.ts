import { expect, test } from 'vitest';
import { connectFailure } from './connect-failure.ts';

test.each([
  ['ECONNREFUSED', 'refused'],
  ['ECONNRESET', 'reset'],
  ['EMFILE', 'no_descriptors'],
  ['ENFILE', 'no_descriptors'],
  ['EADDRNOTAVAIL', 'no_descriptors'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENOTFOUND', 'unreachable'],
  ['CERT_HAS_EXPIRED', 'unreachable'],
])('%s is %s, and nothing was delivered', (code, kind) => {
  const error = Object.assign(new Error(`connect ${code}`), { code });
  expect(connectFailure('h:1', error)).toEqual({
    kind,
    maybeDelivered: false,
    message: `connect to h:1: connect ${code}`,
  });
});

test('an error without a text, as Node gives when several addresses failed, is named by its code', () => {
  const error = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
  expect(connectFailure('localhost:1', error)).toMatchObject({
    kind: 'refused',
    message: 'connect to localhost:1: ECONNREFUSED',
  });
});
