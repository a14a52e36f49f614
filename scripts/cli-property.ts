/** `crowdbeat property delete account/property --yes`: deletes all that is stored of a property. */
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import { formatCount } from '../server/base/units.ts';
import { formatPropertyName, type PropertyName, parsePropertyName } from '../server/protocol/property.ts';
import { connectRedis } from '../server/store/connection.ts';
import { deleteProperty } from '../server/store/delete-property.ts';
import { nonEmpty } from './cli-serve.ts';
import { findHome } from './home.ts';
import { startRedis } from './stack.ts';

interface PropertyArguments {
  readonly verb?: string | undefined;
  readonly name?: string | undefined;
  readonly yes?: boolean | undefined;
  readonly redis?: string | undefined;
  readonly dataDir?: string | undefined;
}

export const propertyBuilder = (yargs: Argv) =>
  yargs
    .positional('verb', { type: 'string', describe: 'delete' })
    .positional('name', { type: 'string', describe: 'the property, account/property' })
    .option('yes', { type: 'boolean', describe: 'really: what is deleted can’t be brought back' })
    .option('redis', {
      type: 'string',
      describe: 'Redis to use, redis://host:port or a socket (default REDIS_URL, else the embedded one)',
    })
    .option('data-dir', {
      type: 'string',
      describe: 'data of the embedded Redis (default .crowdbeat/redis)',
    });

/** Throws CrowdbeatError CB_OPTION naming the option, the rule and the value. */
export function readPropertyCommand(args: PropertyArguments): PropertyName {
  if (args.verb !== 'delete')
    throw new CrowdbeatError('CB_OPTION', `property: knows delete, got ${JSON.stringify(args.verb)}`);
  const property = parsePropertyName(args.name ?? '');
  if (property === undefined) {
    const message = `property delete: needs account/property, got ${JSON.stringify(args.name)}`;
    throw new CrowdbeatError('CB_OPTION', message);
  }
  if (args.yes !== true) {
    const message = `property delete: deletes all that is stored of ${args.name} for good; say --yes`;
    throw new CrowdbeatError('CB_OPTION', message);
  }
  return property;
}

/** Collectors may go on meanwhile: see delete-property.ts. Resolves with the exit code. */
export async function propertyCommand(args: PropertyArguments): Promise<number> {
  const property = readPropertyCommand(args);
  const say = (line: string): void => void process.stdout.write(`crowdbeat: ${line}\n`);
  const url = args.redis ?? nonEmpty(process.env['REDIS_URL']);
  const place = { url, dataDir: args.dataDir ?? findHome().redisData, fsync: 'everysec' as const };
  const redis = await startRedis(place, say);
  try {
    const connection = await connectRedis(redis.url);
    try {
      const deleted = await deleteProperty(connection, property);
      say(`property ${formatPropertyName(property)} is deleted: ${formatCount(deleted)} keys`);
    } finally {
      await connection.close();
    }
  } finally {
    await redis.stop();
  }
  return 0;
}
