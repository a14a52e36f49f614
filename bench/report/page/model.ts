/**
 * What a page holds, before it is drawn: sections of tables, which are HTML from the start and so can be found,
 * printed and read without a script, and charts, whose figures the page's script draws.
 */

export interface Page {
  readonly title: string;
  /** The one line that says how it came out. */
  readonly headline: string;
  readonly tone: Tone;
  readonly sections: readonly Section[];
}

/** How something came out: drawn in a colour, and always said in words beside it. */
export type Tone = 'good' | 'warn' | 'bad' | 'plain';

export interface Section {
  /** The fragment that a link leads to. */
  readonly id: string;
  readonly title: string;
  /** What is seen here and how to read it. */
  readonly about: string;
  readonly blocks: readonly Block[];
}

export type Block = Tiles | Table | Chart | Drawing;

export interface Tiles {
  readonly kind: 'tiles';
  readonly tiles: readonly { readonly name: string; readonly value: string; readonly tone?: Tone }[];
}

export interface Table {
  readonly kind: 'table';
  readonly id: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns of figures stand right. */
  readonly numeric?: readonly number[];
  /** One a row. */
  readonly tones?: readonly Tone[];
}

/** SVG that is ready. */
export interface Drawing {
  readonly kind: 'drawing';
  readonly id: string;
  readonly title: string;
  readonly svg: string;
}

export interface Chart {
  readonly kind: 'chart';
  readonly id: string;
  readonly title: string;
  readonly x: {
    readonly label: string;
    /** `percentile`: 1/(1-p), logarithmic. `seconds`: of the run. `date`: epoch seconds. */
    readonly kind: 'percentile' | 'seconds' | 'date' | 'number';
  };
  readonly y: { readonly label: string; readonly unit: string; readonly log?: boolean };
  readonly xs: readonly number[];
  readonly series: readonly Series[];
  /** Levels across the plot: an estimate, a margin. */
  readonly levels?: readonly { readonly y: number; readonly label: string; readonly dashed: boolean }[];
  /** The area between two levels: an interval. */
  readonly areas?: readonly { readonly from: number; readonly to: number }[];
  /** Moments: the end of the ramp, a change point. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[];
  /** A strip below the plot, one number an x: 0 fine, 1 doubtful, 2 bad. */
  readonly strip?: { readonly label: string; readonly values: readonly (0 | 1 | 2)[] };
}

export interface Series {
  readonly label: string;
  /** One an x; null where there is nothing. */
  readonly values: readonly (number | null)[];
  readonly dots?: boolean;
  /** With the series before it: the area between the two is filled. */
  readonly band?: boolean;
  /** Thin and dashed. */
  readonly faint?: boolean;
}

/** Four digits are more than any chart shows, and a third of the file. */
export function rounded(value: number | null | undefined): number | null {
  return value === null || value === undefined || !Number.isFinite(value)
    ? null
    : Number(value.toPrecision(4));
}

/** Names of operations and metrics as parts of fragments: `pair-query.and.p50`. */
export function fragment(...parts: readonly string[]): string {
  return parts.join('-').replace(/[^\w.-]/g, '_');
}
