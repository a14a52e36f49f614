/** `crowdbeat sim`: runs a crowd. scripts/runSim is a shell over it. */
import { readFile } from 'node:fs/promises';
import type { Argv } from 'yargs';
import { CrowdbeatError, messageOf } from '../server/base/errors.ts';
import { exitCodes } from '../server/base/exit-codes.ts';
import {
  checkDescriptors,
  checkWritable,
  type RawSimOptions,
  resolveSimOptions,
  simOptionNames,
} from '../sim/run/index.ts';
import { readFsync } from './cli-serve.ts';
import { runDetached } from './cli-sim-detach.ts';
import { type RunPlace, runHere } from './cli-sim-run.ts';
import { askRun } from './control-socket.ts';
import { findHome } from './home.ts';

const descriptions: Readonly<Record<string, string>> = {
  duration: 'how long, such as 60s or 10m; forever = until stopped (default 60s)',
  seed: 'same seed = same crowd, on any number of workers (default 1)',
  heartbeat: 'time between two heartbeats of a visitor, or none (default 5s)',
  ramp: 'arrivals while the crowd gathers (default 3000/s)',
  target: 'a collector that is there already (default: one of our own is started)',
  property: 'account/property that the events belong to (default demo/site)',
  workers: 'worker threads (default: one less than the machine has cores)',
  connections: 'keep-alive connections of all workers together (default 64 to 512, by visitors)',
  phase: 'spread or sync: heartbeats of different visitors apart, or all at once (default spread)',
  json: 'also write the result to this file',
  'log-clients': 'how many visitors get a log of their own in logs/ (default 1000)',
  timeout: 'how long an answer may take until the event is sent again (default 10s)',
  durability: 'what each write asks for: stored, fsynced or replicated (default stored)',
  drain: 'how long open events may take to settle at the end (default 30s)',
  'give-up': 'end if the target acknowledges nothing for so long, or never (default 60s)',
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
    .option('detach', { type: 'boolean', describe: 'run in the background; stop it with scripts/stopSim' })
    .epilogue(
      'While a run is live, a number alone adds so many visitors to it. Exit codes: docs/exit-codes.md',
    );
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
  const place: RunPlace = {
    redisUrl: argv['redis'] as string | undefined,
    redisFsync: readFsync(argv['redis-fsync'] as string | undefined),
  };
  const others = Object.keys(flags).filter((name) => name !== 'visitors' && flags[name] !== undefined);
  if (config !== undefined) others.push(config);
  const joined = await joinLiveRun(sim.visitors, others);
  if (joined !== undefined) return joined;
  checkDescriptors(sim);
  if (sim.jsonFile !== undefined) await checkWritable(sim.jsonFile, '--json');
  if (argv['detach'] === true)
    return runDetached(process.argv.slice(2).filter((word) => word !== '--detach'));
  return runHere(sim, place, configNotes(file));
}

/** Adds visitors to the run that is live here, if there is one; gives the exit code then. */
async function joinLiveRun(visitors: number, others: readonly string[]): Promise<number | undefined> {
  const { state } = findHome();
  const status = await askRun(state, { command: 'status' });
  if (status === undefined) return undefined;
  if (others.length > 0) {
    const way = 'a number alone adds visitors to it, stopSim ends it, CROWDBEAT_HOME keeps two apart';
    throw new CrowdbeatError('CB_OPTION', `${status.text}, which ${others.join(', ')} can't change: ${way}`);
  }
  const reply = await askRun(state, { command: 'add', visitors });
  if (reply === undefined) return undefined;
  process.stdout.write(`crowdbeat: ${reply.text}\n`);
  return reply.ok ? exitCodes.ok : exitCodes.error;
}
