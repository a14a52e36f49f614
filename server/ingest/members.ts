/** What a member of an event may be: the questions that its readers ask of a JSON value. */

/** A JSON object. */
export type Group = Record<string, unknown>;

export function isGroup(value: unknown): value is Group {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Half a surrogate pair has no UTF-8, so two ids that differ in one would be the same id in Redis. */
export const halfPair = /\p{Surrogate}/u;

/** A text of 1 to `lengthMax` characters that UTF-8 can carry. */
export function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= lengthMax && !halfPair.test(value);
}

export function isTextOrAbsent(value: unknown, lengthMax: number): value is string | undefined {
  return value === undefined || isText(value, lengthMax);
}
