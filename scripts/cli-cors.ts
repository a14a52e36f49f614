/** `crowdbeat cors add|remove|list`: the hosts and origins whose pages may send to a property. */
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import { type CollectorArguments, collectorOptions, readVerb, resolveCollector } from './cli-collector.ts';
import { askCollector } from './collector-client.ts';

const verbs = ['add', 'remove', 'list'] as const;

interface CorsArguments extends CollectorArguments {
  readonly verb?: string | undefined;
  readonly domains?: string | undefined;
}

export const corsBuilder = (yargs: Argv) =>
  collectorOptions(yargs)
    .positional('verb', { type: 'string', describe: verbs.join(', ') })
    .option('domains', {
      type: 'string',
      describe: 'shop.example.com, *.example.com or https://example.com:8443; several with commas',
    });

/** Resolves with the exit code. */
export async function corsCommand(args: CorsArguments): Promise<number> {
  const verb = readVerb('cors', verbs, args.verb);
  const { domains } = args;
  if (verb !== 'list' && domains === undefined) throw new CrowdbeatError('CB_OPTION', '--domains: is needed');
  const form = verb === 'list' || domains === undefined ? {} : { domains };
  const text = await askCollector({ ...resolveCollector(args), path: `/system/cors/${verb}`, form });
  if (text !== '') process.stdout.write(`${text}\n`);
  return 0;
}
