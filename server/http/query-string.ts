/** The query parameters of a request: every one known, given once, and valid UTF-8. */
import type { ErrorReply } from '../protocol/replies.ts';

export type Parameters = ReadonlyMap<string, string>;

const noParameters: Parameters = new Map();

/**
 * @param query what stands behind the `?`, without it
 * @param known names that this route understands: a misspelt parameter must not change a question silently
 */
export function parseQuery(query: string, known: readonly string[]): Parameters | ErrorReply {
  if (query === '') return noParameters;
  const parameters = new Map<string, string>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = decode(equals < 0 ? '' : part.slice(equals + 1));
    if (name === undefined || value === undefined)
      return refuse(`"${part.slice(0, 100)}" is not percent-encoded UTF-8`);
    if (!known.includes(name))
      return refuse(`unknown parameter "${name.slice(0, 100)}"; known: ${known.join(', ')}`);
    if (parameters.has(name)) return refuse(`parameter "${name}" is given twice`);
    parameters.set(name, value);
  }
  return parameters;
}

/** Names and values as `parseQuery` reads them, also those that it refuses, but for what is malformed. */
export function splitQuery(query: string): (readonly [name: string, value: string])[] {
  return query.split('&').flatMap((part) => {
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = decode(equals < 0 ? '' : part.slice(equals + 1));
    return part === '' || name === undefined || value === undefined ? [] : [[name, value] as const];
  });
}

/** Percent-decoded, `+` being a space; undefined if it is malformed. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // URIError is the only thing decodeURIComponent throws: the text is malformed.
    return undefined;
  }
}

function refuse(message: string): ErrorReply {
  return { status: 400, code: 'bad_parameter', message };
}
