import { expect, test } from 'vitest';
import { describeSession } from './name-sessions.ts';

const event = (seq: number, tab = '1', visitor = 'ada', type = 'view') => ({
  event: { type, seq },
  tab: { id: tab },
  visitor: { id: visitor },
});

test('what is wrong in a session is named by type, tab and number', () => {
  expect(describeSession([], 'ada')).toBe('none of its events is stored');
  expect(describeSession([event(1), event(2)], 'ada')).toBe('its last events are missing');
  expect(describeSession([event(4), event(1)], 'ada')).toBe('tab 1 lacks number 2 to 3');
  expect(describeSession([event(1), event(1), event(3, '2')], 'ada')).toBe(
    'view 1 of tab 1 is there twice; tab 2 lacks number 1 to 2',
  );
  expect(describeSession([event(1), event(5002), event(2)], 'ada')).toBe('view 5002 of tab 1 was never sent');
  expect(describeSession([event(1), event(2, '1', 'bob', 'heartbeat')], 'ada')).toBe(
    'heartbeat 2 is under the visitor bob',
  );
});
