import { describe, expect, it } from 'vitest';
import { record } from './event.testing.ts';
import { oneAccepted, writeAnswer } from './write-reply.ts';

const event = record('e');

describe('writeAnswer', () => {
  it('answers one accepted event with the constant reply', () => {
    expect(writeAnswer([event], ['accepted'])).toBe(oneAccepted);
    expect(JSON.parse(oneAccepted.json)).toEqual({
      durability: 'stored',
      accepted: 1,
      duplicates: 0,
      rejected: 0,
      results: [],
    });
  });

  it('counts each kind and tells only of the events that were not accepted', () => {
    const answer = writeAnswer(
      [event, 'missing_type', event, event, event],
      ['accepted', 'duplicate', 'too_old', 'accepted'],
    );
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.json)).toEqual({
      durability: 'stored',
      accepted: 2,
      duplicates: 1,
      rejected: 2,
      results: [
        { index: 1, status: 'rejected', reason: 'missing_type', message: 'event.type is missing' },
        { index: 2, status: 'duplicate' },
        {
          index: 3,
          status: 'rejected',
          reason: 'too_old',
          message: 'event.seq is left of the window of the newest 1024 numbers of its tab',
        },
      ],
    });
  });

  it('answers 400 when every event was rejected, and 200 when one was a duplicate', () => {
    expect(writeAnswer(['missing_type', event], ['seq_jump']).status).toBe(400);
    expect(writeAnswer(['missing_type', event], ['duplicate']).status).toBe(200);
  });

  it('answers 200 to a write without events', () => {
    expect(writeAnswer([], []).status).toBe(200);
  });

  it('does not make up an outcome that the store did not give', () => {
    expect(() => writeAnswer([event, event], ['accepted'])).toThrow(RangeError);
  });
});
