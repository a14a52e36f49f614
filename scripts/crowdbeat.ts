#!/usr/bin/env node
/** The one program: `crowdbeat <command>`. scripts/runSim, stopSim and crowdbeat are thin shells over it. */
import yargs from 'yargs';
import { CrowdbeatError, messageOf } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';
import { packageVersion } from '../sim/run/index.ts';
import { benchBuilder, benchCommand } from './cli-bench.ts';
import { chaosBuilder, chaosCommand } from './cli-chaos.ts';
import { propertyBuilder, propertyCommand } from './cli-property.ts';
import { serveBuilder, serveCommand } from './cli-serve.ts';
import { setupCommand } from './cli-setup.ts';
import { simBuilder, simCommand } from './cli-sim.ts';
import { stopBuilder, stopCommand } from './cli-stop.ts';

const log = (line: string): void => void process.stdout.write(`crowdbeat: ${line}\n`);

async function main(words: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const cli = yargs([...words])
    .scriptName('crowdbeat')
    .usage('$0 <command>\n\nSimulates a crowd of website visitors and proves that every event was counted.')
    .command('sim [args..]', 'run a crowd: sim [config.json] N', simBuilder, async (argv) => {
      exitCode = await simCommand(argv);
    })
    .command(
      'stop [visitors]',
      'end the live run, or send so many of its visitors home',
      stopBuilder,
      async (argv) => {
        exitCode = await stopCommand(argv['visitors'] as string | undefined);
      },
    )
    .command('serve', 'run the collector alone', serveBuilder, async (argv) => {
      exitCode = await serveCommand(argv);
    })
    .command(
      'bench <verb> [names..]',
      'measure: bench list, bench run [names] [--smoke]',
      benchBuilder,
      async (argv) => {
        exitCode = await benchCommand(argv);
      },
    )
    .command(
      'chaos [faults..]',
      'break what a crowd talks to: chaos [letters], chaos --list',
      chaosBuilder,
      async (argv) => {
        exitCode = await chaosCommand(argv);
      },
    )
    .command(
      'property <verb> [name]',
      'property delete account/property --yes: delete all that is stored of it',
      propertyBuilder,
      async (argv) => {
        exitCode = await propertyCommand(argv);
      },
    )
    .command('setup', 'make sure that there is a Redis to start', {}, () => setupCommand(log))
    .parserConfiguration({
      'parse-positional-numbers': false,
      'camel-case-expansion': true,
    })
    .demandCommand(1, 'a command is needed: sim, stop, serve, bench, chaos, property or setup')
    .strict()
    .version(packageVersion())
    .help()
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .epilogue('Exit codes: docs/exit-codes.md')
    .fail((message, error) => {
      throw error ?? new CrowdbeatError('CB_OPTION', message);
    });
  await cli.parseAsync();
  return exitCode;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const hint = error instanceof CrowdbeatError && error.code === 'CB_OPTION' ? ' (see --help)' : '';
  // A stack only for what is our own mistake: everything else is said in one sentence.
  const text =
    error instanceof CrowdbeatError || !(error instanceof Error)
      ? messageOf(error)
      : (error.stack ?? error.message);
  process.stderr.write(`crowdbeat: ${text}${hint}\n`);
  process.exitCode = exitCodes.error;
} finally {
  // An open channel to a parent would keep this process alive, also after an error.
  if (process.connected) process.disconnect();
}
