import { expect, test } from 'vitest';
import { figureLine, keepsBound } from './scenario.ts';

const figure = { name: 'events', value: 70, unit: '1/s' };

test('a figure keeps a bound from below, or from above if higher is better', () => {
  expect(keepsBound(figure)).toBe(true);
  expect(keepsBound({ ...figure, bound: 70 })).toBe(true);
  expect(keepsBound({ ...figure, bound: 69 })).toBe(false);
  expect(keepsBound({ ...figure, bound: 70, higherIsBetter: true })).toBe(true);
  expect(keepsBound({ ...figure, bound: 71, higherIsBetter: true })).toBe(false);
});

test('a figure that is no number keeps no bound', () => {
  for (const higherIsBetter of [true, false])
    expect(keepsBound({ ...figure, value: Number.NaN, bound: 1, higherIsBetter })).toBe(false);
});

test('a line says whether the bound was kept', () => {
  expect(figureLine({ ...figure, bound: 60 })).toMatch(/^events +70 1\/s +\(bound 60: MISSED\)$/);
  expect(figureLine(figure)).toMatch(/^events +70 1\/s$/);
});
