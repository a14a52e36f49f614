import { expect, test } from 'vitest';
import { historyOf } from '../compare/index.ts';
import { type IndexEntry, indexSchema } from '../record/index.ts';
import { historyText } from './history-text.ts';

const entry = (day: number, value: number): IndexEntry => ({
  ...{
    schema: indexSchema,
    id: `s${day}`,
    kind: 'compare',
    envClass: 'e',
    workloadHash: 'w',
    verdict: 'SAME',
  },
  startedAt: new Date(Date.UTC(2026, 9, day)).toISOString(),
  shas: [`${String(day).padStart(2, '0')}abcdef0`],
  medians: { 'view.p50.response': value },
  notReproduced: [],
});

test('a step in the history is told with its size, its commit and its day', () => {
  const entries = Array.from({ length: 24 }, (_, at) => entry(at + 1, (at < 12 ? 1000 : 1200) + (at % 3)));
  const [line, step, ...more] = historyText(historyOf(entries));
  expect(line).toMatch(/^view\.p50\.response {2}▁{12}█{12} +24 sessions, last 1202$/);
  expect(step).toMatch(/^ +step of \+20\.0% at 13abcde, 2026-10-13 \(p /);
  expect(more).toEqual([]);
});

test('a level that never changes is a flat line', () => {
  expect(historyText(historyOf([entry(1, 5), entry(2, 5)]))).toEqual([
    'view.p50.response  ▁▁     2 sessions, last 5',
  ]);
});
