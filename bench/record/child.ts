/** Child processes of a bench: every program that is measured or measured against runs in one of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { CrowdbeatError } from '../../server/base/errors.ts';

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a Node program to its end and gives what it printed. Ends it after the deadline. */
export async function runNode(
  args: readonly string[],
  deadlineMs: number,
  env: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return { code, output: Buffer.concat(chunks).toString() };
}

export interface Server {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts a Node program that prints `listening <port>`, or as `crowdbeat serve` does an address with a port,
 * once it does. When this process ends, its channel to the child closes, and the child ends too.
 */
export async function startServer(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Server> {
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, ...env },
  });
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout as Readable }).on('line', (line) => {
      const match = /listening (?:on http:\/\/[^/;]*:)?(\d+)/.exec(line);
      if (match !== null) resolve(Number(match[1]));
    });
    child.once('exit', (code) =>
      reject(new CrowdbeatError('CB_COLLECTOR_START', `${args[0]} ended with code ${code}`)),
    );
  });
  return { port, pid: child.pid ?? 0, stop: () => stopChild(child) };
}

const stopDeadlineMs = 20_000;

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  // A child that listens for the end of its channel lives as long as the channel does.
  if (child.connected) child.disconnect();
  // A server too busy to hear its signals must not hold up the bench for ever.
  const deadline = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
  await gone;
  clearTimeout(deadline);
}

/** User and system CPU of a live process in microseconds, from /proc; undefined where there is none. */
export function cpuUsOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields 14 and 15 (utime, stime), in clock ticks of 1/100 s; counted after the name's closing parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    // No /proc on this system, or the process is gone.
    return undefined;
  }
}

/** The first child of a process whose program name matches; undefined where there is none, or no /proc. */
export function childOf(parent: number, name: RegExp): number | undefined {
  for (const entry of listProcesses()) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const close = stat.lastIndexOf(')');
      const [, parentPid] = stat.slice(close + 2).split(' ');
      if (Number(parentPid) === parent && name.test(stat.slice(stat.indexOf('(') + 1, close))) return entry;
    } catch {
      // The process ended between the listing and the reading.
    }
  }
  return undefined;
}

function listProcesses(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    // No /proc on this system.
    return [];
  }
}
