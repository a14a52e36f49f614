/** `crowdbeat visitors`: a question about visitors, through the collector; see docs/visitors.md. */
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import { type CollectorArguments, collectorOptions, resolveCollector } from './cli-collector.ts';
import { askCollector } from './collector-client.ts';

interface VisitorsArguments extends CollectorArguments {
  readonly question?: string | undefined;
  readonly event?: string | undefined;
  readonly source?: string | undefined;
  readonly campaign?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly bucket?: string | undefined;
}

export const visitorsBuilder = (yargs: Argv) =>
  collectorOptions(yargs)
    .positional('question', {
      type: 'string',
      describe: 'the question as JSON, - for standard input; or none, and the uniques of the options below',
    })
    .option('event', { type: 'string', describe: 'visitors with this event' })
    .option('source', { type: 'string', describe: 'visitors from this source' })
    .option('campaign', { type: 'string', describe: 'with --source: and this campaign' })
    .option('from', { type: 'string', describe: 'first minute: 2026-11-21, 2026-11-21-17-05, ISO 8601' })
    .option('to', { type: 'string', describe: 'minute after the last' })
    .option('bucket', { type: 'string', describe: 'a year, month, day, hour or minute, instead of both' });

/** Prints the collector's reply. Resolves with the exit code. */
export async function visitorsCommand(args: VisitorsArguments): Promise<number> {
  const json = await questionOf(args);
  const text = await askCollector({ ...resolveCollector(args), path: '/visitors/query', json });
  process.stdout.write(`${text}\n`);
  return 0;
}

/** Throws CB_OPTION when there is no question, or two. */
export async function questionOf(
  args: VisitorsArguments,
  input: AsyncIterable<Buffer> = process.stdin,
): Promise<string> {
  const { question, event, source, campaign, from, to, bucket } = args;
  const leaf = { event, source, campaign };
  const hasOptions = Object.values({ ...leaf, from, to, bucket }).some((value) => value !== undefined);
  if (question !== undefined) {
    if (hasOptions)
      throw new CrowdbeatError(
        'CB_OPTION',
        'visitors: needs a question or options such as --event, got both',
      );
    return question === '-' ? readAll(input) : question;
  }
  if (event === undefined && source === undefined)
    throw new CrowdbeatError(
      'CB_OPTION',
      'visitors: needs a question in JSON, or --event or --source, got nothing',
    );
  return JSON.stringify({ from, to, bucket, uniques: leaf });
}

async function readAll(input: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
