/**
 * Shapes of records: each takes an unknown value and gives it back as a proven type, or throws and names
 * the file, the line, the field, the rule and the value:
 *
 *   trials.jsonl:7: ops.view.response.p50: needs a number of 0 or more, got "812"
 *
 * Written here by hand, because a record is read for years: what it must hold is plain to see in one file.
 * A member that a shape doesn't know is refused when a record is written (a slip of the pen must not be
 * kept for ever) and passed over when one is read (a newer program may have added it).
 */
import { CrowdbeatError } from '../../server/base/errors.ts';

export interface Place {
  readonly file: string;
  /** From 1; undefined in a file that is one record. */
  readonly line?: number | undefined;
  /** Path of the field, such as `ops.view.response.p50`; empty for the record itself. */
  readonly field: string;
  readonly writing: boolean;
}

export type Shape<T> = (value: unknown, at: Place) => T;

export type Of<S> = S extends Shape<infer T> ? T : never;

/** The place of a whole record. */
export function recordAt(file: string, writing: boolean, line?: number): Place {
  return { file, line, field: '', writing };
}

export function placeOf(at: Place): string {
  const line = at.line === undefined ? '' : `:${at.line}`;
  return `${at.file}${line}: ${at.field === '' ? 'the record' : at.field}`;
}

/** Throws CrowdbeatError CB_RECORD. */
export function refuse(at: Place, rule: string, value: unknown): never {
  throw new CrowdbeatError('CB_RECORD', `${placeOf(at)}: needs ${rule}, got ${shown(value)}`);
}

const shownMax = 80;

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value));
  return text.length <= shownMax ? text : `${text.slice(0, shownMax)}… (${text.length} characters)`;
}

function rule<T>(what: string, isOne: (value: unknown) => value is T): Shape<T> {
  return (value, at) => (isOne(value) ? value : refuse(at, what, value));
}

const isNumber = (value: unknown): value is number => Number.isFinite(value);

export const text = rule('a text', (value): value is string => typeof value === 'string');
export const flag = rule('true or false', (value): value is boolean => typeof value === 'boolean');
export const number = rule('a finite number', isNumber);
export const atLeastZero = rule(
  'a number of 0 or more',
  (value): value is number => isNumber(value) && value >= 0,
);
export const count = rule(
  'a whole number of 0 or more',
  (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0,
);
export const share = rule(
  'a number from 0 to 1',
  (value): value is number => isNumber(value) && value >= 0 && value <= 1,
);
export const instant = rule(
  'an instant such as 2026-11-21T17:33:20.250Z',
  (value): value is string =>
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(value) &&
    Number.isFinite(Date.parse(value)),
);

/** A name that may stand in a path: no separators, no leading dot. */
export const fileName = rule(
  'a name of letters, digits, "_", "-" and "."',
  (value): value is string => typeof value === 'string' && /^\w[\w.-]{0,127}$/.test(value),
);

export function oneOf<const T extends string>(...allowed: readonly T[]): Shape<T> {
  return rule(
    allowed.length === 1 ? `"${allowed[0]}"` : `one of ${allowed.join(', ')}`,
    (value): value is T => allowed.includes(value as T),
  );
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, at) => (value === null ? null : shape(value, at));
}

export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) refuse(at, 'a list', value);
    return value.map((entry: unknown, index) => shape(entry, inside(at, `[${index}]`)));
  };
}

/** An object whose member names are data. */
export function byName<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, at) => {
    const entries = Object.entries(membersOf(value, at));
    return Object.fromEntries(entries.map(([name, member]) => [name, shape(member, inside(at, name))]));
  };
}

/** Every member must be there: what isn't known is null, so that nothing is forgotten in silence. */
export function object<S extends Readonly<Record<string, Shape<unknown>>>>(
  shapes: S,
): Shape<{ readonly [K in keyof S]: Of<S[K]> }> {
  return (value, at) => {
    const members = membersOf(value, at);
    if (at.writing) {
      const strange = Object.keys(members).find((name) => !Object.hasOwn(shapes, name));
      if (strange !== undefined) refuse(inside(at, strange), 'no such member', members[strange]);
    }
    const read = Object.entries(shapes).map(([name, shape]) => [
      name,
      shape(members[name], inside(at, name)),
    ]);
    return Object.fromEntries(read) as { readonly [K in keyof S]: Of<S[K]> };
  };
}

/** Adds rules that look at several members; they call `refuse` with the member at fault. */
export function withRules<T>(shape: Shape<T>, check: (record: T, at: Place) => void): Shape<T> {
  return (value, at) => {
    const record = shape(value, at);
    check(record, at);
    return record;
  };
}

export function inside(at: Place, member: string): Place {
  const dot = at.field === '' || member.startsWith('[') ? '' : '.';
  return { ...at, field: `${at.field}${dot}${member}` };
}

function membersOf(value: unknown, at: Place): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(at, 'an object', value);
  return value as Readonly<Record<string, unknown>>;
}
