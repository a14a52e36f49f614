/** What `POST /visitors/query` can be asked, once it is proven. */
import type { Granularity } from '../../base/time-bucket.ts';

/** Whole minutes, epoch ms. */
export interface TimeRange {
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
}

export type NamedLeaf =
  | { readonly event: string }
  /** Without campaign: the events that named none. */
  | { readonly source: string; readonly campaign: string | undefined }
  /** With whatever campaign, or none. */
  | { readonly source: string; readonly anyCampaign: true };

/** A leaf that is one name. */
export type OneName = Exclude<NamedLeaf, { readonly anyCampaign: true }>;

/** A set of visitors. A leaf without a range has the question's. */
export type Expression =
  | (NamedLeaf & { readonly range: TimeRange | undefined })
  /** Whoever had an event of any type. */
  | { readonly anyEvent: true; readonly range: TimeRange | undefined }
  /** Known visitors, of all time. */
  | { readonly all: true }
  | { readonly and: readonly Expression[] }
  | { readonly or: readonly Expression[] }
  | { readonly not: Expression }
  /** The first without all the others. */
  | { readonly minus: readonly Expression[] };

export type CohortPeriod = 'day' | 'week' | 'month';

export type Ask =
  | { readonly kind: 'uniques'; readonly of: Expression }
  | { readonly kind: 'series'; readonly of: Expression; readonly by: Granularity }
  | {
      readonly kind: 'top';
      readonly what: 'events' | 'sources';
      readonly limit: number;
      readonly among: Expression | undefined;
    }
  | { readonly kind: 'funnel'; readonly steps: readonly Expression[] }
  | {
      readonly kind: 'orderedFunnel';
      /** Names of each step: any of them takes it. */
      readonly steps: readonly (readonly NamedLeaf[])[];
      readonly windowMinutes: number | undefined;
    }
  | {
      readonly kind: 'retention';
      readonly cohort: Expression;
      readonly returning: Expression;
      readonly by: CohortPeriod;
      readonly columns: number;
    }
  | {
      readonly kind: 'attribution';
      readonly goal: readonly NamedLeaf[];
      /** Touches count from here; at most the beginning of the range. */
      readonly touchesFromMs: number | undefined;
      /** Those that compete; undefined: all that are known. */
      readonly sources: readonly OneName[] | undefined;
    }
  | { readonly kind: 'newReturning'; readonly of: Expression }
  | { readonly kind: 'stickiness'; readonly of: Expression }
  | { readonly kind: 'concurrent'; readonly of: NamedLeaf; readonly windowMinutes: number };

export interface VisitorQuestion {
  readonly range: TimeRange;
  readonly timeoutMs: number;
  readonly ask: Ask;
}

/** Limits of a question; docs/visitors.md names each. */
export const questionLimits = {
  /** Leaves of all expressions together. */
  leavesMax: 1000,
  /** Levels of and, or, not, minus. */
  depthMax: 50,
  /** Buckets of a series, days of a stickiness, minutes of a curve, cells of a retention table. */
  bucketsMax: 10_000,
  /** Keys that an answer is made of. */
  keysMax: 200_000,
  stepsMax: 32,
  /** Names that `top`, `anyEvent` and `anyCampaign` look at. */
  namesMax: 2000,
  topMax: 1000,
  attributionSourcesMax: 256,
  rangeMsMax: 100 * 366 * 86_400_000,
  timeoutMsMax: 30_000,
  timeoutMsDefault: 5000,
  concurrentWindowMinutesMax: 60,
} as const;
