/**
 * `compare.json`: every number behind a verdict. Tables, pages and comments are made from it and can be made
 * again. Changes and bounds are fractions of the base value (0.1 is a tenth more); a bound is null where there
 * are too few pairs for one. Differences are log ratios, above 0 is worse.
 */

import { versioned } from '../record/schema.ts';
import { verdicts } from '../record/session.ts';
import * as shape from '../record/shape.ts';

export const comparisonSchema = 'crowdbeat.bench-compare/1';

const { text, flag, count, number, atLeastZero, share, nullable, list, object, oneOf } = shape;

const interval = object({ lower: nullable(number), upper: nullable(number) });

export const metricShape = object({
  name: text,
  group: text,
  kind: text,
  unit: text,
  higherIsWorse: flag,
  gated: flag,
  /** Why it is only shown; null if it is gated. */
  advisoryBecause: nullable(text),
  /** Medians over the pairs that were used. */
  base: nullable(number),
  candidate: nullable(number),
  pairs: list(
    object({ pair: count, order: oneOf('BC', 'CB'), base: number, candidate: number, d: nullable(number) }),
  ),
  change: nullable(number),
  /** At the session's alpha on either side. */
  wide: interval,
  /** At 5 % on either side. */
  narrow: interval,
  alpha: share,
  margin: atLeastZero,
  marginFrom: oneOf('table', 'plan', 'A/A floor'),
  absoluteDifference: nullable(number),
  absoluteFloor: atLeastZero,
  /** Robust standard deviation of the differences. */
  deviation: nullable(atLeastZero),
  /** The smallest change that 80 % of such sessions find. */
  detectable: nullable(atLeastZero),
  /** Pairs that would find a change of `effect`; null if no number would. */
  pairsFor: object({ effect: atLeastZero, pairs: nullable(count) }),
  flagged: nullable(oneOf('regressed', 'improved')),
  confirmation: nullable(
    object({
      session: text,
      pairs: count,
      change: number,
      bound: nullable(number),
      alpha: share,
      confirmed: flag,
    }),
  ),
  /** Null for a metric that is only shown. */
  verdict: nullable(oneOf('SAME', 'REGRESSED', 'IMPROVED', 'INCONCLUSIVE', 'INVALID')),
  reason: nullable(text),
});

export type MetricResult = shape.Of<typeof metricShape>;

const armShape = object({ sha: nullable(text), dirty: nullable(flag), buildHash: nullable(text) });

export const comparisonShape = versioned(
  comparisonSchema,
  object({
    schema: oneOf(comparisonSchema),
    tool: text,
    session: text,
    verdict: oneOf(...verdicts),
    reasons: list(text),
    notes: list(text),
    base: armShape,
    candidate: armShape,
    identicalBuilds: flag,
    envClass: text,
    workloadHash: text,
    pairs: object({
      planned: count,
      used: count,
      unfinished: count,
      dropped: list(object({ pair: count, reasons: list(text) })),
    }),
    metrics: list(metricShape),
    /** Metrics that a fresh session has to confirm, and the pairs that it needs. */
    toConfirm: object({ metrics: list(text), pairs: count }),
    confirmedBy: nullable(text),
    /** Of one build against itself: gated metrics that the rule flagged all the same. */
    falseAlarms: list(text),
  }),
);

export type Comparison = shape.Of<typeof comparisonShape>;
