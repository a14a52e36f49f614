import { expect, test } from 'vitest';
import { readM1Words } from './cli-m1-words.ts';

test('each option takes the next word as it is, one or two hyphens before it', () => {
  expect(readM1Words(['e-a', 'query', '-store', 'index', '--q', '-type:view', '-json', '{"a": 1}'])).toEqual({
    environment: 'e-a',
    verb: 'query',
    options: { store: 'index', q: '-type:view', json: '{"a": 1}' },
  });
});

test.each([
  [['e-a'], /^m1 e-a: needs a verb, one of ping health .*session\/query.*, got nothing$/],
  [['e-a', 'session/wipe'], /got "session\/wipe"$/],
  [['e-a', 'query', '-q'], /^m1 query: -q: needs a value$/],
  [['e-a', 'query', '-q', 'a', '-q', 'b'], /^m1 query: -q: is given twice$/],
  [['e-a', 'user/add', 'secret'], /^m1 user\/add: needs -option value, got word 1 without a name$/],
  [['e-a', 'user/add', '-password', 'change', 'secret'], /got word 3 without a name$/],
])('%j is refused, and no value is repeated', (words, message) => {
  expect(() => readM1Words(words)).toThrow(message);
  expect(() => readM1Words(words)).not.toThrow('secret');
});
