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
  type SimOptions,
  simOptionNames,
} from '../sim/run/index.ts';
import { nonEmpty, readFsync } from './cli-serve.ts';
import { runDetached } from './cli-sim-detach.ts';
import { type RunPlace, runHere } from './cli-sim-run.ts';
import { askRun } from './control-socket.ts';
import { findHome } from './home.ts';

const descriptions: Readonly<Record<string, string>> = {
  duration: 'how long, such as 60s or 10m; forever = until stopped (default 60s)',
  seed: 'same seed = same crowd, on any number of workers (default 1)',
  heartbeat: 'time between two heartbeats of a visitor, or none (default 5s)',
  crowd: 'shop, boutique, news, app, or a file with a crowd of your own (default shop; docs/crowd.md)',
  arrivals: 'so many visitors a second, such as 50/s or uniform:50/s, instead of a number who are present',
  stages: 'how many are present at the end of each stage, such as 1m:1000,5m:5000,1m:0',
  curve: 'day or week: present visitors, or arrivals, come and go with the hours; day:3,10m',
  spike: 'so many times the crowd for a while, such as at=2m,x=5,for=10s',
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
  session: 'session store that heartbeats go to, such as stash; none: they are events (default none)',
  'await-timeouts': 'wait at the end, so long at most, until a flusher has written that everybody left',
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
    .option('warm', {
      type: 'boolean',
      describe: 'start from the steady state: all visitors are there, each in the midst of a visit',
    })
    .option('slo', {
      type: 'string',
      describe: "objectives; exit 21 if one is missed: 'view.p99<50ms,error<0.1%,freshness.p99<1s'",
    })
    .option('ledger-file', {
      type: 'boolean',
      describe: 'save what the audit knows, for crowdbeat audit (--no-ledger-file: do not)',
    })
    .option('strict', { type: 'boolean', describe: 'exit 30 if the measurement is invalid' })
    .option('client-headers', {
      type: 'boolean',
      describe: 'send each visitor’s address as X-Forwarded-For (default: to our own collector only)',
    })
    .option('username', {
      alias: 'user',
      type: 'string',
      describe: 'user or account/user to log in as; its password: CROWDBEAT_PASSWORD or --password-file',
    })
    .option('password-file', { type: 'string', describe: 'file whose first line is the password' })
    .option('key', { type: 'string', describe: 'publish key that writes carry; it opens nothing else' })
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
    // The parser quotes what it stumbled over, and that may be a password.
    const place = /at position \d+/.exec(messageOf(error))?.[0];
    const rule = place === undefined ? 'is no JSON' : `is no JSON, ${place}`;
    throw new CrowdbeatError('CB_OPTION', `config file ${path}: ${rule}`);
  }
  throw new CrowdbeatError('CB_OPTION', `config file ${path}: needs a JSON object`);
}

/** A preset stays its name; anything else is a file. */
async function readCrowdFile(crowd: unknown): Promise<unknown> {
  return typeof crowd === 'string' && crowd.endsWith('.json') ? readConfigFile(crowd) : crowd;
}

/** What has no effect is said, not swallowed. */
function notesOn({ target, access }: SimOptions): string[] {
  const isUsed = target !== undefined || (access.username === undefined && access.key === undefined);
  return isUsed ? [] : ['our own collector is open: nobody logs in, and no key is sent'];
}

/** From --password-file or CROWDBEAT_PASSWORD. Undefined: from the config file, if anywhere. */
export async function findPassword(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return nonEmpty(process.env['CROWDBEAT_PASSWORD']);
  try {
    return (await readFile(path, 'utf8')).split('\n', 1)[0]?.replace(/\r$/, '') ?? '';
  } catch (error) {
    throw new CrowdbeatError('CB_FILE', `--password-file ${path}: can't be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Our own collector is open and would take no login. */
const withoutAccess = (sim: SimOptions): SimOptions => ({ ...sim, access: {} });

export async function simCommand(argv: Readonly<Record<string, unknown>>): Promise<number> {
  const { config, visitors } = splitPositionals((argv['args'] as string[] | undefined) ?? []);
  const file = config === undefined ? {} : await readConfigFile(config);
  const flags: Record<string, unknown> = { visitors };
  for (const name of simOptionNames) if (name !== 'visitors') flags[name] = argv[name];
  const password = await findPassword(argv['password-file'] as string | undefined);
  const access = { username: argv['username'], key: argv['key'] };
  flags['crowd'] = await readCrowdFile(flags['crowd']);
  const asked = resolveSimOptions({ ...flags, ...access, password }, file, config);
  const sim = asked.target === undefined ? withoutAccess(asked) : asked;
  const place: RunPlace = {
    redisUrl: argv['redis'] as string | undefined,
    redisFsync: readFsync(argv['redis-fsync'] as string | undefined),
  };
  const typed = { ...flags, ...access };
  const others = Object.entries(typed).flatMap(([name, value]) =>
    name !== 'visitors' && value !== undefined ? [name] : [],
  );
  if (config !== undefined) others.push(config);
  const joined = await joinLiveRun(sim.visitors, others);
  if (joined !== undefined) return joined;
  checkDescriptors(sim);
  if (sim.jsonFile !== undefined) await checkWritable(sim.jsonFile, '--json');
  if (argv['detach'] === true)
    return runDetached(process.argv.slice(2).filter((word) => word !== '--detach'));
  return runHere(sim, place, notesOn(asked));
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
