/** Reads members of untrusted JSON, one rule each; a broken rule names the member, the rule and the value. */
import { CrowdbeatError } from '../../server/base/errors.ts';

/** @throws CrowdbeatError CB_OPTION: `site.entry.home: needs a number above 0, got -1` */
export function refuse(path: string, rule: string, value: unknown): never {
  // JSON writes NaN and the infinities as null.
  const got = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  const shown = got.length > 120 ? `${got.slice(0, 120)}…` : got;
  throw new CrowdbeatError('CB_OPTION', `${path}: ${rule}, got ${shown}`);
}

/** An object whose members are all among `known`, or any if that is left out. */
export function readObject(path: string, input: unknown, known?: readonly string[]): Record<string, unknown> {
  const fields = asRecord(path, input);
  if (known === undefined) return fields;
  for (const key of Object.keys(fields)) {
    if (!known.includes(key))
      refuse(`${path}.${key}`, `is unknown here (known: ${known.join(', ')})`, fields[key]);
  }
  return fields;
}

/** An object with at least one member, each read by `readValue`. */
export function readMap<Value>(
  path: string,
  input: unknown,
  readValue: (path: string, value: unknown) => Value,
): Record<string, Value> {
  const entries = Object.entries(asRecord(path, input));
  if (entries.length === 0) refuse(path, 'needs at least one member', input);
  return Object.fromEntries(entries.map(([key, value]) => [key, readValue(`${path}.${key}`, value)]));
}

/** A list with at least one item. */
export function readList(path: string, input: unknown): readonly unknown[] {
  if (!Array.isArray(input) || input.length === 0) refuse(path, 'needs a list of at least one', input);
  return input;
}

export function readText(path: string, input: unknown, pattern: RegExp, rule: string): string {
  if (typeof input !== 'string' || !pattern.test(input)) refuse(path, `needs ${rule}`, input);
  return input;
}

export function readNumber(path: string, input: unknown, min: number, max: number): number {
  if (typeof input !== 'number' || !(input >= min && input <= max)) {
    refuse(path, `needs a number from ${min} to ${max}`, input);
  }
  return input;
}

function asRecord(path: string, input: unknown): Record<string, unknown> {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    refuse(path, 'needs an object', input);
  return input as Record<string, unknown>;
}
