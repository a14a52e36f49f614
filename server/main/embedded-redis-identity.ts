/**
 * Which process is this? A process id alone proves nothing: the system gives it away again. Id, start
 * time and boot together name one process for good, so that nothing is ever ended by mistake.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** A process, as remembered in a file. */
export interface ProcessMark {
  readonly pid: number;
  /** Opaque; equal only for the same process. On Linux `TICKS@BOOT_ID`, elsewhere the date `ps` tells. */
  readonly startTime: string;
}

export interface ProcessIdentity extends ProcessMark {
  /** The program's file name, at most 15 characters on Linux: `redis-server`. */
  readonly command: string;
}

/** The living process with this id; undefined if there is none, or only a zombie. Synchronous: exit handlers use it. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  return process.platform === 'linux' ? identifyFromProc(pid) : identifyFromPs(pid);
}

/** Does the process that was remembered still live? */
export function isAlive(mark: ProcessMark): boolean {
  return identifyProcess(mark.pid)?.startTime === mark.startTime;
}

/** This process. */
export function ownMark(): ProcessMark {
  const identity = identifyProcess(process.pid);
  return { pid: process.pid, startTime: identity?.startTime ?? 'unknown' };
}

/** Reads /proc/PID/stat: field 2 is the name in parentheses (which may hold any character), 3 the state, 22 the start. */
export function identifyFromProc(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const nameEnd = stat.lastIndexOf(')');
    const fields = stat.slice(nameEnd + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    if (ticks === undefined || state === 'Z' || state === 'X') return undefined;
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return { pid, startTime: `${ticks}@${bootId}`, command: stat.slice(stat.indexOf('(') + 1, nameEnd) };
  } catch {
    // No such file: no such process.
    return undefined;
  }
}

/** The same through `ps`, for systems without /proc. Start times are whole seconds there. */
export function identifyFromPs(pid: number): ProcessIdentity | undefined {
  try {
    const columns = ['-o', 'lstart=', '-o', 'state=', '-o', 'comm=', '-p', String(pid)];
    const output = execFileSync('ps', columns, {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const match = /^(\w+ +\w+ +\d+ +[\d:]+ +\d+) +(\S+) +(.+)$/.exec(output.trim());
    const [, startTime, state, command] = match ?? [];
    if (startTime === undefined || command === undefined || state?.startsWith('Z')) return undefined;
    return { pid, startTime, command: basename(command) };
  } catch {
    // `ps` ends with 1 if there is no such process.
    return undefined;
  }
}
