/**
 * Answers facets over segments, exactly as protocol/facets/facet-naive.ts would over the documents.
 *
 * A level of facets is one pass over the events of its group: all its facets look at each slice. Then the buckets to
 * answer are chosen, and only these become the group of the level below.
 */
import type {
  Aggregate,
  BucketAnswer,
  BucketsAnswer,
  Facet,
  FacetAnswer,
  Figure,
  QueryFacet,
  RangeFacet,
  TermsFacet,
} from '../../protocol/facets/facet.ts';
import { edgeName } from '../../protocol/facets/facet-naive.ts';
import type { Query } from '../../protocol/lucene/query.ts';
import { aggregateTaker, type Columns, Counters, type Taker } from './facet-run-aggregate.ts';
import { type Bucket, BucketTaker, pageOf } from './facet-run-buckets.ts';
import { KeyClasses, RangeClasses } from './facet-run-classes.ts';
import { BucketGroup, type Group, type GroupTools } from './facet-run-group.ts';
import { type QuestionLimits, TooMuchError } from './limits.ts';
import { type PlainColumn, plainColumn } from './plain-column.ts';
import type { Segment } from './segment.ts';
import { KeyTable } from './unique-keys.ts';

export interface FacetRunOptions extends GroupTools {
  readonly segments: readonly Segment[];
  readonly limits: QuestionLimits;
}

/** The answer of each slot of a group. Throws TooMuchError, CB_QUERY_*, CB_REDIS_*. */
export async function answerGroup(
  group: Group,
  facets: readonly Facet[],
  options: FacetRunOptions,
): Promise<BucketAnswer[]> {
  const runs = facets.map((facet) => startFacet(facet, group, options));
  const counts = await takeGroup(
    group,
    runs.flatMap(({ taker }) => taker ?? []),
    options,
  );
  const answers = Array.from({ length: group.slots }, (_none, slot): [string, unknown][] => [
    ['count', counts.get(slot)],
  ]);
  for (const { name, finish } of runs) {
    const ofSlots = await finish();
    for (const [slot, members] of answers.entries()) members.push([name, ofSlots[slot]]);
  }
  return answers.map((members) => Object.fromEntries(members) as unknown as BucketAnswer);
}

/** Shows the events of a group to all takers; resolves with the number of events of each slot. */
async function takeGroup(
  group: Group,
  takers: readonly Taker[],
  { segments, turns }: FacetRunOptions,
): Promise<Counters> {
  const counts = new Counters();
  const fields = new Set(takers.flatMap((taker) => taker.fields));
  for (const segment of segments) {
    const part = await group.open(segment);
    const isCounted = part.size !== undefined;
    if (isCounted) counts.add(0, part.size);
    if (part.size === 0) continue;
    const columns = await columnsOf(segment, fields, turns);
    const rest = part.size === segment.count ? takers.filter((taker) => !taker.takeAll(columns)) : takers;
    await turns.breathe();
    if (isCounted && rest.length === 0) continue;
    for (const slice of part.slices()) {
      if (!isCounted) for (let i = 0; i < slice.length; i++) counts.add(slice.slots[i] as number, 1);
      for (const taker of rest) {
        taker.take(slice, columns);
        if (turns.isDue()) await turns.breathe();
      }
    }
  }
  return counts;
}

async function columnsOf(
  segment: Segment,
  fields: ReadonlySet<string>,
  turns: FacetRunOptions['turns'],
): Promise<Columns> {
  const columns = new Map<string, PlainColumn>();
  const load = async (field: string): Promise<void> => {
    const column = await plainColumn(segment, field);
    if (column !== undefined) columns.set(field, column);
  };
  if (fields.size > 0) await turns.wait(Promise.all([...fields].map(load)));
  return columns;
}

/** A facet under way: what looks at the events, and then the answer for each slot. */
interface FacetRun {
  readonly name: string;
  readonly taker: Taker | undefined;
  readonly finish: () => Promise<readonly (FacetAnswer | Figure)[]>;
}

function startFacet(facet: Facet, group: Group, options: FacetRunOptions): FacetRun {
  switch (facet.kind) {
    case 'terms':
      return startTerms(facet, group, options);
    case 'range':
      return startRange(facet, group, options);
    case 'query':
      return startQuery(facet, group, options);
    default:
      return startAggregate(facet, group, options);
  }
}

function startQuery({ name, query, facets }: QueryFacet, group: Group, options: FacetRunOptions): FacetRun {
  return { name, taker: undefined, finish: () => answerGroup(group.narrow(query), facets, options) };
}

function startAggregate(aggregate: Aggregate, group: Group, options: FacetRunOptions): FacetRun {
  const taker = aggregateTaker(aggregate, group.slots, options.limits);
  const finish = async (): Promise<Figure[]> => {
    const figures: Figure[] = [];
    for (let slot = 0; slot < group.slots; slot++) figures.push(await taker.figure(slot, options.turns));
    return figures;
  };
  return { name: aggregate.name, taker, finish };
}

function startTerms(facet: TermsFacet, group: Group, options: FacetRunOptions): FacetRun {
  const { facetValuesMax } = options.limits;
  const onFull = (): Error =>
    new TooMuchError(
      'too_many_values',
      `facet ${facet.name}: ${facet.field} has more than ${facetValuesMax} values here; narrow q, or use unique(${facet.field})`,
    );
  const classes = new KeyClasses(facetValuesMax, onFull, facet.prefix);
  const taker = new BucketTaker(
    facet.field,
    classes,
    group.slots === 1 ? undefined : new KeyTable(facetValuesMax, onFull),
    rankOf(facet, options.limits),
  );
  const finish = async (): Promise<BucketsAnswer[]> => {
    const all = await taker.buckets(group.slots, facet.mincount, options.turns);
    const keyOf = (found: number): string | number => classes.keys.keyOf(found);
    const figureOf: BucketTaker['figureOf'] = (cell, turns) => taker.figureOf(cell, turns);
    const pages: Named[][] = [];
    for (const buckets of all) {
      const page = await pageOf(buckets, facet, { keyOf, figureOf }, options.turns);
      pages.push(page.map(({ found, count, key }) => ({ found, count, val: key })));
    }
    const shown = await answerBuckets(taker, pages, facet, group, options);
    const missing = facet.missing
      ? await answerGroup(group.narrow(hasNo(facet.field)), facet.facets, options)
      : [];
    return shown.map((buckets, slot) => ({
      ...(facet.numBuckets ? { numBuckets: all[slot]?.length ?? 0 } : {}),
      buckets,
      ...(missing[slot] === undefined ? {} : { missing: missing[slot] }),
    }));
  };
  return { name: facet.name, taker, finish };
}

const hasNo = (field: string): Query => ({ kind: 'not', member: { kind: 'exists', field } });

/** What the buckets are ordered by, if that is a figure of theirs; its slots are cells, of which there are many. */
function rankOf({ sort, facets }: TermsFacet, limits: QuestionLimits) {
  if (sort.by !== 'aggregate') return undefined;
  const ranking = facets.find(({ name }) => name === sort.name);
  if (
    ranking === undefined ||
    ranking.kind === 'terms' ||
    ranking.kind === 'range' ||
    ranking.kind === 'query'
  )
    return undefined;
  return aggregateTaker(ranking, Number.POSITIVE_INFINITY, limits);
}

interface Named extends Pick<Bucket, 'found' | 'count'> {
  readonly val: string | number;
}

function startRange(facet: RangeFacet, group: Group, options: FacetRunOptions): FacetRun {
  const { edges, isDate, mincount, other, field, facets } = facet;
  const { facetValuesMax } = options.limits;
  const onFull = (): Error =>
    new TooMuchError(
      'too_many_values',
      `facet ${facet.name}: more than ${facetValuesMax} buckets with events`,
    );
  const cells = group.slots === 1 ? undefined : new KeyTable(facetValuesMax, onFull);
  const taker = new BucketTaker(field, new RangeClasses(edges), cells);
  const finish = async (): Promise<BucketsAnswer[]> => {
    checkBuckets(mincount === 0 ? group.slots * (edges.length - 1) : 0, facet, options.limits);
    const pages = Array.from({ length: group.slots }, (_none, slot) =>
      edges
        .slice(0, -1)
        .map((edge, found) => ({ found, count: taker.countOf(slot, found), val: edgeName(edge, isDate) }))
        .filter(({ count }) => count >= mincount),
    );
    const shown = await answerBuckets(taker, pages, facet, group, options);
    const others: [string, BucketAnswer[]][] = [];
    for (const place of other)
      others.push([place, await answerGroup(group.narrow(placeOf(place, facet)), facets, options)]);
    return shown.map((buckets, slot) => ({
      buckets,
      ...Object.fromEntries(others.map(([place, answers]) => [place, answers[slot]])),
    }));
  };
  return { name: facet.name, taker, finish };
}

/** The events before, after and between the edges, as a query. */
function placeOf(place: RangeFacet['other'][number], { edges, field }: RangeFacet): Query {
  const end = (point: number) => ({ text: String(point), point, quoted: false });
  const [first, last] = [end(edges[0] ?? 0), end(edges.at(-1) ?? 0)];
  const range = { kind: 'range', by: 'point', field, includeMin: true, includeMax: false } as const;
  if (place === 'before') return { ...range, min: undefined, max: first };
  if (place === 'after') return { ...range, min: last, max: end(Number.POSITIVE_INFINITY) };
  return { ...range, min: first, max: last };
}

/** The buckets that were chosen in each slot, with what is asked of each. */
async function answerBuckets(
  taker: BucketTaker,
  pages: readonly (readonly Named[])[],
  facet: TermsFacet | RangeFacet,
  group: Group,
  options: FacetRunOptions,
): Promise<BucketAnswer[][]> {
  checkBuckets(
    pages.reduce((sum, { length }) => sum + length, 0),
    facet,
    options.limits,
  );
  if (facet.facets.length === 0) return pages.map((page) => page.map(({ val, count }) => ({ val, count })));
  const child = new BucketGroup(group, facet.field, taker.classes, taker.choose(pages), options);
  const answers = await answerGroup(child, facet.facets, options);
  let next = 0;
  return pages.map((page) => page.map(({ val }) => ({ val, ...(answers[next++] as BucketAnswer) })));
}

function checkBuckets(buckets: number, { name }: Facet, { bucketsMax }: QuestionLimits): void {
  if (buckets <= bucketsMax) return;
  const message = `facet ${name}: would be answered with ${buckets} buckets, at most ${bucketsMax} are; lower its limit`;
  throw new TooMuchError('too_many_buckets', message);
}
