/**
 * Keeps two processes from starting a server in one data directory at the same moment. The lock is a
 * file that names its holder; it is held while starting, not while running (owner.json says who runs).
 *
 * Locks of dead holders are removed. Two processes may see the same dead lock, and the slower one must
 * not remove the lock that the faster one has taken since. So whoever removes a dead lock first creates
 * `start.lock.breaking`, alone, and then looks again.
 */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CrowdbeatError, systemCodeOf } from '../base/errors.ts';
import { isAlive, ownMark, type ProcessMark } from './embedded-redis-identity.ts';

export interface StartLock {
  release(): void;
}

/** Takes the lock or throws CB_REDIS_START: whoever waits here would be refused afterwards anyway. */
export function takeStartLock(dataDir: string): StartLock {
  const path = join(dataDir, 'start.lock');
  const mark = ownMark();
  for (let attempt = 0; attempt < 3; attempt++) {
    if (createWhole(path, JSON.stringify(mark))) return { release: () => rmSync(path, { force: true }) };
    const holder = readLock(path);
    if (holder === undefined) continue;
    if (holder !== 'garbled' && isAlive(holder)) throw inUse(dataDir, holder.pid);
    breakDeadLock(path, holder);
  }
  throw new CrowdbeatError('CB_REDIS_START', `${path} stays locked; remove it if no crowdbeat is starting`);
}

/** The one wording for "somebody else has this directory". */
export function inUse(dataDir: string, pid: number): CrowdbeatError {
  const way = 'stop it or choose another --data-dir';
  return new CrowdbeatError('CB_REDIS_START', `${dataDir} is in use by process ${pid}; ${way}`);
}

/** Creates a file with its content in one step, so that nobody reads half a lock. False if it exists. */
function createWhole(path: string, content: string): boolean {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content);
  try {
    linkSync(draft, path);
    return true;
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'EEXIST') throw thrown;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Undefined: released meanwhile. */
function readLock(path: string): ProcessMark | 'garbled' | undefined {
  try {
    return parseMark(JSON.parse(readFileSync(path, 'utf8'))) ?? 'garbled';
  } catch (thrown) {
    return systemCodeOf(thrown) === 'ENOENT' ? undefined : 'garbled';
  }
}

/** A process mark out of a file, or undefined if it is none. */
export function parseMark(value: unknown): ProcessMark | undefined {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startTime' in value))
    return undefined;
  const { pid, startTime } = value;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1 || typeof startTime !== 'string')
    return undefined;
  return { pid, startTime };
}

function breakDeadLock(path: string, dead: ProcessMark | 'garbled'): void {
  const breaking = `${path}.breaking`;
  if (!createWhole(breaking, '')) {
    // Another process breaks it right now, or died in the few microseconds this takes.
    throw new CrowdbeatError('CB_REDIS_START', `${breaking} exists; remove it if no crowdbeat is starting`);
  }
  try {
    if (JSON.stringify(readLock(path)) === JSON.stringify(dead)) rmSync(path, { force: true });
  } finally {
    rmSync(breaking, { force: true });
  }
}
