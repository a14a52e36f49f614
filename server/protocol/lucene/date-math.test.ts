import { describe, expect, it } from 'vitest';
import { applySteps, parseSteps, readDateMath } from './date-math.ts';

const nowMs = Date.parse('2024-02-29T23:59:58.987Z');

const read = (text: string): string | undefined => {
  const time = readDateMath(text, nowMs);
  return typeof time === 'number' ? new Date(time).toISOString() : time;
};

describe('date math', () => {
  it.each([
    ['NOW', '2024-02-29T23:59:58.987Z'],
    ['NOW/SECOND', '2024-02-29T23:59:58.000Z'],
    ['NOW/MINUTE', '2024-02-29T23:59:00.000Z'],
    ['NOW/HOUR', '2024-02-29T23:00:00.000Z'],
    ['NOW/DAY', '2024-02-29T00:00:00.000Z'],
    ['NOW/DATE', '2024-02-29T00:00:00.000Z'],
    ['NOW/MONTH', '2024-02-01T00:00:00.000Z'],
    ['NOW/YEAR', '2024-01-01T00:00:00.000Z'],
    ['NOW-1DAY/HOUR', '2024-02-28T23:00:00.000Z'],
    ['NOW/HOUR-1DAY', '2024-02-28T23:00:00.000Z'],
    ['NOW+13MILLIS', '2024-02-29T23:59:59.000Z'],
    ['NOW+2SECONDS/DAY', '2024-03-01T00:00:00.000Z'],
    ['NOW+6MONTHS+3DAYS/DAY', '2024-09-01T00:00:00.000Z'],
    ['NOW+1YEAR', '2025-02-28T23:59:58.987Z'],
    ['NOW-4YEARS', '2020-02-29T23:59:58.987Z'],
    ['2023-01-31T12:00:00Z+1MONTH', '2023-02-28T12:00:00.000Z'],
    ['2023-01-31T12:00:00Z-2MONTHS', '2022-11-30T12:00:00.000Z'],
    ['2023-12-31T23:59:59.999Z+1MILLISECOND', '2024-01-01T00:00:00.000Z'],
    ['1969-12-31T23:30:00Z/DAY', '1969-12-31T00:00:00.000Z'],
    ['NOW-1974YEARS/YEAR', '0050-01-01T00:00:00.000Z'],
    ['2026-11-21', '2026-11-21T00:00:00.000Z'],
  ])('%s is %s', (text, time) => {
    expect(read(text)).toBe(time);
  });

  it.each([
    ['now'],
    ['NOWHERE'],
    ['NOWT'],
    ['view'],
    ['2026-11'],
    ['2026-11-21+1DAY'],
    ['2026-02-30T00:00:00Z+1DAY'],
  ])('%s is none', (text) => {
    expect(read(text)).toBeUndefined();
  });

  it.each([
    ['NOW-'],
    ['NOW/'],
    ['NOW-5'],
    ['NOW-5minutes'],
    ['NOW-1.5DAYS'],
    ['NOW+1DAY '],
    ['NOW/DAY/WEEK'],
  ])('%s begins as date math and is refused', (text) => {
    expect(read(text)).toContain('date math is made of steps');
  });

  it('never leaves what a date can hold', () => {
    expect(read('NOW+999999999YEARS')).toContain('no time that a date can hold');
    expect(applySteps(0, parseSteps('-999999999DAYS') ?? [])).toBeUndefined();
  });
});
