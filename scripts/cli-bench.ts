/** `crowdbeat bench list | run [names…] [--smoke]`. */
import type { Argv } from 'yargs';
import { listScenarios, runScenarios } from '../bench/main/bench.ts';
import { CrowdbeatError } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';

export const benchBuilder = (yargs: Argv) =>
  yargs
    .positional('verb', { type: 'string', describe: 'list or run' })
    .positional('names', { type: 'string', array: true, describe: 'scenarios to run (default: all)' })
    .option('smoke', {
      type: 'boolean',
      describe: 'small sizes: shows that a scenario works, not how fast anything is',
    });

export async function benchCommand(argv: Readonly<Record<string, unknown>>): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const verb = argv['verb'];
  if (verb === 'list') {
    for (const line of listScenarios()) say(line);
    return exitCodes.ok;
  }
  if (verb !== 'run')
    throw new CrowdbeatError('CB_OPTION', `bench: needs list or run, got ${JSON.stringify(verb)}`);
  const names = (argv['names'] as string[] | undefined) ?? [];
  const good = await runScenarios({ names, smoke: argv['smoke'] === true, say });
  return good ? exitCodes.ok : exitCodes.error;
}
