/** Reads `ENV VERB -option value …` as MinusOneDB's client has it: options have one hyphen, and each of them a value. */
import { CrowdbeatError } from '../server/base/errors.ts';

export interface M1Words {
  readonly environment: string;
  readonly verb: string;
  readonly options: Readonly<Record<string, string>>;
}

/** How each verb is asked: its name is the path. What options it has is the collector's to say. */
export const verbs: ReadonlyMap<string, 'GET' | 'POST'> = new Map([
  ...['ping', 'health', 'schema', 'store/list', 'system', 'totals', 'count', 'get', 'user-record'].map(
    (verb) => [verb, 'GET'] as const,
  ),
  ...['auth', 'write', 'query', 'schema/add'].map((verb) => [verb, 'POST'] as const),
  ...['add', 'update', 'remove', 'get', 'list', 'password'].map((verb) => [`user/${verb}`, 'POST'] as const),
  ...['add', 'remove', 'list'].map((verb) => [`system/cors/${verb}`, 'POST'] as const),
  ...['query', 'list', 'update', 'count', 'add'].map((verb) => [`session/${verb}`, 'POST'] as const),
  ...['add', 'remove', 'list', 'key', 'key/rotate', 'key/remove', 'key/list'].map(
    (verb) => [`property/${verb}`, 'POST'] as const,
  ),
]);

/** Throws CB_OPTION naming the word, the rule and the value; never the value of an option. */
export function readM1Words(words: readonly string[]): M1Words {
  const [environment = '', verb = '', ...rest] = words;
  if (!verbs.has(verb)) {
    const got = verb === '' ? 'nothing' : JSON.stringify(verb);
    const message = `m1 ${environment}: needs a verb, one of ${[...verbs.keys()].join(' ')}, got ${got}`;
    throw new CrowdbeatError('CB_OPTION', message);
  }
  return { environment, verb, options: readM1Options(verb, rest) };
}

/** @param verb for messages */
export function readM1Options(verb: string, words: readonly string[]): Record<string, string> {
  const options = new Map<string, string>();
  for (let index = 0; index < words.length; index += 2) {
    const word = words[index] ?? '';
    // Whatever comes next is the value, also if it begins with a hyphen: -q '-event.type:view'.
    const value = words[index + 1];
    const name = /^--?([A-Za-z][\w-]*)$/.exec(word)?.[1];
    if (name === undefined)
      throw new CrowdbeatError(
        'CB_OPTION',
        `m1 ${verb}: needs -option value, got word ${index + 1} without a name`,
      );
    if (value === undefined) throw new CrowdbeatError('CB_OPTION', `m1 ${verb}: -${name}: needs a value`);
    if (options.has(name)) throw new CrowdbeatError('CB_OPTION', `m1 ${verb}: -${name}: is given twice`);
    options.set(name, value);
  }
  return Object.fromEntries(options);
}
