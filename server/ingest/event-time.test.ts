import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEventTime } from './event-time.ts';

const utc = Date.UTC(2026, 10, 21, 17, 5, 9, 123);

describe('parseEventTime', () => {
  it.each([
    ['2026-11-21T17:05:09.123Z', utc],
    ['2026-11-21T18:05:09.123+01:00', utc],
    ['2026-11-21T11:35:09.123-0530', utc],
    ['2026-11-21T17:05:09.123999Z', utc],
    ['2026-11-21T17:05:09.1Z', utc - 23],
    ['2026-11-21T17:05:09Z', utc - 123],
    ['2026-11-21T17:05Z', utc - 9123],
    [utc, utc],
    [utc + 0.75, utc],
  ])('reads %s', (value, expected) => {
    expect(parseEventTime(value)).toBe(expected);
  });

  it.each([
    '2026-11-21',
    '2026-11-21T17:05:09',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T17:60:00Z',
    '2026-11-21T17:05:60Z',
    '2026-11-21T17:05:09+25:00',
    '0050-01-01T00:00:00Z',
    ' 2026-11-21T17:05:09Z',
    '1795280000000',
    '',
    Number.POSITIVE_INFINITY,
    Number.NaN,
    8.64e15 + 1,
    null,
    true,
    [],
    {},
  ])('does not take %j for a time', (value) => {
    expect(parseEventTime(value)).toBeUndefined();
  });

  it('reads what Date writes, for every instant from the year 100 on', () => {
    const instant = fc.date({
      min: new Date('0100-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(fc.property(instant, (date) => parseEventTime(date.toISOString()) === date.getTime()));
  });
});
