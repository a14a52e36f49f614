/** `crowdbeat auth --username u`: logs in and prints the token, and nothing else. */
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import {
  type CollectorArguments,
  collectorOptions,
  readPassword,
  resolveCollector,
} from './cli-collector.ts';
import { askCollector } from './collector-client.ts';

interface AuthArguments extends CollectorArguments {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly ttl?: string | undefined;
}

export const authBuilder = (yargs: Argv) =>
  collectorOptions(yargs)
    .option('username', { type: 'string', describe: 'the user, or account/user' })
    .option('password', {
      type: 'string',
      describe: '- reads a line of standard input; or CROWDBEAT_PASSWORD',
    })
    .option('ttl', { type: 'string', describe: 'how long the token lives, ms (default token-expire-ms)' });

/** Resolves with the exit code. */
export async function authCommand(args: AuthArguments): Promise<number> {
  const { username, ttl } = args;
  if (username === undefined) throw new CrowdbeatError('CB_OPTION', '--username: is needed');
  const password = await readPassword(args.password);
  const form = { username, password, ...(ttl === undefined ? {} : { ttl }) };
  const { server, property } = resolveCollector(args);
  process.stdout.write(`${await askCollector({ server, property, path: '/auth', form })}\n`);
  return 0;
}
