#!/usr/bin/env node
/** The one program: `crowdbeat <command>`. scripts/runSim, stopSim and crowdbeat are thin shells over it. */
import yargs from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';
import { packageVersion } from '../sim/run/index.ts';
import { auditBuilder, auditCommand } from './cli-audit.ts';
import { authBuilder, authCommand } from './cli-auth.ts';
import { benchBuilder, benchCommand } from './cli-bench.ts';
import { chaosBuilder, chaosCommand } from './cli-chaos.ts';
import { aaBuilder, aaCommand, compareBuilder, compareCommand, historyCommand } from './cli-compare.ts';
import { corsBuilder, corsCommand } from './cli-cors.ts';
import { doctorBuilder, doctorCommand } from './cli-doctor.ts';
import { environmentBuilder, environmentCommand } from './cli-env.ts';
import { flushBuilder, flushCommand } from './cli-flush.ts';
import { m1Command } from './cli-m1.ts';
import { propertyBuilder, propertyCommand } from './cli-property.ts';
import { getBuilder, getCommand, queryBuilder, queryCommand, withTwoHyphens } from './cli-query.ts';
import { reportBuilder, reportCommand } from './cli-report.ts';
import { serveBuilder, serveCommand } from './cli-serve.ts';
import { sessionBuilder, sessionCommand } from './cli-session.ts';
import { setupCommand } from './cli-setup.ts';
import { simBuilder, simCommand } from './cli-sim.ts';
import { stopBuilder, stopCommand } from './cli-stop.ts';
import { userBuilder, userCommand } from './cli-user.ts';
import { visitorsBuilder, visitorsCommand } from './cli-visitors.ts';
import { runProgram } from './run-program.ts';

const log = (line: string): void => void process.stdout.write(`crowdbeat: ${line}\n`);

async function main(words: readonly string[]): Promise<number> {
  // Its options have one hyphen, which yargs would take for letters.
  if (words[0] === 'm1') return m1Command(words.slice(1));
  let exitCode: number = exitCodes.ok;
  const cli = yargs(withTwoHyphens(words))
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
    .command(
      'audit <run>',
      'ask again whether the collector has what a run did: audit RUN-ID',
      auditBuilder,
      async (argv) => {
        exitCode = await auditCommand(argv);
      },
    )
    .command('doctor', 'is this machine quiet enough to measure on?', doctorBuilder, async (argv) => {
      exitCode = await doctorCommand(argv);
    })
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
      'compare <base> <candidate>',
      'two builds in one session of pairs, or two results: compare merge-base HEAD',
      compareBuilder,
      async (argv) => {
        exitCode = await compareCommand(argv);
      },
    )
    .command(
      'aa',
      'this build against itself: how far equal builds come out apart here',
      aaBuilder,
      async (argv) => {
        exitCode = await aaCommand(argv);
      },
    )
    .command('history [metric]', 'the trend of each metric over stored sessions', {}, (argv) => {
      exitCode = historyCommand(argv);
    })
    .command('report <result>', 'a run or session as one HTML file', reportBuilder, async (argv) => {
      exitCode = await reportCommand(argv);
    })
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
    .command(
      'query',
      'stored events: query -q type:view -sort "_m1.receivedUTC desc" -rows 5',
      queryBuilder,
      async (argv) => {
        exitCode = await queryCommand(argv);
      },
    )
    .command('get <keys..>', 'stored events by their keys: get 0-17 0-18', getBuilder, async (argv) => {
      exitCode = await getCommand(argv);
    })
    .command(
      'env <verb> [args..]',
      'properties with their stores: env create shop-acme environments/events.json, env list …',
      environmentBuilder,
      async (argv) => {
        exitCode = await environmentCommand(argv);
      },
    )
    .command('m1 [words..]', 'm1 ENV VERB -option value …: as MinusOneDB’s client (m1 --help)')
    .command('setup', 'make sure that there is a Redis to start', {}, () => setupCommand(log))
    .parserConfiguration({
      'parse-positional-numbers': false,
      'camel-case-expansion': true,
    })
    .demandCommand(
      1,
      'a command is needed: sim, stop, audit, doctor, serve, flush, session, bench, compare, aa, history, ' +
        'report, chaos, property, auth, user, cors, visitors, query, get, env, m1 or setup',
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

await runProgram(main);
