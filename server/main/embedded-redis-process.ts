/** One Redis server process, our child or adopted: whether it lives, how it ends, what its log said last. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import { identifyProcess, type ProcessMark } from './embedded-redis-identity.ts';
import { isOurServer } from './embedded-redis-owner.ts';
import type { RedisAddress } from './embedded-redis-wire.ts';
import type { RedisBinary } from './redis-binary.ts';

export type FsyncPolicy = 'everysec' | 'always' | 'no';

export interface ServerProcess extends ProcessMark {
  isAlive(): boolean;
  /** Settles when the process is gone, with how it ended: `signal SIGKILL`. */
  readonly ended: Promise<string>;
  /** Sends a signal; does nothing if the process is gone. Synchronous. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

/** How long a server may take to save and go before it is killed. */
const stopDeadlineMs = 10_000;

const pollIntervalMs = 50;

export function logPath(dataDir: string): string {
  return join(dataDir, 'redis.log');
}

/**
 * Starts a server in a process group of its own: a Ctrl-C in the terminal must not end it before its
 * parent has drained. Output goes to redis.log (the previous one is kept as redis.log.old).
 */
export async function spawnServer(
  binary: RedisBinary,
  settings: { readonly dataDir: string; readonly address: RedisAddress; readonly fsync: FsyncPolicy },
): Promise<ServerProcess> {
  const log = logPath(settings.dataDir);
  try {
    renameSync(log, `${log}.old`);
  } catch {
    // The first start: no log yet.
  }
  const output = openSync(log, 'a', 0o600);
  try {
    const stdio = ['ignore', output, output] as const;
    const child = spawn(binary.path, serverArguments(settings), { detached: true, stdio: [...stdio] });
    await once(child, 'spawn');
    child.unref();
    return watchChild(child);
  } catch (thrown) {
    throw new CrowdbeatError('CB_REDIS_START', `${binary.path} could not be run: ${messageOf(thrown)}`);
  } finally {
    closeSync(output);
  }
}

function serverArguments(settings: Parameters<typeof spawnServer>[1]): string[] {
  const { address } = settings;
  const listening =
    'path' in address
      ? ['--port', '0', '--unixsocket', address.path, '--unixsocketperm', '700']
      : ['--bind', address.host, '--port', String(address.port)];
  const persistence = ['--appendonly', 'yes', '--appendfsync', settings.fsync, '--save', ''];
  const place = ['--dir', settings.dataDir, '--logfile', '', '--daemonize', 'no'];
  return [
    ...listening,
    ...persistence,
    ...place,
    '--protected-mode',
    'yes',
    '--maxmemory-policy',
    'noeviction',
  ];
}

function watchChild(child: ChildProcess): ServerProcess {
  const pid = child.pid ?? 0;
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const ended = new Promise<string>((resolve) => {
    child.on('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  const startTime = identifyProcess(pid)?.startTime ?? 'unknown';
  // An unreaped child keeps its process id, so that as long as it runs for us the id is surely its own.
  return {
    pid,
    startTime,
    isAlive: isRunning,
    ended,
    signal: (name) => void (isRunning() && sendSignal(pid, name)),
  };
}

/** Watches a server that an earlier, killed crowdbeat has started: it is no child of ours, so it is polled. */
export function watchAdopted(mark: ProcessMark): ServerProcess {
  const ended = new Promise<string>((resolve) => {
    const timer = setInterval(() => {
      if (isOurServer(mark)) return;
      clearInterval(timer);
      resolve('cause unknown');
    }, pollIntervalMs * 4);
    timer.unref();
  });
  const signal: ServerProcess['signal'] = (name) => void (isOurServer(mark) && sendSignal(mark.pid, name));
  return { pid: mark.pid, startTime: mark.startTime, isAlive: () => isOurServer(mark), ended, signal };
}

/** SIGTERM to the server alone, which ends its own helpers; SIGKILL to its group, so that a rewriting fork goes too. */
function sendSignal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(name === 'SIGKILL' ? -pid : pid, name);
  } catch {
    // It ended between the look and the signal, which is what was wanted.
  }
}

/** Ends a server: SIGTERM (Redis writes its append-only file out), after ten seconds SIGKILL. */
export async function endServer(server: ServerProcess, clock: Clock): Promise<void> {
  server.signal('SIGTERM');
  const isGone = (): boolean => !server.isAlive();
  if (await pollUntil(isGone, clock, stopDeadlineMs)) return;
  server.signal('SIGKILL');
  if (await pollUntil(isGone, clock, stopDeadlineMs)) return;
  throw new CrowdbeatError(
    'CB_REDIS_START',
    `Redis process ${server.pid} does not end, not even after SIGKILL`,
  );
}

/** Looks again and again until something holds; false if it doesn't in time. */
export async function pollUntil(holds: () => boolean, clock: Clock, deadlineMs: number): Promise<boolean> {
  const endMs = clock.monotonicMs() + deadlineMs;
  while (!holds()) {
    if (clock.monotonicMs() > endMs) return false;
    await pause(pollIntervalMs);
  }
  return true;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The last line the server wrote, which says why if it gave up; without process id and date. */
export function lastLogLine(dataDir: string): string {
  try {
    const lines = readFileSync(logPath(dataDir), 'utf8').trim().split('\n');
    const line = lines.at(-1)?.trim() || 'its log is empty';
    return line.replace(/^\d+:\w \d+ \w+ \d+ [\d:.]+ \S /, '');
  } catch (thrown) {
    return `no log: ${messageOf(thrown)}`;
  }
}
