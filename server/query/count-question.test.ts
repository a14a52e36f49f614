import { describe, expect, it } from 'vitest';
import { readCountQuestion } from './count-question.ts';

const ask = (query: string) => readCountQuestion(new Map(new URLSearchParams(query)));

describe('readCountQuestion', () => {
  it('reads an event, a source, and a source with its campaign', () => {
    const bucket = { granularity: 'hour', name: '2026-11-21-17' };
    expect(ask('event=view&bucket=2026-11-21-17')).toMatchObject({ what: { event: 'view' }, bucket });
    expect(ask('source=mail&bucket=2026-11-21-17')).toMatchObject({ what: { source: 'mail' }, bucket });
    expect(ask('source=mail&campaign=spring&bucket=2026-11-21-17')).toMatchObject({
      what: { source: 'mail', campaign: 'spring' },
    });
  });

  it.each([
    ['event=view', 'missing_parameter', 'bucket= is missing'],
    ['event=view&bucket=yesterday', 'bad_parameter', 'got "yesterday"'],
    ['event=view&bucket=2026-02-30', 'bad_parameter', 'got "2026-02-30"'],
    ['bucket=2026', 'missing_parameter', 'event= (or source=) is missing'],
    ['campaign=spring&bucket=2026', 'missing_parameter', 'campaign= needs source='],
    ['event=view&source=mail&bucket=2026', 'bad_parameter', 'two questions'],
    ['event=view&campaign=spring&bucket=2026', 'bad_parameter', 'two questions'],
    ['event=&bucket=2026', 'bad_parameter', 'event=: needs 1 to 128 characters, got 0'],
    [`source=${'s'.repeat(129)}&bucket=2026`, 'bad_parameter', 'source=: needs 1 to 128 characters, got 129'],
  ])('refuses %s', (query, code, message) => {
    const reply = ask(query);
    expect(reply).toMatchObject({ status: 400, code });
    expect('message' in reply && reply.message).toContain(message);
  });
});
