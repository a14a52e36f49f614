/**
 * The answer to facets by plain sets and loops over whole documents: right by being simple, the twin that the
 * index is held against, and good enough for a session store. The time grows with documents times facets.
 */

import { pointOf, textOf } from '../lucene/literal.ts';
import { matcherOf } from '../lucene/matches.ts';
import { compareKeys } from '../lucene/sort.ts';
import { type Document, pathOf, valuesAt } from '../lucene/values-at.ts';
import type {
  Aggregate,
  BucketAnswer,
  BucketsAnswer,
  Facet,
  FacetAnswer,
  Figure,
  RangeFacet,
  TermsFacet,
} from './facet.ts';

export function facetNaive(documents: readonly Document[], facets: readonly Facet[]): BucketAnswer {
  return answerBucket(documents, facets);
}

function answerBucket(
  documents: readonly Document[],
  facets: readonly Facet[],
  val?: number | string,
): BucketAnswer {
  const answers = facets.map((facet): [string, FacetAnswer | Figure] => [
    facet.name,
    answerFacet(documents, facet),
  ]);
  const head = val === undefined ? {} : { val };
  return { ...head, count: documents.length, ...Object.fromEntries(answers) };
}

function answerFacet(documents: readonly Document[], facet: Facet): FacetAnswer | Figure {
  switch (facet.kind) {
    case 'terms':
      return answerTerms(documents, facet);
    case 'range':
      return answerRange(documents, facet);
    case 'query':
      return answerBucket(documents.filter(matcherOf(facet.query)), facet.facets);
    default:
      return aggregate(documents, facet);
  }
}

/** What a document counts under: numbers as numbers, texts as texts, true and false as words. Each once. */
function keysOf(document: Document, path: readonly string[]): Set<number | string> {
  return new Set(valuesAt(document, path).map((value) => textOf(value) ?? (value as number)));
}

function answerTerms(documents: readonly Document[], facet: TermsFacet): BucketsAnswer {
  const path = pathOf(facet.field);
  const groups = new Map<number | string, Document[]>();
  const missing: Document[] = [];
  for (const document of documents) {
    const keys = keysOf(document, path);
    if (keys.size === 0) missing.push(document);
    for (const key of keys) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [document]);
      else group.push(document);
    }
  }
  const kept = [...groups].filter(
    ([key, { length }]) =>
      length >= facet.mincount && (facet.prefix === '' || String(textOf(key) ?? '').startsWith(facet.prefix)),
  );
  const page = sortGroups(kept, facet).slice(facet.offset, facet.offset + facet.limit);
  return {
    ...(facet.numBuckets ? { numBuckets: kept.length } : {}),
    buckets: page.map(([key, group]) => answerBucket(group, facet.facets, key)),
    ...(facet.missing ? { missing: answerBucket(missing, facet.facets) } : {}),
  };
}

type Group = readonly [number | string, readonly Document[]];

function sortGroups(groups: readonly Group[], { sort, facets }: TermsFacet): Group[] {
  const rank = rankOf(
    sort.by === 'aggregate' ? facets.find(({ name }) => name === sort.name) : undefined,
    sort.by,
  );
  return groups
    .map((group) => ({ group, rank: rank(group) }))
    .sort((a, b) => compareKeys(a.rank, b.rank, sort.direction) || compareKeys(a.group[0], b.group[0], 'asc'))
    .map(({ group }) => group);
}

function rankOf(
  facet: Facet | undefined,
  by: TermsFacet['sort']['by'],
): (group: Group) => number | string | undefined {
  if (by === 'count') return ([, documents]) => documents.length;
  if (by === 'index') return ([key]) => key;
  if (facet === undefined || facet.kind === 'terms' || facet.kind === 'query' || facet.kind === 'range')
    return () => undefined;
  return ([, documents]) => {
    const figure = aggregate(documents, facet);
    return typeof figure === 'number' ? figure : undefined;
  };
}

function answerRange(documents: readonly Document[], facet: RangeFacet): BucketsAnswer {
  const path = pathOf(facet.field);
  const within = (low: number, high: number): Document[] =>
    documents.filter((document) => pointsAt(document, path).some((point) => point >= low && point < high));
  const { edges } = facet;
  const [start, end] = [edges[0] ?? 0, edges.at(-1) ?? 0];
  const outside = { before: [-Infinity, start], after: [end, Infinity], between: [start, end] } as const;
  const buckets = edges
    .slice(0, -1)
    .map((low, index) => ({ low, found: within(low, edges[index + 1] ?? low) }));
  const others = facet.other.map((name) => [name, answerBucket(within(...outside[name]), facet.facets)]);
  return {
    buckets: buckets
      .filter(({ found }) => found.length >= facet.mincount)
      .map(({ low, found }) => answerBucket(found, facet.facets, edgeName(low, facet.isDate))),
    ...Object.fromEntries(others),
  };
}

/** A bucket's `val`: the number, or the date as Solr writes it, without a fraction of zeros. */
export function edgeName(edge: number, isDate: boolean): number | string {
  return isDate ? new Date(edge).toISOString().replace('.000Z', 'Z') : edge;
}

/** A value that a document has twice is one value of it, in figures as in buckets. */
function pointsAt(document: Document, path: readonly string[]): number[] {
  return [...new Set(valuesAt(document, path))].map(pointOf).filter((point) => point !== undefined);
}

function aggregate(documents: readonly Document[], facet: Aggregate): Figure {
  const path = pathOf(facet.field);
  if (facet.kind === 'unique')
    return new Set(documents.flatMap((document) => [...keysOf(document, path)])).size;
  const points = documents.flatMap((document) => pointsAt(document, path)).sort((a, b) => a - b);
  if (facet.kind === 'percentile') {
    const figures = facet.percents.map((percent) => nearestRank(points, percent));
    return figures.length === 1 ? (figures[0] ?? null) : figures;
  }
  const sum = points.reduce((total, point) => total + point, 0);
  if (facet.kind === 'sum') return sum;
  if (points.length === 0) return null;
  if (facet.kind === 'avg') return sum / points.length;
  return (facet.kind === 'min' ? points[0] : points.at(-1)) ?? null;
}

/**
 * The smallest value with at least `percent` of all values at or below it: a value that really occurred, exact,
 * and the same however the values were split before. Null of none.
 * @param points ascending
 */
export function nearestRank(points: ArrayLike<number>, percent: number): number | null {
  // 2.2 x 1500 / 100 is a hair above 33 in doubles; without the correction its rank would be 34.
  const rank = Math.ceil((percent * points.length) / 100 - 1e-9);
  return points[Math.max(rank, 1) - 1] ?? null;
}
