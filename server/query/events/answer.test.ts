import { describe, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { CrowdbeatError } from '../../base/errors.ts';
import type { Document } from '../../protocol/lucene/values-at.ts';
import type { ErrorReply } from '../../protocol/replies.ts';
import { type EventAnswer, EventQueries, readKey } from './answer.ts';
import { memorySource } from './events.testing.ts';
import type { QuestionLimits } from './limits.ts';
import { readQuestion } from './question.ts';
import { QuestionLine } from './question-turns.ts';
import type { EventSource } from './segment.ts';

const fields = new Set(['event.type', 'event.time', 'n', 'visitor.id']);
const documents = Array.from({ length: 1000 }, (_none, index) => ({
  event: { type: `type${index % 4}`, time: 1_000_000 + index },
  n: index,
  visitor: { id: `3f2a1b4c-0000-4000-8000-${String(index % 300).padStart(12, '0')}` },
}));
const held = (): ReturnType<typeof memorySource> =>
  memorySource(documents, { segmentSize: 100, areKindsMixed: true });

async function ask(
  given: Record<string, string>,
  {
    source = held() as EventSource,
    limits = {} as Partial<QuestionLimits>,
    signal = undefined as AbortSignal | undefined,
  } = {},
): Promise<EventAnswer | ErrorReply> {
  const question = readQuestion(new Map(Object.entries(given)), { nowMs: 2_000_000, fields });
  if ('status' in question) throw new Error(question.message);
  return new EventQueries({ clock: systemClock, limits }).answer(source, question, 'demo/site', signal);
}

const answered = async (...asked: Parameters<typeof ask>): Promise<EventAnswer> => {
  const answer = await ask(...asked);
  if ('status' in answer) throw new Error(answer.message);
  return answer;
};

describe('what is not looked at', () => {
  const touched = (source: ReturnType<typeof held>, field: string): number[] =>
    source.held.filter(({ asked }) => asked.has(field)).map(({ number }) => number);

  test('the newest rows come from the last segment alone', async () => {
    const source = held();
    const { documents: rows, numFound } = await answered(
      { q: '*', sort: 'event.time desc', rows: '5' },
      { source },
    );
    expect(rows.map(({ n }: Document) => n)).toEqual([999, 998, 997, 996, 995]);
    expect(numFound).toBe(1000);
    expect(touched(source, 'event.time')).toEqual([12]);
  });

  test('the oldest from the first', async () => {
    const source = held();
    const { documents: rows } = await answered(
      { q: '*', sort: 'event.time asc', rows: '2', start: '99' },
      { source },
    );
    expect(rows.map(({ n }: Document) => n)).toEqual([99, 100]);
    expect(touched(source, 'event.time')).toEqual([3, 4]);
  });

  test('a range of times reads only the segments that it meets', async () => {
    const source = held();
    const { numFound } = await answered({ q: 'event.time:[1000250 TO 1000349]', rows: '0' }, { source });
    expect(numFound).toBe(100);
    expect(touched(source, 'event.time')).toEqual([5, 6]);
  });
});

describe('too much is refused, never answered in part', () => {
  const facet = (text: string): Record<string, string> => ({
    q: '*',
    rows: '0',
    json: `{"facet":{"f":${text}}}`,
  });
  const cases: [string, Record<string, string>, Partial<QuestionLimits>, string][] = [
    ['values of a facet', facet('{"type":"terms","field":"n"}'), { facetValuesMax: 999 }, 'too_many_values'],
    ['values under unique', facet('"unique(visitor.id)"'), { uniqueValuesMax: 299 }, 'too_many_values'],
    ['numbers to order', facet('"percentile(n,50)"'), { percentilePointsMax: 999 }, 'too_many_values'],
    ['buckets', facet('{"type":"terms","field":"n","limit":1000}'), { bucketsMax: 999 }, 'too_many_buckets'],
    [
      'buckets in buckets',
      facet('{"type":"terms","field":"event.type","facet":{"g":{"type":"terms","field":"n","limit":1000}}}'),
      { bucketsMax: 999 },
      'too_many_buckets',
    ],
  ];
  test.each(cases)('%s', async (_what, given, limits, code) => {
    expect(await ask(given, { limits })).toMatchObject({ status: 400, code });
    const [[name = '', most = 0] = []] = Object.entries(limits);
    expect(await ask(given, { limits: { [name]: most + 1 } })).toMatchObject({ numFound: 1000 });
  });

  test('time', async () => {
    const asked = ask({ q: '*' }, { limits: { timeMs: 0 } });
    await expect(asked).rejects.toMatchObject({ code: 'CB_QUERY_TIMEOUT' });
  });

  test('a client that is gone', async () => {
    const asked = ask({ q: '*' }, { signal: AbortSignal.abort() });
    await expect(asked).rejects.toMatchObject({ code: 'CB_QUERY_CANCELLED' });
  });
});

test('a question begins again when a segment moved while it was read, and gives up in the end', async () => {
  let failures = 2;
  const source: EventSource = {
    segments: async () => {
      if (failures-- > 0) throw new CrowdbeatError('CB_REDIS_STALE', 'sealed meanwhile');
      return held().held;
    },
  };
  expect(await answered({ q: '*' }, { source })).toMatchObject({ numFound: 1000 });
  failures = 100;
  await expect(ask({ q: '*' }, { source })).rejects.toMatchObject({ code: 'CB_REDIS_STALE' });
});

test('whatever comes of questions, no place stays taken', async () => {
  const line = new QuestionLine();
  const queries = new EventQueries({ clock: systemClock, line, limits: { uniqueValuesMax: 10 } });
  const question = readQuestion(
    new Map([
      ['q', '*'],
      ['json', '{"facet":{"u":"unique(n)"}}'],
    ]),
    { nowMs: 0, fields },
  );
  if ('status' in question) throw new Error(question.message);
  const source = held();
  const answers = Array.from({ length: 20 }, () => queries.answer(source, question, 'demo/site'));
  for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ code: 'too_many_values' });
  expect([line.heavyCount, line.waitingCount]).toEqual([0, 0]);
});

test.each([
  ['3-17', { segment: 3, position: 17 }],
  ['0-65535', { segment: 0, position: 65_535 }],
  ['65537', { segment: 1, position: 1 }],
  ['0-65536', undefined],
  ['-1', undefined],
  ['1-', undefined],
  ['1e3', undefined],
])('the key %s is %j', (text, place) => {
  expect(readKey(text)).toEqual(place);
});
