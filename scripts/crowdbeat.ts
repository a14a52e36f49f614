#!/usr/bin/env node
/** The one program: `crowdbeat <command>`. scripts/runSim, stopSim and crowdbeat are thin shells over it. */
import yargs from 'yargs';
import { CrowdbeatError, messageOf } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';
import { packageVersion } from '../sim/run/index.ts';
import { authBuilder, authCommand } from './cli-auth.ts';
import { benchBuilder, benchCommand } from './cli-bench.ts';
import { chaosBuilder, chaosCommand } from './cli-chaos.ts';
import { corsBuilder, corsCommand } from './cli-cors.ts';
import { flushBuilder, flushCommand } from './cli-flush.ts';
import { propertyBuilder, propertyCommand } from './cli-property.ts';
import { serveBuilder, serveCommand } from './cli-serve.ts';
import { sessionBuilder, sessionCommand } from './cli-session.ts';
import { setupCommand } from './cli-setup.ts';
import { simBuilder, simCommand } from './cli-sim.ts';
import { stopBuilder, stopCommand } from './cli-stop.ts';
import { userBuilder, userCommand } from './cli-user.ts';
import { visitorsBuilder, visitorsCommand } from './cli-visitors.ts';

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
    .command(
      'flush <config>',
      'write an event for each session that falls silent: flush config.json',
      flushBuilder,
      async (argv) => {
        exitCode = await flushCommand(argv);
      },
    )
    .command(
      'session <verb>',
      'the live sessions of a collector: session list, session query --store stash --q "*"',
      sessionBuilder,
      async (argv) => {
        exitCode = await sessionCommand(argv);
      },
    )
    .command('auth', 'log in at a collector and print the token', authBuilder, async (argv) => {
      exitCode = await authCommand(argv);
    })
    .command(
      'user <verb>',
      'the users of an account: user add --username u --rights \'["publish"]\', user list …',
      userBuilder,
      async (argv) => {
        exitCode = await userCommand(argv);
      },
    )
    .command(
      'cors <verb>',
      'whose pages may send to a property: cors add --domains shop.example.com',
      corsBuilder,
      async (argv) => {
        exitCode = await corsCommand(argv);
      },
    )
    .command(
      'visitors [question]',
      'ask about visitors: visitors \'{"bucket":"2026-11-21","uniques":{"event":"view"}}\'',
      visitorsBuilder,
      async (argv) => {
        exitCode = await visitorsCommand(argv);
      },
    )
    .command('setup', 'make sure that there is a Redis to start', {}, () => setupCommand(log))
    .parserConfiguration({
      'parse-positional-numbers': false,
      'camel-case-expansion': true,
    })
    .demandCommand(
      1,
      'a command is needed: sim, stop, serve, flush, session, bench, chaos, property, auth, user, cors, visitors or setup',
    )
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
