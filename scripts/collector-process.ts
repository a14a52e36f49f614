/**
 * A collector as a child process of our own, `crowdbeat serve`, on any free port. It is in a process group
 * of its own, so that Ctrl-C reaches only us and the crowd can leave before its collector does; when our
 * process ends for whatever reason the channel between us closes, and the child drains and ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { CrowdbeatError } from '../server/base/errors.ts';
import { packageRoot } from './home.ts';

export interface CollectorProcess {
  readonly url: URL;
  readonly pid: number;
  /** Drains and ends it; resolves when it is gone. */
  stop(): Promise<void>;
}

/** What `serve` tells its parent once it listens. */
export interface ServeReady {
  readonly listening: string;
}

const stopDeadlineMs = 20_000;

/**
 * One process of the collector is full at about 20,000 events a second. Below that one is better than two: its commits
 * hold twice as many events, and on a small machine the others need the cores.
 */
const eventsPerWorker = 16_000;

/** How many processes a collector of our own needs for this rate, of the cores that there are. */
export function collectorWorkersFor(eventsPerSecond: number, cores: number): number {
  return Math.max(1, Math.min(cores, Math.ceil(eventsPerSecond / eventsPerWorker)));
}

/** @param further options of `serve` */
export async function startCollectorProcess(
  redisUrl: string,
  onEnded: (how: string) => void,
  workers = 1,
  further: readonly string[] = [],
): Promise<CollectorProcess> {
  const entry = join(packageRoot(), 'dist', 'scripts', 'crowdbeat.js');
  const own = ['--port', '0', '--open', '--redis', redisUrl, '--workers', String(workers), '--quiet'];
  const options = [...own, ...further];
  const child = spawn(process.execPath, [entry, 'serve', ...options], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    detached: true,
  });
  let stopping = false;
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `with code ${code}` : `by ${signal}`));
    child.once('error', (error) => resolve(error.message));
  });
  const url = await listening(child, exited);
  void exited.then((how) => {
    if (!stopping) onEnded(`the collector (process ${child.pid}) ended unexpectedly, ${how}`);
  });
  const stop = async (): Promise<void> => {
    stopping = true;
    child.kill('SIGTERM');
    const deadline = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    await exited;
    clearTimeout(deadline);
  };
  return { url, pid: child.pid ?? 0, stop };
}

async function listening(child: ChildProcess, exited: Promise<string>): Promise<URL> {
  const ready = new Promise<ServeReady>((resolve) => {
    child.once('message', (message) => resolve(message as ServeReady));
  });
  const first = await Promise.race([ready, exited]);
  if (typeof first === 'string') {
    throw new CrowdbeatError(
      'CB_COLLECTOR_START',
      `the collector did not start, it ended ${first}; its words are above`,
    );
  }
  return new URL(first.listening);
}
