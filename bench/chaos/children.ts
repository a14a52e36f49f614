/** Every process that a chaos run starts: none may outlive it, however it ends. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../server/base/clock.ts';
import { CrowdbeatError } from '../../server/base/errors.ts';

const living = new Set<ChildProcess>();

// SIGKILL, as some of them are stopped (SIGSTOP) and would not hear anything else.
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

export function startChild(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(program, args, options);
  living.add(child);
  child.once('exit', () => living.delete(child));
  child.once('error', () => living.delete(child));
  return child;
}

/** The program's own entry: beside this module when compiled, under dist/ when the sources themselves run. */
export function crowdbeatProgram(): string {
  const compiled = ['../../scripts/crowdbeat.js', '../../dist/scripts/crowdbeat.js']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  if (compiled === undefined)
    throw new CrowdbeatError('CB_FILE', 'dist/scripts/crowdbeat.js is not built; run: npm run build');
  return compiled;
}

/** Sends a signal and waits for the end; a child that has ended already is fine. */
export async function endChild(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Tries again every 100 ms until it holds; throws what it waited for after the deadline. */
export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + 30_000;
  while (!(await holds())) {
    if (systemClock.monotonicMs() > deadlineMs)
      throw new CrowdbeatError('CB_WORKER', `chaos: waited 30 s in vain: ${what}`);
    await pause(100);
  }
}
