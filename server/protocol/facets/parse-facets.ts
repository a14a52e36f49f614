/**
 * `json={"facet":{…}}`: Solr's JSON facets, the parts of them that docs/query-language.md lists. Anything else
 * is refused by its path, so that nobody takes an answer for more than it is.
 */

import { parseLucene } from '../lucene/parse.ts';
import { type FieldNames, fieldOf, isLuceneError } from '../lucene/query.ts';
import {
  type BucketSort,
  type Facet,
  type FacetError,
  facetLimits,
  type QueryFacet,
  type RangeFacet,
  type TermsFacet,
} from './facet.ts';
import { parseAggregate } from './parse-aggregate.ts';
import { parseEdges, parseOther } from './parse-range.ts';
import { asObject, FacetFault, Members, shown } from './reading.ts';

export interface FacetOptions {
  /** What NOW means, epoch ms. Without it NOW is refused. */
  readonly nowMs?: number;
  /** The fields that there are; any other is refused. */
  readonly fields?: FieldNames;
}

/** Reads the `json` parameter. Never throws: what can't be read comes back as a FacetError. */
export function parseFacets(text: string, options: FacetOptions = {}): readonly Facet[] | FacetError {
  const bytes = Buffer.byteLength(text);
  if (bytes > facetLimits.textBytesMax) {
    return { kind: 'error', message: `json: may have ${facetLimits.textBytesMax} bytes, got ${bytes}` };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    return { kind: 'error', message: `json: is not JSON: ${thrown instanceof Error ? thrown.message : ''}` };
  }
  return readFacets(value, options);
}

/** The same for JSON that has been parsed: `{"facet":{…}}`. */
export function readFacets(value: unknown, options: FacetOptions = {}): readonly Facet[] | FacetError {
  try {
    const facets = new Members(asObject(value, 'json'), 'json', ['facet']).get('facet');
    return facets === undefined ? [] : new FacetReader(options).level(facets, 'facet', 1);
  } catch (thrown) {
    if (thrown instanceof FacetFault) return thrown.error;
    throw thrown;
  }
}

export function isFacetError(parsed: readonly Facet[] | FacetError): parsed is FacetError {
  return 'kind' in parsed;
}

/** They would hide what stands beside them in an answer, or reach for a prototype. */
const refusedNames = ['count', 'val', '__proto__', 'constructor', 'prototype'];

const termsMembers = [
  'type',
  'field',
  'limit',
  'offset',
  'mincount',
  'sort',
  'prefix',
  'missing',
  'numBuckets',
  'facet',
];
const queryMembers = ['type', 'q', 'facet'];
const rangeMembers = ['type', 'field', 'start', 'end', 'gap', 'hardend', 'other', 'mincount', 'facet'];

class FacetReader {
  readonly options: FacetOptions;
  facets = 0;

  constructor(options: FacetOptions) {
    this.options = options;
  }

  level(value: unknown, path: string, depth: number): readonly Facet[] {
    const entries = Object.entries(asObject(value, path));
    if (entries.length > 0 && depth > facetLimits.nestingMax) {
      throw new FacetFault(path, `facets may be nested ${facetLimits.nestingMax} deep`);
    }
    return entries.map(([name, facet]) => this.facet(name, facet, path, depth));
  }

  facet(name: string, value: unknown, above: string, depth: number): Facet {
    const path = `${above}.${name.slice(0, facetLimits.nameLengthMax)}`;
    this.facets += 1;
    if (this.facets > facetLimits.facetsMax) {
      throw new FacetFault(path, `a request may have ${facetLimits.facetsMax} facets, and this is one more`);
    }
    if (name === '' || name.length > facetLimits.nameLengthMax || refusedNames.includes(name)) {
      const rule = `a name has 1 to ${facetLimits.nameLengthMax} characters and is none of ${refusedNames.join(', ')}`;
      throw new FacetFault(path, rule);
    }
    if (typeof value === 'string')
      return parseAggregate(name, value, path, (field) => this.field(field, path));
    const object = asObject(value, path);
    const type = Object.hasOwn(object, 'type') ? object['type'] : undefined;
    if (type === 'terms') return this.terms(name, new Members(object, path, termsMembers), depth);
    if (type === 'query') return this.query(name, new Members(object, path, queryMembers), depth);
    if (type === 'range') return this.range(name, new Members(object, path, rangeMembers), depth);
    throw new FacetFault(`${path}.type`, `needs terms, query or range, got ${shown(type)}`);
  }

  terms(name: string, members: Members, depth: number): TermsFacet {
    const facets = this.below(members, depth);
    return {
      kind: 'terms',
      name,
      field: this.field(members.text('field'), `${members.path}.field`),
      limit: members.whole('limit', 0, facetLimits.bucketsMax, 10),
      offset: members.whole('offset', 0, facetLimits.offsetMax, 0),
      mincount: members.whole('mincount', 1, Number.MAX_SAFE_INTEGER, 1),
      sort: parseBucketSort(members, facets),
      prefix: members.text('prefix', ''),
      missing: members.flag('missing'),
      numBuckets: members.flag('numBuckets'),
      facets,
    };
  }

  query(name: string, members: Members, depth: number): QueryFacet {
    const query = parseLucene(members.text('q'), this.options);
    if (isLuceneError(query)) return members.fail('q', query.message);
    return { kind: 'query', name, query, facets: this.below(members, depth) };
  }

  range(name: string, members: Members, depth: number): RangeFacet {
    return {
      kind: 'range',
      name,
      field: this.field(members.text('field'), `${members.path}.field`),
      ...parseEdges(members, this.options.nowMs),
      mincount: members.whole('mincount', 0, Number.MAX_SAFE_INTEGER, 0),
      other: parseOther(members),
      facets: this.below(members, depth),
    };
  }

  below(members: Members, depth: number): readonly Facet[] {
    const value = members.get('facet');
    return value === undefined ? [] : this.level(value, `${members.path}.facet`, depth + 1);
  }

  field(name: string, path: string): string {
    if (name === '') throw new FacetFault(path, 'needs the name of a field');
    const field = fieldOf(name);
    const { fields } = this.options;
    if (fields === undefined || fields.has(field)) return field;
    throw new FacetFault(path, `there is no field ${shown(name)}`);
  }
}

/** `count desc`, `index asc`, `u desc`, or Solr's object form of it, `{"u":"desc"}`. */
function parseBucketSort(members: Members, facets: readonly Facet[]): BucketSort {
  const [by, direction] = sortWords(members);
  if (direction !== 'asc' && direction !== 'desc') {
    return members.fail('sort', `needs a name with asc or desc behind it, got ${shown(members.get('sort'))}`);
  }
  if (by === 'count' || by === 'index') return { by, direction };
  const facet = facets.find(({ name }) => name === by);
  if (facet === undefined || facet.kind === 'terms' || facet.kind === 'query' || facet.kind === 'range') {
    return members.fail(
      'sort',
      `needs count, index or an aggregate of this facet's own facet, got ${shown(by)}`,
    );
  }
  if (facet.kind === 'percentile' && facet.percents.length > 1) {
    return members.fail('sort', `${shown(by)} has several figures; sort by one percentile`);
  }
  return { by: 'aggregate', name: by, direction };
}

function sortWords(members: Members): readonly [string, unknown] {
  const value = members.get('sort') ?? 'count desc';
  if (value === 'count') return ['count', 'desc'];
  if (value === 'index') return ['index', 'asc'];
  if (typeof value === 'string') {
    const space = value.lastIndexOf(' ');
    return [value.slice(0, space).trim(), value.slice(space + 1)];
  }
  const entries = Object.entries(asObject(value, `${members.path}.sort`));
  const [only] = entries;
  return entries.length === 1 && only !== undefined ? only : ['', undefined];
}
