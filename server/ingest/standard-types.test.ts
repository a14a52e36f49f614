import { describe, expect, it } from 'vitest';
import { limits } from '../protocol/limits.ts';
import { receipt, receivedMs, wireEvent } from './event.testing.ts';
import { parseSignupDate } from './identity-event.ts';
import { readEvent } from './read-event.ts';

const read = (type: string, members: Record<string, unknown>) =>
  readEvent(wireEvent({ event: { type }, ...members }), undefined, receipt);
const long = 'x'.repeat(129);
const order = { id: 'o-1', revenue: 9.5, currency: 'EUR' };

describe('a standard type', () => {
  it.each([
    ['invalid_load_time', 'view', { page: { loadMs: -1 } }],
    ['invalid_load_time', 'heartbeat', { page: { loadMs: 3_600_001 } }],
    ['invalid_load_time', 'view', { page: { loadMs: '300' } }],
    ['invalid_load_time', 'view', { page: { loadMs: null } }],
    ['invalid_element', 'click', { element: 'button' }],
    ['invalid_element', 'mouseover', { element: { type: 5 } }],
    ['invalid_element', 'focus', { element: { label: 'x'.repeat(513) } }],
    ['invalid_element', 'blur', { element: { position: {} } }],
    ['invalid_interest', 'interest', {}],
    ['invalid_interest', 'interest', { interest: { name: '' } }],
    ['invalid_interest', 'interest', { interest: [] }],
    ['missing_user', 'signup', {}],
    ['missing_user', 'login', { user: {} }],
    ['missing_user', 'loginAndImport', { user: { data: {} } }],
    ['invalid_user', 'login', { user: 'u-1' }],
    ['invalid_user', 'login', { user: { id: long } }],
    ['invalid_user', 'logout', { user: { id: 5 } }],
    ['invalid_user', 'updateUser', { user: { id: '\ud800' } }],
    ['invalid_user_data', 'updateUser', { user: { data: [1] } }],
    ['invalid_user_data', 'signup', { user: { id: 'u', data: { a: 'é'.repeat(4100) } } }],
    ['invalid_signup_date', 'signup', { user: { id: 'u', signupDate: 'yesterday' } }],
    ['invalid_signup_date', 'signup', { user: { id: 'u', signupDate: receivedMs + 300_001 } }],
    ['invalid_signup_date', 'signup', { user: { id: 'u', signupDate: -5 } }],
    ['invalid_experiment', 'exposure', { experiment: { id: 'e' } }],
    ['invalid_experiment', 'conversion', { experiment: { id: 5, variant: 'B' } }],
    ['invalid_experiment', 'exposure', {}],
    ['invalid_order', 'order', {}],
    ['invalid_order', 'order', { order: { ...order, id: '' } }],
    ['invalid_order', 'order', { order: { ...order, revenue: '9.5' } }],
    ['invalid_order', 'order', { order: { ...order, revenue: JSON.parse('1e999') } }],
    ['invalid_order', 'order', { order: { ...order, currency: 'eur' } }],
    ['invalid_order', 'order', { order: { ...order, currency: 'EURO' } }],
    ['invalid_order_items', 'order', { order: { ...order, items: {} } }],
    ['invalid_order_items', 'order', { order: { ...order, items: [1] } }],
    ['invalid_order_items', 'order', { order: { ...order, items: Array.from({ length: 101 }, () => ({})) } }],
  ])('rejects with %s a %s that breaks that rule', (reason, type, members) => {
    expect(read(type, members)).toBe(reason);
  });

  it.each([
    ['view', { page: { loadMs: 0 } }],
    ['view', { page: { loadMs: 3_600_000 } }],
    ['click', {}],
    ['click', { element: { type: 'a', label: 'x'.repeat(512), position: 'left-3', further: [1] } }],
    ['blur', { element: { position: -1.5 } }],
    ['interest', { interest: { name: 'hats', since: 2020 } }],
    ['exposure', { experiment: { id: 'e', variant: 'A', share: 0.5 } }],
    ['order', { order: { ...order, revenue: -3 } }],
    [
      'order',
      { order: { ...order, items: Array.from({ length: 100 }, (_none, i) => ({ id: i, price: 1, n: 2 })) } },
    ],
    ['logout', {}],
    ['updateUser', {}],
    ['wishlist', { user: 5, order: 'mine', interest: null, experiment: [], element: 7 }],
  ])('accepts a %s within the rules, and every name that is not standard', (type, members) => {
    expect(read(type, members)).toHaveProperty('type', type);
  });

  it('of a user carries what the event says of him, and no other event carries anything', () => {
    const user = { id: 'u', data: { a: 1 }, signupDate: 1_384_900_000 };
    expect(read('signup', { user })).toMatchObject({
      identity: {
        type: 'signup',
        timeMs: receivedMs - 40,
        isOwnTime: true,
        visitorId: 'v-1',
        userId: 'u',
        data: { a: 1 },
        signupMs: 1_384_900_000_000,
      },
    });
    expect(read('signup', { user: { id: 'u' } })).toHaveProperty('identity.signupMs', receivedMs - 40);
    expect(read('login', { user: { id: 'u' } })).toHaveProperty('identity.signupMs', undefined);
    expect(read('view', { user })).toHaveProperty('identity', undefined);
    const late = receivedMs - limits.eventAgeMsMax - 1;
    for (const time of [undefined, late])
      expect(
        readEvent(wireEvent({ event: { type: 'login', time }, user }), undefined, receipt),
      ).toMatchObject({
        identity: { timeMs: receivedMs, isOwnTime: false },
      });
  });
});

describe('a signup date', () => {
  it.each([
    [1_384_900_000, 1_384_900_000_000],
    [99_999_999_999, 99_999_999_999_000],
    [100_000_000_000, 100_000_000_000],
    [1_384_900_000_123, 1_384_900_000_123],
    ['2013-11-19T22:26:40Z', 1_384_900_000_000],
    ['2013-11-19', undefined],
    [{}, undefined],
  ])('%s is %s', (value, timeMs) => {
    expect(parseSignupDate(value)).toBe(timeMs);
  });
});
