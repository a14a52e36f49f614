import { expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { limitRepeats } from './log-limiter.ts';

function limited() {
  const written: string[] = [];
  const clock = new ManualClock(0);
  return { written, clock, log: limitRepeats((line) => written.push(line), clock) };
}

test('the first of equal lines is written at once, the others are counted into the next after ten seconds', () => {
  const { written, clock, log } = limited();
  for (let i = 0; i < 500; i++) log('Redis refused');
  clock.advanceMs(9999);
  log('Redis refused');
  expect(written).toEqual(['Redis refused']);
  clock.advanceMs(1);
  log('Redis refused');
  expect(written[1]).toBe('Redis refused (and 500 times before, since it was last said)');
});

test('another line is not held back', () => {
  const { written, log } = limited();
  log('one');
  log('two');
  expect(written).toEqual(['one', 'two']);
});

test('ever new lines do not grow the memory without bound, and all are written', () => {
  const { written, log } = limited();
  for (let i = 0; i < 5000; i++) log(`line ${i}`);
  expect(written).toHaveLength(5000);
});
