/**
 * The two small files beside the sessions.
 *
 * A baseline is a pointer, never a copy: which session, which commit, on which class of machine and under which
 * workload. The floors of a class of machine are how far two arms of one build came out apart there; a
 * difference smaller than that is not told from none.
 */

import { versioned } from './schema.ts';
import * as shape from './shape.ts';

const { text, count, atLeastZero, nullable, byName, object, oneOf } = shape;

export const baselineSchema = 'crowdbeat.bench-baseline/1';

export const baselineShape = versioned(
  baselineSchema,
  object({
    schema: oneOf(baselineSchema),
    sessionId: shape.fileName,
    sha: nullable(text),
    envClass: text,
    workloadHash: text,
    setAt: shape.instant,
  }),
);

export type Baseline = shape.Of<typeof baselineShape>;

export const floorsSchema = 'crowdbeat.bench-floors/1';

export const floorsShape = versioned(
  floorsSchema,
  object({
    schema: oneOf(floorsSchema),
    envClass: text,
    workloadHash: text,
    /** Sessions of one build against itself that this is made from, with the days of the first and the last. */
    sessions: count,
    from: shape.instant,
    to: shape.instant,
    /** 95th percentile over the sessions of the size of the estimated change, by metric, as a fraction. */
    floors: byName(atLeastZero),
  }),
);

export type Floors = shape.Of<typeof floorsShape>;
