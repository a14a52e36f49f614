/** `crowdbeat sim`: runs a crowd. scripts/runSim is a shell over it. */
import { readFile } from 'node:fs/promises';
import type { Argv } from 'yargs';
import { systemClock } from '../server/base/clock.ts';
import { CrowdbeatError, messageOf } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';
import {
  type CrowdRun,
  checkWritable,
  exitCodeOf,
  LiveLine,
  type RawSimOptions,
  resolveSimOptions,
  type SimOptions,
  simOptionNames,
  simulate,
  summaryText,
} from '../sim/run/index.ts';
import { nonEmpty, readFsync } from './cli-serve.ts';
import { findHome } from './home.ts';
import { type Stack, startStack } from './stack.ts';

const descriptions: Readonly<Record<string, string>> = {
  duration: 'how long, such as 60s or 10m; forever = until stopped (default 60s)',
  seed: 'same seed = same crowd, on any number of workers (default 1)',
  heartbeat: 'time between two heartbeats of a visitor, or none (default 5s)',
  ramp: 'arrivals while the crowd gathers (default 3000/s)',
  target: 'a collector that is there already (default: one of our own is started)',
  property: 'account/property that the events belong to (default demo/site)',
  workers: 'worker threads (default: one less than the machine has cores)',
  connections: 'keep-alive connections of all workers together (default 64)',
  phase: 'spread or sync: heartbeats of different visitors apart, or all at once (default spread)',
  json: 'also write the result to this file',
  'log-clients': 'how many visitors get a log of their own in logs/ (default 1000)',
  timeout: 'how long an answer may take until the event is sent again (default 10s)',
  drain: 'how long open events may take to settle at the end (default 30s)',
};

export const simBuilder = (yargs: Argv) => {
  let built = yargs.positional('args', {
    type: 'string',
    array: true,
    describe: '[config.json] N: a config file, the number of visitors, or both',
  });
  for (const [name, describe] of Object.entries(descriptions))
    built = built.option(name, { type: 'string', describe }) as typeof built;
  return built
    .option('audit', {
      type: 'boolean',
      describe: 'compare the collector’s answers with the ledger (--no-audit: do not)',
    })
    .option('strict', { type: 'boolean', describe: 'exit 30 if the measurement is invalid' })
    .option('redis', {
      type: 'string',
      describe: 'Redis of our own collector (default REDIS_URL, else an embedded one)',
    })
    .option('redis-fsync', {
      type: 'string',
      describe: 'everysec, always or no, for the embedded Redis (default everysec)',
    })
    .epilogue('Exit codes: docs/exit-codes.md');
};

/** The arguments after `sim`: a config file, a number of visitors, or both in either order. */
export function splitPositionals(args: readonly string[]): {
  readonly config?: string;
  readonly visitors?: string;
} {
  const numbers = args.filter((arg) => /^[-+]?\d/.test(arg) && !arg.endsWith('.json'));
  const files = args.filter((arg) => !numbers.includes(arg));
  if (numbers.length > 1 || files.length > 1) {
    throw new CrowdbeatError(
      'CB_OPTION',
      `sim: needs at most one config file and one number, got ${JSON.stringify(args)}`,
    );
  }
  return {
    ...(files[0] === undefined ? {} : { config: files[0] }),
    ...(numbers[0] === undefined ? {} : { visitors: numbers[0] }),
  };
}

export async function readConfigFile(path: string): Promise<RawSimOptions> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new CrowdbeatError('CB_FILE', `config file ${path}: can't be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as RawSimOptions;
  } catch (error) {
    throw new CrowdbeatError('CB_OPTION', `config file ${path}: is no JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
  throw new CrowdbeatError(
    'CB_OPTION',
    `config file ${path}: needs a JSON object, got ${text.trim().slice(0, 40)}`,
  );
}

/** What of the seed document's config this collector has no use for yet; said, not swallowed. */
function configNotes(file: RawSimOptions): string[] {
  const notes: string[] = [];
  if (typeof file['session'] === 'string') {
    notes.push(`config "session": this version has no session stores, so heartbeats are written as events`);
  }
  if ('username' in file || 'password' in file) {
    notes.push('config "username" and "password": this version has no logins, so they are not used');
  }
  return notes;
}

export async function simCommand(argv: Readonly<Record<string, unknown>>): Promise<number> {
  const { config, visitors } = splitPositionals((argv['args'] as string[] | undefined) ?? []);
  const file = config === undefined ? {} : await readConfigFile(config);
  const flags: Record<string, unknown> = { visitors };
  for (const name of simOptionNames) if (name !== 'visitors') flags[name] = argv[name];
  const sim = resolveSimOptions(flags, file, config);
  if (sim.jsonFile !== undefined) await checkWritable(sim.jsonFile, '--json');
  const redis = {
    url: argv['redis'] as string | undefined,
    fsync: readFsync(argv['redis-fsync'] as string | undefined),
  };
  const live = new LiveLine(
    {
      isTTY: process.stdout.isTTY,
      columns: process.stdout.columns ?? 80,
      write: (text) => void process.stdout.write(text),
    },
    sim.durationMs,
  );
  for (const note of configNotes(file)) live.say(`crowdbeat: ${note}`);
  return runWithStack(sim, redis, live);
}

/** The collector of a run without --target lives exactly as long as the run. */
async function runWithStack(
  sim: SimOptions,
  redis: { url: string | undefined; fsync: 'everysec' | 'always' | 'no' },
  live: LiveLine,
) {
  const home = findHome();
  const say = (line: string): void => live.say(`crowdbeat: ${line}`);
  const interrupts = new Interrupts(say);
  let stack: Stack | undefined;
  try {
    if (sim.target === undefined) {
      const url = redis.url ?? nonEmpty(process.env['REDIS_URL']);
      stack = await startStack({ url, dataDir: home.redisData, fsync: redis.fsync }, say);
    }
    if (interrupts.count > 0) return exitCodes.interruptedTwice;
    const targetUrl = sim.target ?? (stack as Stack).collector.url;
    say(
      `${sim.visitors} visitors arrive at ${sim.rampPerSecond}/s, seed ${sim.seed}; logs: tail -f ${home.logs}/*.log`,
    );
    const outcome = await simulate({
      sim,
      targetUrl,
      clock: systemClock,
      resultsDirectory: home.results,
      logDirectory: home.logs,
      onView: (view) => live.show(view),
      onNote: say,
      onRunning: (run) => interrupts.steer(run),
    });
    live.clear();
    process.stdout.write(summaryText(outcome.result, outcome.directory));
    return exitCodeOf(outcome.result, sim.strict);
  } finally {
    await stack?.stop();
    interrupts.release();
  }
}

/** Ctrl-C once: the crowd leaves and the run ends like any other. Twice: at once. */
class Interrupts {
  count = 0;
  #run: CrowdRun | undefined;
  readonly #say: (line: string) => void;
  readonly #handler = (): void => this.#interrupt();

  constructor(say: (line: string) => void) {
    this.#say = say;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#handler);
  }

  steer(run: CrowdRun): void {
    this.#run = run;
    if (this.count > 0) run.end();
  }

  release(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.#handler);
  }

  #interrupt(): void {
    this.count += 1;
    if (this.count === 1)
      this.#say('ending: visitors leave, open events settle (once more to end at once) …');
    if (this.count === 1) this.#run?.end();
    else if (this.count === 2) this.#run?.abort();
    else process.exit(exitCodes.interruptedTwice);
  }
}
