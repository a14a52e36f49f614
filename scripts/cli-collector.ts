/** What the commands that ask a collector have in common: where it is, the token, and passwords nobody else sees. */
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';

export interface CollectorArguments {
  readonly server?: string | undefined;
  readonly token?: string | undefined;
  readonly property?: string | undefined;
}

export const collectorOptions = <T>(yargs: Argv<T>) =>
  yargs
    .option('server', {
      type: 'string',
      describe: 'the collector (default CROWDBEAT_SERVER, else http://127.0.0.1:7070)',
    })
    .option('token', {
      type: 'string',
      describe: 'from crowdbeat auth; better in CROWDBEAT_TOKEN, since others see arguments (ps)',
    })
    .option('property', { type: 'string', describe: 'account/property (default the account’s first)' });

export function resolveCollector(
  { server, token, property }: CollectorArguments,
  environment: NodeJS.ProcessEnv = process.env,
): { server: string; token: string | undefined; property: string | undefined } {
  return {
    server: server ?? nonEmpty(environment['CROWDBEAT_SERVER']) ?? 'http://127.0.0.1:7070',
    token: token ?? nonEmpty(environment['CROWDBEAT_TOKEN']),
    property,
  };
}

/**
 * From `--password`, where `-` means a line of standard input, or from CROWDBEAT_PASSWORD. Throws CB_OPTION when
 * it is nowhere.
 */
export async function readPassword(
  given: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
  input: AsyncIterable<Buffer> = process.stdin,
): Promise<string> {
  if (given === '-') return firstLine(input);
  const password = given ?? nonEmpty(environment['CROWDBEAT_PASSWORD']);
  if (password !== undefined) return password;
  throw new CrowdbeatError(
    'CB_OPTION',
    '--password: needs a password, or - and one line of standard input, or CROWDBEAT_PASSWORD',
  );
}

async function firstLine(input: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) {
    chunks.push(chunk);
    if (chunk.includes('\n')) break;
  }
  return (Buffer.concat(chunks).toString().split('\n', 1)[0] ?? '').replace(/\r$/, '');
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** Throws CB_OPTION when the verb is none of these. */
export function readVerb<V extends string>(
  command: string,
  verbs: readonly V[],
  given: string | undefined,
): V {
  const verb = verbs.find((known) => known === given);
  if (verb !== undefined) return verb;
  throw new CrowdbeatError(
    'CB_OPTION',
    `${command}: knows ${verbs.join(', ')}, got ${JSON.stringify(given)}`,
  );
}
