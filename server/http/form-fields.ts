/** The fields of a POST that is no write: a form, as curl -d sends it, or a JSON object with members of those names. */
import { isUtf8 } from 'node:buffer';
import type { ErrorReply } from '../protocol/replies.ts';
import { parseQuery } from './query-string.ts';

/** Values of a form are texts; those of JSON are what they are. */
export type Fields = ReadonlyMap<string, unknown>;

/** @param known names that the route understands: a misspelt one must not be ignored in silence */
export function readFields(
  contentType: string | undefined,
  body: Buffer,
  known: readonly string[],
): Fields | ErrorReply {
  if (!isUtf8(body)) return { status: 400, code: 'not_utf8', message: 'the body is not UTF-8' };
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? 'application/x-www-form-urlencoded';
  const text = body.toString('utf8');
  if (type === 'application/x-www-form-urlencoded') return parseQuery(text, known);
  if (type === 'application/json') return readObject(text, known);
  const message = `content-type "${type.slice(0, 100)}" is not supported: send a form or JSON`;
  return { status: 415, code: 'unsupported_media_type', message };
}

function readObject(text: string, known: readonly string[]): Fields | ErrorReply {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { status: 400, code: 'bad_body', message: 'the body is not a JSON object' };
  const unknownName = Object.keys(value).find((name) => !known.includes(name));
  if (unknownName === undefined) return new Map(Object.entries(value));
  const message = `unknown member "${unknownName.slice(0, 100)}"; known: ${known.join(', ')}`;
  return { status: 400, code: 'bad_parameter', message };
}

/** Undefined if the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // SyntaxError is the only thing JSON.parse throws.
    return undefined;
  }
}
