/** `crowdbeat user add|update|remove|get|list|password`: the users of an account, through the collector. */
import type { Argv } from 'yargs';
import { makeFirstAdmin } from '../server/access/first-admin.ts';
import { systemClock } from '../server/base/clock.ts';
import { CrowdbeatError } from '../server/base/errors.ts';
import { defaultProperty } from '../server/protocol/property.ts';
import { connectRedis } from '../server/store/connection.ts';
import {
  type CollectorArguments,
  collectorOptions,
  readPassword,
  readVerb,
  resolveCollector,
} from './cli-collector.ts';
import { nonEmpty } from './cli-serve.ts';
import { askCollector } from './collector-client.ts';
import { findHome } from './home.ts';
import { startRedis } from './stack.ts';

const verbs = ['add', 'update', 'remove', 'get', 'list', 'password'] as const;

interface UserArguments extends CollectorArguments {
  readonly verb?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly rights?: string | undefined;
  readonly firstAdmin?: boolean | undefined;
  readonly account?: string | undefined;
  readonly redis?: string | undefined;
  readonly dataDir?: string | undefined;
}

export const userBuilder = (yargs: Argv) =>
  collectorOptions(yargs)
    .positional('verb', { type: 'string', describe: verbs.join(', ') })
    .option('username', { type: 'string', describe: 'the user' })
    .option('password', {
      type: 'string',
      describe: '- reads a line of standard input; or CROWDBEAT_PASSWORD',
    })
    .option('rights', { type: 'string', describe: `'["publish"]', or '{"site":["publish"],"*":["get"]}'` })
    .option('first-admin', {
      type: 'boolean',
      describe: 'with add: make an account with its first admin, straight in Redis',
    })
    .option('account', { type: 'string', describe: 'with --first-admin: the account (default demo)' })
    .option('redis', {
      type: 'string',
      describe: 'with --first-admin: the Redis (default REDIS_URL, else the embedded one)',
    })
    .option('data-dir', { type: 'string', describe: 'with --first-admin: data of the embedded Redis' });

/** Resolves with the exit code. */
export async function userCommand(args: UserArguments): Promise<number> {
  const verb = readVerb('user', verbs, args.verb);
  if (args.firstAdmin === true) {
    if (verb !== 'add') throw new CrowdbeatError('CB_OPTION', '--first-admin: goes with user add only');
    await addFirstAdmin(args);
    return 0;
  }
  const form = await formOf(verb, args);
  const text = await askCollector({ ...resolveCollector(args), path: `/user/${verb}`, form });
  if (text !== '') process.stdout.write(`${text}\n`);
  return 0;
}

async function formOf(verb: (typeof verbs)[number], args: UserArguments): Promise<Record<string, string>> {
  const form: Record<string, string> = {};
  if (args.username !== undefined) form['username'] = args.username;
  else if (verb !== 'list' && verb !== 'password')
    throw new CrowdbeatError('CB_OPTION', '--username: is needed');
  if (verb === 'add' || verb === 'password') form['password'] = await readPassword(args.password);
  if (verb === 'add' || verb === 'update') {
    if (args.rights === undefined) throw new CrowdbeatError('CB_OPTION', '--rights: is needed');
    form['rights'] = args.rights;
  }
  return form;
}

async function addFirstAdmin(args: UserArguments): Promise<void> {
  const say = (line: string): void => void process.stdout.write(`crowdbeat: ${line}\n`);
  const { account = defaultProperty.account, username = 'admin' } = args;
  const password = await readPassword(args.password);
  const url = args.redis ?? nonEmpty(process.env['REDIS_URL']);
  const dataDir = args.dataDir ?? findHome().redisData;
  const redis = await startRedis({ url, dataDir, fsync: 'everysec' }, say);
  try {
    const connection = await connectRedis(redis.url);
    try {
      if (!(await makeFirstAdmin(connection, systemClock, { account, username, password })))
        throw new CrowdbeatError(
          'CB_REFUSED',
          `user add: the account ${account} has a user ${username} already`,
        );
      say(`the account ${account} has the admin ${username} and the property site`);
    } finally {
      await connection.close();
    }
  } finally {
    await redis.stop();
  }
}
