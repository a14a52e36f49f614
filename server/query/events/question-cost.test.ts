/**
 * What questions cost over columns that are in memory. Prints milliseconds; CROWDBEAT_SEGMENTS=153 makes it the ten
 * million events of the targets in docs/api.md. What Redis, decoding and HTTP cost is not in it.
 */
import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../base/clock.ts';
import { isFacetError, readFacets } from '../../protocol/facets/parse-facets.ts';
import { parseLucene } from '../../protocol/lucene/parse.ts';
import { isLuceneError } from '../../protocol/lucene/query.ts';
import { type EventAnswer, EventQueries } from './answer.ts';
import type { EventQuestion } from './question.ts';
import type { Column, EventSource, Segment } from './segment.ts';

const segments = Number(process.env['CROWDBEAT_SEGMENTS'] ?? 2);
const perSegment = 65_536;
const visitors = 1_000_000;
/** Of whom the events of a segment come: visits are short beside the history. */
const visitorsAtATime = 8000;
const rounds = segments > 10 ? 6 : 3;
const startMs = Date.UTC(2026, 10, 21);

/** A fixed sequence (Numerical Recipes' constants), so that each run asks the same. */
function sequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function dictionary(values: readonly string[], pick: () => number): Column {
  const codes = new Uint8Array(perSegment);
  const counts = new Uint32Array(values.length);
  for (let at = 0; at < perSegment; at++) {
    const index = pick();
    codes[at] = index + 1;
    counts[index] = (counts[index] as number) + 1;
  }
  return { kind: 'dictionary', values, counts, codes, more: new Map() };
}

const types = ['heartbeat', 'view', 'click', 'sessionStart', 'sessionTimeout'];
const pages = Array.from({ length: 200 }, (_none, index) => `/page/${index}`);
const states = Array.from({ length: 60 }, (_none, index) => `US-${index}`);

function segmentOf(number: number): Segment {
  const next = sequence(number + 1);
  const times = Float64Array.from(
    { length: perSegment },
    (_none, at) => startMs + (number * perSegment + at) / 4,
  );
  const loads = Float64Array.from({ length: perSegment }, () =>
    next() < 0.1 ? Math.round(next() * 3000) : Number.NaN,
  );
  const words = new Uint32Array(perSegment * 4);
  for (let at = 0; at < words.length; at += 4) {
    const visitor = sequence(Math.floor((number / segments) * visitors + next() * visitorsAtATime));
    for (let word = 0; word < 4; word++) {
      visitor();
      words[at + word] = Math.imul(visitor() * 2 ** 32, 0x9e37_79b1) ^ (visitor() * 2 ** 32);
    }
  }
  const columns = new Map<string, Column>([
    ['event.type', dictionary(types, () => (next() < 0.9 ? 0 : 1 + Math.floor(next() * 4)))],
    ['page.path', dictionary(pages, () => Math.floor(next() * next() * pages.length))],
    ['_m1.geo.subdivision_1_iso_code', dictionary(states, () => Math.floor(next() * states.length))],
    ['_m1.receivedUTC', { kind: 'number', values: times }],
    ['page.loadMs', { kind: 'number', values: loads }],
    ['visitor.id', { kind: 'uuid', words }],
  ]);
  const range = { min: times[0] as number, max: times[perSegment - 1] as number };
  return {
    number,
    count: perSegment,
    isSealed: number < segments - 1,
    pointRange: (field) => (field === '_m1.receivedUTC' ? range : undefined),
    column: async (field) => columns.get(field),
    documents: async (positions) => positions.map((position) => ({ number, position })),
  };
}

const held = Array.from({ length: segments }, (_none, number) => segmentOf(number));
const source: EventSource = { segments: async () => held };

/** The longest stretch between two turns of the event loop while something runs. */
async function longestHoldMs(clock: Clock, run: () => Promise<void>): Promise<number> {
  let longest = 0;
  let lastMs = clock.monotonicMs();
  let isOver = false;
  const look = (): void => {
    const nowMs = clock.monotonicMs();
    longest = Math.max(longest, nowMs - lastMs);
    lastMs = nowMs;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await run();
  isOver = true;
  return longest;
}

const facet = { by_page: { type: 'terms', field: 'page.path' } };
const cases: [name: string, q: string, sort: string, facet: object | undefined][] = [
  ['terms facet over all (target 50)', '*', '', facet],
  ['terms facet over a filter of 10 % (target 200)', '-event.type:heartbeat', '', facet],
  ['5 newest of all (target 10)', '*', '_m1.receivedUTC desc', undefined],
  ['5 newest for a filter (target 10)', 'event.type:click', '_m1.receivedUTC desc', undefined],
  [
    '5 newest for two filters',
    'event.type:view AND page.path:\\/page\\/7',
    '_m1.receivedUTC desc',
    undefined,
  ],
  [
    'the last tenth by time',
    `_m1.receivedUTC:[${startMs + Math.round((0.9 * segments * perSegment) / 4)} TO *]`,
    '',
    undefined,
  ],
  ['5 slowest pages', 'page.loadMs:*', 'page.loadMs desc', undefined],
  ['unique visitors over a filter of 10 %', '-event.type:heartbeat', '', { u: 'unique(visitor.id)' }],
  ['unique visitors over all', '*', '', { u: 'unique(visitor.id)' }],
  [
    'pages by type with visitors, filter of 10 %',
    '-event.type:heartbeat',
    '',
    {
      by_type: { type: 'terms', field: 'event.type', facet: { ...facet, u: 'unique(visitor.id)' } },
    },
  ],
  ['percentiles of page.loadMs', '*', '', { p: 'percentile(page.loadMs,50,99)' }],
];

test.each(cases)(
  '%s',
  async (name, q, sort, facets) => {
    const queries = new EventQueries({ clock: systemClock, limits: { timeMs: 60_000 } });
    const query = parseLucene(q);
    const read = facets === undefined ? undefined : readFacets({ facet: facets });
    if (isLuceneError(query) || (read !== undefined && isFacetError(read))) throw new Error(q);
    const question: EventQuestion = {
      query,
      fields: undefined,
      start: 0,
      rows: sort === '' ? 0 : 5,
      sort: sort === '' ? [] : [{ field: sort.split(' ')[0] ?? '', direction: 'desc' }],
      format: 'json',
      facets: read,
      parameters: {},
    };
    const times: number[] = [];
    let answer: EventAnswer | undefined;
    const cpuBefore = process.cpuUsage();
    const holdMs = await longestHoldMs(systemClock, async () => {
      for (let round = 0; round < rounds; round++) {
        const beganMs = systemClock.monotonicMs();
        const given = await queries.answer(source, question, 'demo/site');
        if ('status' in given) throw new Error(given.message);
        times.push(systemClock.monotonicMs() - beganMs);
        answer = given;
      }
    });
    const cpu = process.cpuUsage(cpuBefore);
    const cpuMs = (cpu.user + cpu.system) / 1000 / rounds;
    const [first = 0] = times;
    const sorted = times.slice(1).sort((a, b) => a - b);
    const shown = [first, sorted[sorted.length >> 1] ?? 0, sorted.at(-1) ?? 0, holdMs].map((ms) =>
      ms.toFixed(1),
    );
    process.stdout.write(
      `${name}: first ${shown[0]} ms, then median ${shown[1]}, worst ${shown[2]}; ` +
        `CPU ${cpuMs.toFixed(1)} ms each; the loop was held ${shown[3]} ms at most\n`,
    );
    expect(answer?.numFound).toBeGreaterThan(0);
    expect(answer?.documents).toHaveLength(question.rows);
  },
  240_000,
);
