/**
 * Makes sure that a Redis program is on this machine: takes the one that is there, installs the
 * distribution's where that can be done without asking anybody, and otherwise says what to type.
 *
 * Debian's and Ubuntu's package starts a system-wide server on port 6379, which nobody asked for. Two
 * guards keep it from that: RUNLEVEL=1 (machines with init scripts don't start services in that level),
 * and, where systemd runs, the new unit is disabled at once. The package was not there before, so this
 * never stops a server that somebody uses.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import {
  type RedisBinary,
  type RedisSearch,
  redisVersionMin,
  searchDirectories,
  searchRedis,
} from './redis-binary.ts';

const run = promisify(execFile);

/** What decides how Redis gets onto a machine. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  /** The text of /etc/os-release; empty if there is none. */
  readonly osRelease: string;
  readonly hasAptGet: boolean;
  readonly isRoot: boolean;
  /** Can become root without a password. */
  readonly canSudo: boolean;
  readonly runsSystemd: boolean;
}

export interface InstallPlan {
  /** What a person would type. */
  readonly advice: string;
  /** What we may run ourselves, in order; empty if a person has to do it. */
  readonly commands: readonly (readonly string[])[];
}

/** How Redis gets onto this machine. Pure. */
export function planInstall(machine: Machine): InstallPlan {
  if (machine.platform === 'darwin') return { advice: 'brew install redis', commands: [] };
  if (!isDebianLike(machine.osRelease) || !machine.hasAptGet) {
    const advice = `install Redis >= ${redisVersionMin} or Valkey and put it on PATH, or set REDIS_URL`;
    return { advice, commands: [] };
  }
  const advice = 'sudo apt-get install redis-server';
  if (!machine.isRoot && !machine.canSudo) return { advice, commands: [] };
  const asRoot = machine.isRoot ? [] : ['sudo', '-n'];
  const apt = [
    ...asRoot,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'RUNLEVEL=1',
    'apt-get',
    '-o',
    'DPkg::Lock::Timeout=120',
  ];
  const commands = [
    [...apt, 'update', '-qq'],
    [...apt, 'install', '-y', '-qq', '--no-install-recommends', 'redis-server'],
  ];
  if (machine.runsSystemd)
    commands.push([...asRoot, 'systemctl', 'disable', '--now', 'redis-server.service']);
  return { advice, commands };
}

function isDebianLike(osRelease: string): boolean {
  const families = [...osRelease.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].map((match) => match[1] ?? '');
  return families.some((family) => /\b(?:debian|ubuntu)\b/.test(family));
}

/**
 * The Redis program to start; installs it if there is none and if that needs no person.
 * Throws CB_REDIS_TOO_OLD or CB_REDIS_MISSING, which name the command to type.
 */
export async function ensureRedisBinary(
  log: (line: string) => void,
  directories = searchDirectories(process.env['PATH']),
): Promise<RedisBinary> {
  const before = await searchRedis(directories);
  if (before.found !== undefined) return before.found;
  const plan = planInstall(await inspectMachine(directories));
  if (plan.commands.length === 0 || before.tooOld.length > 0) return requireFound(before, plan.advice);
  log(`no Redis found: installing it with ${plan.commands[1]?.join(' ')}`);
  const failure = await runAll(plan.commands);
  return requireFound(await searchRedis(directories), plan.advice, failure);
}

/** The Redis program to start. Never installs; throws as `ensureRedisBinary` does. */
export async function findRedisBinary(
  directories = searchDirectories(process.env['PATH']),
): Promise<RedisBinary> {
  const search = await searchRedis(directories);
  if (search.found !== undefined) return search.found;
  return requireFound(search, planInstall(await inspectMachine(directories)).advice);
}

function requireFound(search: RedisSearch, advice: string, failure?: string): RedisBinary {
  if (search.found !== undefined) return search.found;
  const old = search.tooOld[0];
  if (old !== undefined) {
    const rule = `is version ${old.version}, but Redis >= ${redisVersionMin} or Valkey is needed`;
    throw new CrowdbeatError(
      'CB_REDIS_TOO_OLD',
      `${old.path} ${rule}; put a newer one on PATH, or set REDIS_URL`,
    );
  }
  const why = failure === undefined ? '' : ` (installing it failed: ${failure})`;
  throw new CrowdbeatError(
    'CB_REDIS_MISSING',
    `no redis-server or valkey-server found${why}; to get one: ${advice}`,
  );
}

async function inspectMachine(directories: readonly string[]): Promise<Machine> {
  const isRoot = process.getuid?.() === 0;
  return {
    platform: process.platform,
    osRelease: await readFile('/etc/os-release', 'utf8').catch(() => ''),
    hasAptGet: directories.some((directory) => existsSync(join(directory, 'apt-get'))),
    isRoot,
    canSudo: !isRoot && (await succeeds('sudo', ['-n', 'true'])),
    runsSystemd: existsSync('/run/systemd/system'),
  };
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return run(program, [...args], { timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}

/**
 * Runs every command, also after one failed: package lists that could not be refreshed are no reason
 * not to try, and whether a program is there now is what counts. Gives the last line of what failed last.
 */
async function runAll(commands: InstallPlan['commands']): Promise<string | undefined> {
  let failure: string | undefined;
  for (const [program, ...args] of commands) {
    try {
      await run(program ?? '', args, { timeout: 600_000, maxBuffer: 64 << 20 });
    } catch (thrown) {
      failure = messageOf(thrown).trim().split('\n').at(-1);
    }
  }
  return failure;
}
