/** The edges of a range facet's buckets, from its start, end and gap. */
import { applySteps, type DateStep, parseSteps, readDateMath } from '../lucene/date-math.ts';
import { parseNumber } from '../lucene/literal.ts';
import { facetLimits, type RangeFacet, type RangeOther } from './facet.ts';
import { type Members, shown } from './reading.ts';

type Edges = Pick<RangeFacet, 'edges' | 'isDate'>;

/** @param nowMs epoch ms of NOW, if there is one */
export function parseEdges(members: Members, nowMs: number | undefined): Edges {
  const [start, end] = [parseEnd(members, 'start', nowMs), parseEnd(members, 'end', nowMs)];
  if (start.isDate !== end.isDate)
    members.fail('end', 'start and end must both be numbers, or both be dates');
  if (start.point >= end.point) {
    members.fail(
      'end',
      `must be above start, got ${shown(members.get('start'))} and ${shown(members.get('end'))}`,
    );
  }
  const next = start.isDate ? dateGap(members) : numberGap(members, start.point);
  const isHardEnd = members.flag('hardend');
  const edges = [start.point];
  for (let last = start.point; last < end.point; ) {
    if (edges.length > facetLimits.bucketsMax) {
      members.fail('gap', `makes more than ${facetLimits.bucketsMax} buckets`);
    }
    const edge = next(last, edges.length);
    if (edge === undefined || !(edge > last)) members.fail('gap', `does not lead from ${last} upwards`);
    last = isHardEnd ? Math.min(edge, end.point) : edge;
    edges.push(last);
  }
  return { edges, isDate: start.isDate };
}

function parseEnd(
  members: Members,
  name: string,
  nowMs: number | undefined,
): { point: number; isDate: boolean } {
  const value = members.get(name);
  if (value === undefined) members.fail(name, 'is missing');
  const number = typeof value === 'string' ? parseNumber(value) : value;
  // JSON may hold 1e999, which is read as infinite.
  if (typeof number === 'number' && Number.isFinite(number)) return { point: number, isDate: false };
  const math = typeof value === 'string' ? readDateMath(value, nowMs) : undefined;
  if (typeof math === 'number') return { point: math, isDate: true };
  return members.fail(
    name,
    math ?? `needs a number, or a date such as 2026-11-21T17:00:00Z or NOW/DAY, got ${shown(value)}`,
  );
}

/** The edge after `last`; `index` of it is how many edges there are before. */
type NextEdge = (last: number, index: number) => number | undefined;

function numberGap(members: Members, start: number): NextEdge {
  const value = members.get('gap');
  const gap = typeof value === 'string' ? parseNumber(value) : value;
  if (typeof gap !== 'number' || !(gap > 0 && Number.isFinite(gap)))
    members.fail('gap', `needs a number above 0, got ${shown(value)}`);
  // From the start each time: fractions added up one by one would drift.
  return (_last, index) => start + index * gap;
}

/** From edge to edge, as Solr does: after the 28th of February a month's gap stays on the 28th. */
function dateGap(members: Members): NextEdge {
  const value = members.get('gap');
  const steps = typeof value === 'string' ? parseSteps(value) : undefined;
  const onlyAdds = (found: readonly DateStep[]): boolean => found.every((step) => step.kind === 'add');
  if (steps === undefined || !onlyAdds(steps)) {
    return members.fail('gap', `needs date math such as +1HOUR, got ${shown(value)}`);
  }
  return (last) => applySteps(last, steps);
}

const others: readonly RangeOther[] = ['before', 'after', 'between'];

/** `other`: one word or a list of them; `all` is all three, `none` none. */
export function parseOther(members: Members): readonly RangeOther[] {
  const value = members.get('other') ?? 'none';
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
  const wanted = new Set<unknown>();
  for (const word of given) {
    if (word === 'all') for (const other of others) wanted.add(other);
    else if (others.some((other) => other === word)) wanted.add(word);
    else if (word !== 'none')
      members.fail('other', `needs before, after, between, all or none, got ${shown(word)}`);
  }
  return others.filter((other) => wanted.has(other));
}
