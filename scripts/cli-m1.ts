/**
 * `m1 ENV VERB -option value …`: the commands of MinusOneDB's client, for collectors of crowdbeat. scripts/m1 is a shell
 * over it. Replies are printed as curl prints them, refusals too; those end with exit code 1.
 */

import { CrowdbeatError } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';
import { readPassword, resolveCollector } from './cli-collector.ts';
import { addStoresCommand, environmentBook } from './cli-env.ts';
import { findEnvironment, type KnownEnvironment, propertyOfEnvironment } from './cli-env-book.ts';
import { EnvironmentClient } from './cli-env-client.ts';
import { type M1Words, readM1Options, readM1Words, verbs } from './cli-m1-words.ts';
import { refusalOf, replyOfCollector } from './collector-client.ts';

const usage = `m1 ENV VERB -option value …                 m1 site-demo query -store index -q '*' -rows 5
m1 login ENV -username u [-password p]      keeps a token for ENV; -server URL, -ttl ms
m1 orchestrate addStores ENV KEY FILE       KEY: an admin's token, or - for the one that is kept

VERB: ${[...verbs.keys()].join(' ')}
A password that is - is read from standard input, one that is missing from CROWDBEAT_PASSWORD. docs/m1.md
`;

/** Resolves with the exit code. Throws CB_OPTION, CB_FILE, CB_REFUSED and CB_TARGET_UNREACHABLE. */
export async function m1Command(words: readonly string[]): Promise<number> {
  const [first, second, ...rest] = words;
  if (first === undefined || first === '--help' || first === '-help' || first === 'help') {
    process.stdout.write(usage);
    return exitCodes.ok;
  }
  if (first === 'login') return logIn(second, rest);
  if (first !== 'orchestrate') return ask(readM1Words(words));
  if (second !== 'addStores')
    throw new CrowdbeatError('CB_OPTION', `m1 orchestrate: knows addStores, got ${JSON.stringify(second)}`);
  await addStoresCommand('m1 orchestrate addStores', rest);
  return exitCodes.ok;
}

/** What asks for a password, whether or not it is given. */
const needPassword = ['auth', 'user/add', 'user/password'];

async function ask({ environment, verb, options }: M1Words): Promise<number> {
  const place = findEnvironment(environment, environmentBook());
  const path = `/${verb}`;
  const fields = { ...options };
  if (needPassword.includes(verb)) fields['password'] = await readPassword(options['password']);
  if (verb === 'auth') fields['account'] ??= place.property.account;
  const client = new EnvironmentClient(place);
  const isGet = verbs.get(verb) === 'GET';
  const { status, text } = await client.reply(isGet ? { path, query: fields } : { path, form: fields });
  if (text !== '') process.stdout.write(`${text}\n`);
  if (status >= 200 && status < 300) return exitCodes.ok;
  const hint = status === 401 && verb !== 'auth' ? `: m1 login ${environment} -username …` : '';
  process.stderr.write(`m1: ${verb} was answered ${status}${hint}\n`);
  return exitCodes.error;
}

const loginOptions = ['username', 'password', 'server', 'ttl'];

async function logIn(name: string | undefined, words: readonly string[]): Promise<number> {
  const options = readM1Options('login', words);
  const unknown = Object.keys(options).find((option) => !loginOptions.includes(option));
  if (unknown !== undefined)
    throw new CrowdbeatError('CB_OPTION', `m1 login: knows -${loginOptions.join(', -')}, got -${unknown}`);
  const { username, ttl } = options;
  if (name === undefined || username === undefined)
    throw new CrowdbeatError('CB_OPTION', 'm1 login: needs ENV -username u');
  const { server, property } = loginPlace(name, options['server']);
  const password = await readPassword(options['password']);
  const form = { account: property.account, username, password, ...(ttl === undefined ? {} : { ttl }) };
  const { status, text } = await replyOfCollector({ server, path: '/auth', form });
  if (status !== 200) throw new CrowdbeatError('CB_REFUSED', `auth: ${refusalOf(text)} (${status})`);
  environmentBook().write(name, { server, property, username, token: text });
  process.stdout.write(`${name}: ${username} is logged in at ${server}\n`);
  return exitCodes.ok;
}

/** A server that is named makes the environment known. */
function loginPlace(name: string, given: string | undefined): KnownEnvironment {
  const book = environmentBook();
  if (given === undefined) return findEnvironment(name, book);
  const property = book.read().get(name)?.property ?? propertyOfEnvironment(name);
  if (property !== undefined) return { server: resolveCollector({ server: given }).server, property };
  throw new CrowdbeatError('CB_OPTION', `ENV: needs property-account, got ${JSON.stringify(name)}`);
}
