/** Finds a Redis or Valkey server program that is new enough; starts nothing. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The floor: the commit script relies on what 7.0 brought (function-free scripts with declared keys, AOF in parts). */
export const redisVersionMin = '7.0';

const programNames = ['redis-server', 'valkey-server'] as const;

/** Where servers lie that are installed but not on PATH: Debian's daemons, hand builds, Homebrew. */
const usualDirectories = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

export interface RedisBinary {
  readonly path: string;
  /** `7.0.15` */
  readonly version: string;
}

export interface RedisSearch {
  /** The first one that is new enough. */
  readonly found?: RedisBinary;
  /** Servers that run but are older than 7.0. */
  readonly tooOld: readonly RedisBinary[];
}

/** The directories of a PATH variable, then the usual ones; relative entries are left out. */
export function searchDirectories(pathVariable: string | undefined): readonly string[] {
  const onPath = (pathVariable ?? '').split(delimiter).filter((directory) => isAbsolute(directory));
  return [...new Set([...onPath, ...usualDirectories])];
}

/** `Redis server v=7.0.15 sha=…` or `Valkey server v=8.0.1 …` to `7.0.15`; undefined if it is something else. */
export function parseServerVersion(output: string): string | undefined {
  return /\bserver v=(\d+\.\d+\.\d+)\b/i.exec(output)?.[1];
}

/** Is a version such as `7.0.15` at least 7.0? */
export function isNewEnough(version: string): boolean {
  return Number(version.split('.')[0]) >= Number(redisVersionMin.split('.')[0]);
}

/** Looks through the directories, in order; in each for redis-server, then valkey-server. */
export async function searchRedis(
  directories = searchDirectories(process.env['PATH']),
): Promise<RedisSearch> {
  const tooOld: RedisBinary[] = [];
  for (const directory of directories) {
    for (const name of programNames) {
      const binary = await readBinary(join(directory, name));
      if (binary === undefined) continue;
      if (isNewEnough(binary.version)) return { found: binary, tooOld };
      tooOld.push(binary);
    }
  }
  return { tooOld };
}

async function readBinary(path: string): Promise<RedisBinary | undefined> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ['--version'], { timeout: 5000 });
    const version = parseServerVersion(stdout);
    return version === undefined ? undefined : { path, version };
  } catch {
    // Not there, not ours to run, or no program for this machine: it is no candidate, the search goes on.
    return undefined;
  }
}
