/** `crowdbeat compare <base> <candidate>`, `crowdbeat aa` and `crowdbeat history`. */
import { appendFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import {
  compareResults,
  comparisonExitCode,
  type Gate,
  gates,
  historyOf,
  versionReason,
} from '../bench/compare/index.ts';
import { type CompareBuildsOptions, compareBuilds, measureFloor } from '../bench/main/compare-builds.ts';
import { historyText } from '../bench/main/history-text.ts';
import { storedResult } from '../bench/main/stored-results.ts';
import { fullLoad, smokeLoad } from '../bench/main/workload.ts';
import { BenchPlaces, readIndex } from '../bench/record/index.ts';
import { outputs, type Reported, terminalTable } from '../bench/report/index.ts';
import { systemClock } from '../server/base/clock.ts';
import { CrowdbeatError } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';
import { readInjectedDelay } from '../server/http/injected-delay.ts';
import { packageVersion } from '../sim/run/index.ts';
import { findHome, packageRoot } from './home.ts';

type Arguments = Readonly<Record<string, unknown>>;

const sizes = <T>(yargs: Argv<T>) =>
  yargs
    .option('pairs', { type: 'string', describe: 'pairs of trials, settled beforehand (default 12)' })
    .option('seed', { type: 'string', describe: 'order of the arms and arrivals (default 1)' })
    .option('inject-delay', {
      type: 'string',
      describe: 'slow the candidate down on purpose: query=20% or ingest=20%',
    })
    .option('smoke', {
      type: 'boolean',
      describe: 'short trials: shows that it works, says nothing about speed',
    })
    .option('all', { type: 'boolean', describe: 'show also the metrics that are never gated' });

export const compareBuilder = (yargs: Argv) =>
  sizes(yargs)
    .positional('base', {
      type: 'string',
      describe: 'a commit, merge-base, . (as built), a session, baseline:NAME',
    })
    .positional('candidate', { type: 'string', describe: 'the same' })
    .option('gate', {
      type: 'string',
      choices: gates,
      describe: 'what fails: off, regressed (default), strict',
    })
    .option('confirm', {
      type: 'boolean',
      default: undefined,
      describe: 'measure again what is flagged (--no-confirm: do not)',
    });

export const aaBuilder = (yargs: Argv) =>
  sizes(yargs).option('sessions', {
    type: 'string',
    describe: 'sessions of this build against itself (default 1)',
  });

/** A signal ends this program in order: its folders are removed, and its children end with their channels. */
function endInOrder(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      process.stderr.write('crowdbeat: ended; the trials that were finished are kept\n');
      process.exit(exitCodes.interruptedTwice);
    });
}

export async function compareCommand(argv: Arguments): Promise<number> {
  endInOrder();
  const [base, candidate] = [String(argv['base']), String(argv['candidate'])];
  const places = new BenchPlaces(findHome().results);
  const gate = (argv['gate'] as Gate | undefined) ?? 'regressed';
  const reported = storedOrUndefined(base, candidate, places);
  if (reported === 'not comparable') return exitCodes.notComparable;
  return tell(
    reported ??
      (await compareBuilds({
        ...buildOptions(argv, places),
        base,
        candidate,
        confirm: argv['confirm'] !== false,
      })),
    argv,
    gate,
  );
}

function storedOrUndefined(
  base: string,
  candidate: string,
  places: BenchPlaces,
): Reported | 'not comparable' | undefined {
  try {
    const [one, other] = [storedResult(base, places), storedResult(candidate, places)];
    if (one === undefined && other === undefined) return undefined;
    if (one === undefined || other === undefined) {
      const [stored, built] = one === undefined ? [candidate, base] : [base, candidate];
      const remedy = 'compare two results, or two builds in one session';
      throw new CrowdbeatError('CB_OPTION', `compare: ${stored} is a result and ${built} is not; ${remedy}`);
    }
    return { stored: other, comparison: compareResults(one, other, { tool: packageVersion() }) };
  } catch (error) {
    const reason = versionReason(error);
    if (reason === undefined) throw error;
    process.stdout.write(`verdict: NOT_COMPARABLE. ${reason}\n`);
    return 'not comparable';
  }
}

/** The table, the summary of a CI step if there is one, and the code. */
function tell(reported: Reported, argv: Arguments, gate: Gate): number {
  const color = process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
  process.stdout.write(terminalTable(reported, { all: argv['all'] === true, color }));
  const summary = process.env['GITHUB_STEP_SUMMARY'];
  if (summary !== undefined && summary !== '') appendFileSync(summary, outputs.markdown(reported));
  return comparisonExitCode(reported.comparison, gate);
}

export async function aaCommand(argv: Arguments): Promise<number> {
  endInOrder();
  const places = new BenchPlaces(findHome().results);
  const sessions = wholeNumber(argv, 'sessions', 1, 1, 1000);
  const { floors, reports } = await measureFloor(buildOptions(argv, places), sessions);
  for (const reported of reports)
    process.stdout.write(terminalTable(reported, { all: argv['all'] === true }));
  for (const [metric, floor] of Object.entries(floors.floors))
    process.stdout.write(`floor ${metric.padEnd(34)} ${(floor * 100).toFixed(1)}%\n`);
  const alarms = reports.flatMap(({ comparison }) => comparison.falseAlarms).length;
  const asked = reports.flatMap(({ comparison }) => comparison.metrics.filter(({ gated }) => gated)).length;
  process.stdout.write(
    `${floors.sessions} of ${sessions} sessions used; false alarms: ${alarms} of ${asked} metrics\n`,
  );
  return alarms > 0 ? exitCodes.invalid : exitCodes.ok;
}

export function historyCommand(argv: Arguments): number {
  const { entries, notes } = readIndex(new BenchPlaces(findHome().results));
  const wanted = String(argv['metric'] ?? '');
  const series = historyOf(entries).filter(({ metric }) => metric.includes(wanted));
  for (const note of notes) process.stdout.write(`note: ${note}\n`);
  for (const line of historyText(series)) process.stdout.write(`${line}\n`);
  if (series.length === 0)
    process.stdout.write('no session has been recorded here yet; crowdbeat compare makes one\n');
  return exitCodes.ok;
}

function buildOptions(
  argv: Arguments,
  places: BenchPlaces,
): Omit<CompareBuildsOptions, 'base' | 'candidate' | 'confirm'> {
  const injectDelay = argv['injectDelay'] as string | undefined;
  if (injectDelay !== undefined) readInjectedDelay(injectDelay);
  return {
    pairs: wholeNumber(argv, 'pairs', 12, 1, 200),
    seed: wholeNumber(argv, 'seed', 1, 0, 2 ** 31),
    load: argv['smoke'] === true ? smokeLoad : fullLoad,
    injectDelay,
    ...{ places, root: packageRoot(), tool: packageVersion(), clock: systemClock },
    say: (line) => void process.stdout.write(`crowdbeat: ${line}\n`),
  };
}

function wholeNumber(argv: Arguments, name: string, otherwise: number, min: number, max: number): number {
  const text = argv[name] as string | undefined;
  if (text === undefined) return otherwise;
  if (/^\d{1,10}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  throw new CrowdbeatError(
    'CB_OPTION',
    `--${name}: needs a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`,
  );
}
