/** What Solr's JSON facets ask for, proven: no name, number or field in here needs another look. */
import type { Query } from '../lucene/query.ts';

export type Facet = TermsFacet | QueryFacet | RangeFacet | Aggregate;

/** One bucket per value of a field. */
export interface TermsFacet {
  readonly kind: 'terms';
  readonly name: string;
  readonly field: string;
  /** Buckets to answer at most, after skipping `offset` of them. */
  readonly limit: number;
  readonly offset: number;
  /** Buckets with fewer documents are left out, before limit and offset. */
  readonly mincount: number;
  readonly sort: BucketSort;
  /** Only texts that begin so; empty for all values. */
  readonly prefix: string;
  /** Whether to count the documents that have no value. */
  readonly missing: boolean;
  /** Whether to tell how many buckets there are without limit and offset. */
  readonly numBuckets: boolean;
  readonly facets: readonly Facet[];
}

/** Equal buckets stand by value: numbers ascending, then texts by code point. */
export type BucketSort =
  | { readonly by: 'count' | 'index'; readonly direction: 'asc' | 'desc' }
  | { readonly by: 'aggregate'; readonly name: string; readonly direction: 'asc' | 'desc' };

/** One bucket: the documents that a query matches. */
export interface QueryFacet {
  readonly kind: 'query';
  readonly name: string;
  readonly query: Query;
  readonly facets: readonly Facet[];
}

export type RangeOther = 'before' | 'after' | 'between';

/** A bucket from each edge (inclusive) to the next (exclusive), over numbers and dates. */
export interface RangeFacet {
  readonly kind: 'range';
  readonly name: string;
  readonly field: string;
  /** Ascending, at least two; epoch ms if `isDate`. */
  readonly edges: readonly number[];
  /** Buckets are named by date instead of by number. */
  readonly isDate: boolean;
  readonly mincount: number;
  readonly other: readonly RangeOther[];
  readonly facets: readonly Facet[];
}

/** A figure over the documents of a bucket. */
export type Aggregate =
  | { readonly kind: 'unique' | 'sum' | 'avg' | 'min' | 'max'; readonly name: string; readonly field: string }
  | {
      readonly kind: 'percentile';
      readonly name: string;
      readonly field: string;
      /** 0 to 100, at least one. */
      readonly percents: readonly number[];
    };

/** Why a request could not be read; the message begins with the path of the fault. */
export interface FacetError {
  readonly kind: 'error';
  readonly message: string;
}

export const facetLimits = {
  /** UTF-8 bytes of the request. */
  textBytesMax: 65_536,
  /** Facets inside facets: the outermost are level 1. Aggregates count as a level. */
  nestingMax: 4,
  /** Facets and aggregates in a request, at all levels. */
  facetsMax: 100,
  /** Buckets of a terms facet, and of a range facet. */
  bucketsMax: 10_000,
  offsetMax: 1_000_000,
  nameLengthMax: 128,
  percentsMax: 20,
} as const;

/** A figure: null where there was nothing to take it from; a list if several percentiles were asked. */
export type Figure = number | null | readonly (number | null)[];

/** What a facet answers, in Solr's shape: `{"count":3,"by_state":{"buckets":[{"val":"US-CA","count":2}]}}`. */
export interface BucketAnswer {
  readonly count: number;
  readonly val?: number | string;
  readonly [name: string]: FacetAnswer | Figure | string | undefined;
}

export interface BucketsAnswer {
  readonly buckets: readonly BucketAnswer[];
  readonly numBuckets?: number;
  readonly missing?: BucketAnswer;
  readonly before?: BucketAnswer;
  readonly after?: BucketAnswer;
  readonly between?: BucketAnswer;
}

export type FacetAnswer = BucketAnswer | BucketsAnswer;
