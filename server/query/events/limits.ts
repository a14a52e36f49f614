/** How far a question about events may go. What goes further is refused in words, never answered in part. */
export const questionLimits = {
  rowsDefault: 10,
  /** `start` and `rows` together: so many rows are kept while a question is answered. */
  rowsMax: 11_000,
  /** Keys of one `get`. */
  keysMax: 1000,
  /** How long a question may take, waiting included. */
  timeMs: 5000,
  /** Different values of one facet, or pairs of bucket and value in a nested one. */
  facetValuesMax: 1_000_000,
  /** Different values under one `unique`: 16 bytes of key and up to 8 of table each. */
  uniqueValuesMax: 4_000_000,
  /** Numbers that the percentiles of a question are taken from: 8 bytes each. */
  percentilePointsMax: 16_000_000,
  /** Buckets that one facet answers with, over all the buckets that it is nested in. */
  bucketsMax: 100_000,
} as const;

/** Which of them can be set, for tests and for smaller machines. */
export interface QuestionLimits {
  readonly timeMs: number;
  readonly facetValuesMax: number;
  readonly uniqueValuesMax: number;
  readonly percentilePointsMax: number;
  readonly bucketsMax: number;
}

/** A question that asks for too much. Not a fault of the program: whoever asked is told. */
export class TooMuchError extends Error {
  readonly code: 'too_many_values' | 'too_many_buckets';

  constructor(code: TooMuchError['code'], message: string) {
    super(message);
    this.name = 'TooMuchError';
    this.code = code;
  }
}
