/** `crowdbeat query -store index -q '*'` and `crowdbeat get 0-17`: stored events, over HTTP. */
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import { askCollector } from './collector-client.ts';

type QueryArguments = Readonly<Record<string, unknown>>;

/** The fields of the question, as the collector knows them. */
const queryFields = ['store', 'q', 'fl', 'start', 'rows', 'sort', 'format', 'json'];

const shared = (yargs: Argv) =>
  yargs
    .option('property', { type: 'string', describe: 'account/property (default: the collector’s own)' })
    .option('server', { type: 'string', describe: 'the collector (default http://127.0.0.1:7070)' })
    .epilogue('A token may stand in CROWDBEAT_TOKEN. One hyphen before an option will do, as in -rows 5.');

export const queryBuilder = (yargs: Argv) =>
  shared(yargs)
    .option('store', { type: 'string', default: 'index', describe: 'where the events are' })
    .option('q', { type: 'string', describe: 'which events, such as type:view (default *)' })
    .option('fl', { type: 'string', describe: 'what to show of each, such as type,page.path' })
    .option('sort', {
      type: 'string',
      describe: 'such as "_m1.receivedUTC desc" (default: as they were stored)',
    })
    .option('start', { type: 'string', describe: 'how many to leave out (default 0)' })
    .option('rows', { type: 'string', describe: 'how many to show (default 10)' })
    .option('format', { type: 'string', describe: 'json or csv' })
    .option('json', {
      type: 'string',
      describe: 'facets: {"facet":{"by_type":{"type":"terms","field":"type"}}}',
    });

export const getBuilder = (yargs: Argv) =>
  shared(yargs).positional('keys', {
    type: 'string',
    array: true,
    describe: '_m1key of events, such as 0-17',
  });

/**
 * The words as yargs needs them: it takes `-rows` for the letters r, o, w and s, and a value such as `-type:view` for an
 * option. Of other commands they stay as they are.
 */
export function withTwoHyphens(words: readonly string[]): string[] {
  const [command] = words;
  if (command !== 'query' && command !== 'get') return [...words];
  const known = [...queryFields, 'property', 'server'];
  const changed: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const name = word.replace(/^--?/, '');
    const value = words[at + 1];
    if (name === word || !known.includes(name) || value === undefined) changed.push(word);
    else {
      changed.push(`--${name}=${value}`);
      at += 1;
    }
  }
  return changed;
}

/** Prints the reply. Resolves with the exit code. Throws CB_OPTION, CB_REFUSED, CB_TARGET_UNREACHABLE. */
export async function queryCommand(args: QueryArguments): Promise<number> {
  const form: Record<string, string> = { q: '*' };
  for (const name of queryFields) if (args[name] !== undefined) form[name] = String(args[name]);
  return print(args, '/query', form);
}

export async function getCommand(args: QueryArguments): Promise<number> {
  const keys = args['keys'];
  if (!Array.isArray(keys) || keys.length === 0)
    throw new CrowdbeatError('CB_OPTION', 'get: needs keys of events, such as get 0-17 0-18');
  return print(args, '/get', { keys: keys.join(',') });
}

async function print(args: QueryArguments, path: string, form: Record<string, string>): Promise<number> {
  const text = await askCollector({
    server: typeof args['server'] === 'string' ? args['server'] : 'http://127.0.0.1:7070',
    token: process.env['CROWDBEAT_TOKEN'],
    property: args['property'] as string | undefined,
    path,
    form,
  });
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  return 0;
}
