/** `crowdbeat env create|add-stores|list`: environments, as properties are called together with their stores. */
import { join } from 'node:path';
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import { formatPropertyName, parsePropertyName } from '../server/protocol/property.ts';
import { type CollectorArguments, collectorOptions, readVerb, resolveCollector } from './cli-collector.ts';
import { EnvironmentBook, type KnownEnvironment, propertyOfEnvironment } from './cli-env-book.ts';
import { addEnvironmentStores, createEnvironment } from './cli-env-make.ts';
import { findHome } from './home.ts';

const verbs = ['create', 'add-stores', 'list'] as const;

interface EnvironmentArguments extends CollectorArguments {
  readonly verb?: string | undefined;
  readonly args?: readonly string[] | undefined;
}

export const environmentBuilder = (yargs: Argv) =>
  collectorOptions(yargs)
    .positional('verb', { type: 'string', describe: verbs.join(', ') })
    .positional('args', {
      type: 'string',
      array: true,
      describe: 'create NAME FILE; add-stores NAME KEY FILE, KEY being an admin’s token or -',
    })
    .epilogue('NAME is property-account. FILE: environments/*.json are examples. docs/m1.md');

export const environmentBook = (): EnvironmentBook =>
  new EnvironmentBook(join(findHome().state, 'environments.json'));

/** Resolves with the exit code. */
export async function environmentCommand(args: EnvironmentArguments): Promise<number> {
  const verb = readVerb('env', verbs, args.verb);
  const words = args.args ?? [];
  const book = environmentBook();
  if (verb === 'list') {
    expectWords('env list', [], words);
    for (const [name, { server, property }] of book.read())
      process.stdout.write(`${name} ${server} ${formatPropertyName(property)}\n`);
  } else if (verb === 'create') {
    const [name, file] = expectWords('env create', ['NAME', 'FILE'], words);
    process.stdout.write(`${await createEnvironment(name, file, placeOf(name, args, book), book)}\n`);
  } else await addStoresCommand('env add-stores', words);
  return 0;
}

/** Also `m1 orchestrate addStores`. Throws CB_OPTION for other words than NAME KEY FILE. */
export async function addStoresCommand(command: string, words: readonly string[]): Promise<void> {
  const [name, key, file] = expectWords(command, ['NAME', 'KEY', 'FILE'], words);
  process.stdout.write(`${await addEnvironmentStores(name, key, file, environmentBook())}\n`);
}

/** What is known of it already counts, unless another collector is named. */
function placeOf(name: string, args: EnvironmentArguments, book: EnvironmentBook): KnownEnvironment {
  const known = args.server === undefined ? book.read().get(name) : undefined;
  const { server, token } = resolveCollector(args);
  if (known !== undefined && args.property === undefined)
    return { ...known, token: args.token ?? known.token ?? token };
  const property =
    args.property === undefined ? propertyOfEnvironment(name) : parsePropertyName(args.property);
  if (property !== undefined) return { server, token, property };
  const message =
    args.property === undefined
      ? `NAME: needs property-account, or --property account/property, got ${JSON.stringify(name)}`
      : `--property: needs account/property, got ${JSON.stringify(args.property)}`;
  throw new CrowdbeatError('CB_OPTION', message);
}

type Texts<Names extends readonly string[]> = { readonly [Index in keyof Names]: string };

function expectWords<const Names extends readonly string[]>(
  command: string,
  names: Names,
  words: readonly string[],
): Texts<Names> {
  if (words.length === names.length) return words as unknown as Texts<Names>;
  const rule = names.length === 0 ? 'takes nothing more' : `needs ${names.join(' ')}`;
  throw new CrowdbeatError('CB_OPTION', `${command}: ${rule}, got ${words.length} words`);
}
