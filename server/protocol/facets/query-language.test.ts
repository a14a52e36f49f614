/** docs/query-language.md, held to its word: every table and block of examples is read from the page and run. */
import { readFileSync } from 'node:fs';
import { expect, it, test } from 'vitest';
import { parseFieldList, project } from '../lucene/field-list.ts';
import { matches } from '../lucene/matches.ts';
import { parseLucene } from '../lucene/parse.ts';
import { isLuceneError, luceneLimits } from '../lucene/query.ts';
import { compareBy, parseSort } from '../lucene/sort.ts';
import { facetLimits } from './facet.ts';
import { facetNaive } from './facet-naive.ts';
import { isFacetError, parseFacets } from './parse-facets.ts';

const page = readFileSync(new URL('../../../docs/query-language.md', import.meta.url), 'utf8');
const nowMs = Date.parse('2026-11-21T17:00:00Z');
const documents = JSON.parse(block('documents')) as { id: number }[];

function block(name: string): string {
  const found = new RegExp(`\`\`\`json ${name}\n([^\`]*)\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`the page has no block ${name}`);
  return found;
}

/** The rows of all tables with this head; cells without the quotes of code, `\|` as `|`. */
function rows(head: string): string[][] {
  const tables = page.split('\n\n').filter((part) => part.startsWith(head));
  return tables.flatMap((table) =>
    table
      .trim()
      .split('\n')
      .slice(2)
      .map((row) =>
        row
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map(cell),
      ),
  );
}

function cell(text: string): string {
  return text
    .trim()
    .replace(/^`(.*)`$/, '$1')
    .replaceAll('\\|', '|');
}

const idsOf = (found: readonly { id: number }[]): string => found.map(({ id }) => id).join(' ');

function find(text: string): string {
  const query = parseLucene(text, { nowMs });
  if (isLuceneError(query)) return `refused at ${query.position}`;
  return idsOf(documents.filter((document) => matches(query, { ...document })));
}

const queries = [
  ...rows('| q | finds |').map(([q = '', finds = '']) => [q, finds]),
  ...rows('| q | means | finds |').map(([q = '', , finds = '']) => [q, finds]),
];

test('the page has examples of every kind', () => {
  expect(queries).toHaveLength(50);
  expect(rows('| sort |')).toHaveLength(5);
  expect(rows('| fl |')).toHaveLength(3);
});

it.each(queries)('%s finds %s', (q, finds) => {
  expect(find(q ?? '')).toBe(finds);
});

it.each(
  rows('| q | means | finds |').filter(([, means = '']) => means.includes(':') && !means.includes(';')),
)('%s means %s', (q, means) => {
  expect(parseLucene(q ?? '')).toEqual(parseLucene(means ?? ''));
});

it.each(rows('| sort |'))('%s gives the order %s', (sort, order) => {
  const specs = parseSort(sort ?? '');
  if (isLuceneError(specs)) expect(`refused at ${specs.position}`).toBe(order);
  else expect(idsOf([...documents].reverse().sort(compareBy(specs) as () => number))).toBe(order);
});

it.each(rows('| fl |'))('%s shows %s', (fl, shown) => {
  const list = parseFieldList(fl ?? '');
  if (isLuceneError(list)) throw new Error(list.message);
  expect(project({ ...documents[2] }, list)).toEqual(JSON.parse(shown ?? ''));
});

test('the facets of the page have the answer of the page', () => {
  const facets = parseFacets(block('facet'), { nowMs });
  if (isFacetError(facets)) throw new Error(facets.message);
  expect(facetNaive(documents as unknown as Record<string, unknown>[], facets)).toEqual(
    JSON.parse(block('answer')),
  );
});

test('the limits and messages that the page names are the real ones', () => {
  const limits = rows('| limit |').map(([, value = '']) => Number(value.replaceAll(',', '')));
  const { textBytesMax, termsMax, nestingMax, sortFieldsMax, listedFieldsMax } = luceneLimits;
  expect(limits).toEqual([textBytesMax, termsMax, nestingMax, sortFieldsMax, listedFieldsMax]);
  const { nestingMax: levels, facetsMax, textBytesMax: bytes } = facetLimits;
  expect(page).toContain(`nest ${levels} deep, a request has at most ${facetsMax} of them`);
  expect(page).toContain(bytes.toLocaleString('en'));
  const refused = parseLucene('f:/a.*/');
  expect(page).toContain(isLuceneError(refused) ? refused.message : 'no error');
  const facet = parseFacets('{"facet":{"by_type":{"type":"terms","field":"x","limit":-1}}}');
  expect(page.replaceAll('\n', ' ')).toContain(isFacetError(facet) ? facet.message : 'no error');
});
