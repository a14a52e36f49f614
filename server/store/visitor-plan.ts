/**
 * What a question about visitors comes to: set algebra on the bitmaps of time buckets. The query engine makes
 * plans (it knows names, times and retention), the store executes them (it knows segments, types and scripts).
 */
import type { TimeBucket } from '../base/time-bucket.ts';

/** A set of visitors. Keys are those of segment 0, without temporary ones; an empty `any` is nobody. */
export type BitExpression =
  | { readonly any: readonly string[] }
  | { readonly and: readonly BitExpression[] }
  | { readonly or: readonly BitExpression[] }
  | { readonly minus: readonly [from: BitExpression, without: BitExpression] };

/**
 * How many visitors are in each set. Sets that are one object are computed once where a script can: whoever
 * plans shares them.
 */
export interface CountsPlan {
  readonly kind: 'counts';
  readonly outputs: readonly BitExpression[];
}

/** Names as keys have them (`evt:view`, `src:mail::cpg:%-`); who is in any of them has taken the step. */
export type StepNames = readonly string[];

/**
 * How far visitors came: a chain of minutes t1 <= t2 <= … within the buckets, with step k in minute tk and, with a
 * window, tk - t1 at most `windowMinutes`.
 */
export interface OrderedFunnelPlan {
  readonly kind: 'orderedFunnel';
  readonly steps: readonly StepNames[];
  /** The range, ascending, without gaps. */
  readonly cover: readonly TimeBucket[];
  readonly windowMinutes: number | undefined;
}

/** Which source had a visitor before the first minute of the goal; see visitor-attribution.ts. */
export interface AttributionPlan {
  readonly kind: 'attribution';
  readonly goal: StepNames;
  /** In the order in which ties are decided. */
  readonly sources: readonly string[];
  /** The range of goals. */
  readonly goalCover: readonly TimeBucket[];
  /** The range of touches: ends where that of goals ends, begins there or earlier. */
  readonly touchCover: readonly TimeBucket[];
}

export type VisitorPlan = CountsPlan | OrderedFunnelPlan | AttributionPlan;

export interface AttributionCounts {
  /** Visitors with the goal in its range. */
  readonly conversions: number;
  /** Of those, visitors whom no source had touched by then. */
  readonly untouched: number;
  /** By source, in the order of the plan. */
  readonly first: readonly number[];
  readonly last: readonly number[];
  readonly any: readonly number[];
}

/** By kind of plan: a count for each output; a count for each step; attribution. */
export type VisitorResult =
  | { readonly kind: 'counts'; readonly counts: readonly number[] }
  | { readonly kind: 'orderedFunnel'; readonly counts: readonly number[] }
  | ({ readonly kind: 'attribution' } & AttributionCounts);
