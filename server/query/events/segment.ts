/**
 * What a question about events reads: segments of up to 65,536 events, each with columns of values.
 *
 * A segment's number is `ordinal >> 16`; a position is an event's place in it, from 0, in the order of storing.
 * Sealed segments never change; the open one is at the end and grows, so a `Segment` of it is a snapshot: it
 * holds the first `count` events and no later ones.
 */
import type { Document } from '../../protocol/lucene/values-at.ts';

export type Scalar = string | number | boolean;

/** Values by their distinct ones. Good for all fields of few values, mixed types and several values an event. */
export interface DictionaryColumn {
  readonly kind: 'dictionary';
  /** Code `c` stands for `values[c - 1]`. */
  readonly values: readonly Scalar[];
  /** In how many events each value is. */
  readonly counts: Uint32Array;
  /** Of each event; 0 = the field has no value there. Of several values, the first's. */
  readonly codes: Uint8Array | Uint16Array | Uint32Array;
  /** The other codes of events with several values, by position; distinct, the first's left out. */
  readonly more: ReadonlyMap<number, readonly number[]>;
}

/** At most one value an event, and all of them numbers. */
export interface NumberColumn {
  readonly kind: 'number';
  /** NaN = the field has no value there. */
  readonly values: Float64Array;
}

/** At most one value an event, and all of them uuids in small letters: visitors and sessions. */
export interface UuidColumn {
  readonly kind: 'uuid';
  /** Four big-endian words an event; all 0 = the field has no value there (the nil uuid goes to a dictionary). */
  readonly words: Uint32Array;
}

export type Column = DictionaryColumn | NumberColumn | UuidColumn;

/** Numbers and dates of a field in a segment, as `pointOf` sees them. */
export interface PointRange {
  readonly min: number;
  readonly max: number;
}

export interface Segment {
  readonly number: number;
  /** Events in it. */
  readonly count: number;
  readonly isSealed: boolean;
  /** The range of a field's points, if the segment knows it without reading the column. */
  pointRange(field: string): PointRange | undefined;
  /** Undefined: no event of the segment has the field. Throws CB_REDIS_*. */
  column(field: string): Promise<Column | undefined>;
  /** Of these positions, in their order. Throws CB_REDIS_*. */
  documents(positions: readonly number[]): Promise<readonly Document[]>;
}

/** The events of one property. */
export interface EventSource {
  /**
   * All segments that are kept, by number. Every event that was acknowledged before the call is in one of them.
   * Throws CB_REDIS_*.
   */
  segments(): Promise<readonly Segment[]>;
}
