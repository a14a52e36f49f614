/**
 * What a `q` asks for, as a tree of our own: whoever reads it never sees the syntax it came from.
 *
 * The tree is plain boolean algebra. What Lucene calls "must", "should" and "must not" is resolved by the
 * parser; `not` is the complement among all documents. `and` and `or` have at least two members, none of
 * them of the same kind.
 */
export type Query =
  | { readonly kind: 'all' }
  | TermQuery
  | PrefixQuery
  | RangeQuery
  | ExistsQuery
  | { readonly kind: 'and'; readonly members: readonly Query[] }
  | { readonly kind: 'or'; readonly members: readonly Query[] }
  | { readonly kind: 'not'; readonly member: Query };

/** The field has this value: the same text, character by character, or the same point. */
export interface TermQuery {
  readonly kind: 'term';
  readonly field: string;
  readonly value: Literal;
}

/** The field has a text (or `true`, `false`) that begins so. Numbers have no beginning. */
export interface PrefixQuery {
  readonly kind: 'prefix';
  readonly field: string;
  readonly prefix: string;
}

/**
 * The field has a value between two ends; `undefined` is an open end, and at least one is not open. If
 * `by` is `point`, every given end has a point, and only numbers and dates are compared, by value. If
 * `text`, only texts are, in the order of `compareText`. The lower end is never above the upper one.
 */
export interface RangeQuery {
  readonly kind: 'range';
  readonly field: string;
  readonly by: 'point' | 'text';
  readonly min: Literal | undefined;
  readonly max: Literal | undefined;
  readonly includeMin: boolean;
  readonly includeMax: boolean;
}

/** The field has any value that is not null. Objects are no values; their members are. */
export interface ExistsQuery {
  readonly kind: 'exists';
  readonly field: string;
}

/** A value as the question gives it. */
export interface Literal {
  /** What was written, without quotes and escapes. */
  readonly text: string;
  /** The number, or the epoch ms of the date, that the text stands for; undefined if it is neither. */
  readonly point: number | undefined;
  readonly quoted: boolean;
}

/** Why a text could not be read. Data, not an exception: the parsers of this folder return it. */
export interface LuceneError {
  readonly kind: 'error';
  /** Says where, and which rule; ready to be shown to the person who asked. */
  readonly message: string;
  /** UTF-16 units before the fault, from 0. */
  readonly position: number;
}

export const luceneLimits = {
  /** UTF-8 bytes of a `q`, of a sort or of a field list. */
  textBytesMax: 16_384,
  /** Terms, prefixes, ranges and existence questions in a `q`, together. */
  termsMax: 1000,
  /** Parentheses and NOTs around a term. */
  nestingMax: 50,
  sortFieldsMax: 16,
  listedFieldsMax: 256,
} as const;

/** The names by which a question may call a field; anything with a `has`, such as a Set. */
export interface FieldNames {
  has(name: string): boolean;
}

export function isLuceneError(parsed: unknown): parsed is LuceneError {
  return typeof parsed === 'object' && parsed !== null && 'kind' in parsed && parsed.kind === 'error';
}

/** The name under which a field is stored: `type` is short for `event.type`. */
export function fieldOf(name: string): string {
  return name === 'type' ? 'event.type' : name;
}
