/**
 * The version of a record is the first thing that is read of it. A version that this program doesn't know is
 * an error of its own (CB_RECORD_VERSION): such a result isn't broken, it can't be compared.
 *
 * A member may be added to a version only where old records can do without it; anything else is a new
 * version, and the shape of the old one stays here for as long as such records are about.
 */
import { CrowdbeatError } from '../../server/base/errors.ts';
import { inside, type Place, placeOf, recordAt, refuse, type Shape } from './shape.ts';

/** A record whose member `schema` says `crowdbeat.bench-session/1` and so on. */
export function versioned<T>(schema: string, shape: Shape<T>): Shape<T> {
  return (value, at) => {
    checkVersion(schema, value, at);
    return shape(value, at);
  };
}

function checkVersion(schema: string, value: unknown, at: Place): void {
  const there = inside(at, 'schema');
  const given = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  if (given === schema) return;
  const [name] = schema.split('/');
  if (typeof given === 'string' && given.startsWith(`${name}/`))
    throw new CrowdbeatError(
      'CB_RECORD_VERSION',
      `${placeOf(there)}: this program reads ${schema}, the record is ${given}; use the program that wrote it`,
    );
  refuse(there, `"${schema}"`, given);
}

/** One record from its text. Throws CB_RECORD also for text that is no JSON. */
export function parseRecord<T>(shape: Shape<T>, text: string, file: string, line?: number): T {
  const at = recordAt(file, false, line);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message counts characters of a line that nobody sees; the place says more.
    refuse(at, 'JSON', text);
  }
  return shape(value, at);
}

/** One record as one line without its end, proven first. Throws CB_RECORD. */
export function recordLine<T>(shape: Shape<T>, record: T, file: string): string {
  return JSON.stringify(shape(record, recordAt(file, true)));
}
