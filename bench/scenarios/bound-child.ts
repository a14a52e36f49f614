/** Programs of a trial that must not outlive it, however it ends. */
import { spawn } from 'node:child_process';
import type { Finished } from '../record/child.ts';

/**
 * Put before any program of ours: when the channel to the parent closes, because the parent ended or was killed, it
 * ends. A program that closes the channel itself is done, and keeps its code.
 */
const leashProgram =
  'process.once("disconnect", () => process.exit(process.exitCode ?? 130)); process.channel?.unref();';
// In a data: URL a question mark would begin a query.
const leash = `data:text/javascript,${encodeURIComponent(leashProgram)}`;

/** Runs a Node program to its end; kills it after the deadline. Its errors go to ours. */
export function runBoundChild(
  args: readonly string[],
  deadlineMs: number,
  env: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  const child = spawn(process.execPath, ['--import', leash, ...args], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, ...env },
  });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output: Buffer.concat(chunks).toString() });
    });
  });
}
