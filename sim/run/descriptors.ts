/**
 * Are there file descriptors for the crowd's connections? Found out before the first visitor arrives: in the
 * middle of a run it would look like a target that refuses.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { CrowdbeatError } from '../../server/base/errors.ts';
import { formatCount } from '../../server/base/units.ts';

/** How many descriptors a process may have (the soft limit), and has. */
export interface Descriptors {
  readonly limit: number;
  readonly open: number;
}

/**
 * Beside connections: each worker's event loop and channels (5 measured on Node 20 and Linux) and its client
 * logs (16 at once); for all together the audit's questions (16 at once), interval log, result
 * and what Node opens for itself; 131 in all measured with 62 connections and 1,000 logs.
 */
const perWorker = 5 + 16;
const forTheRun = 40;

/** Null where there is no /proc: nothing can be said there. */
export function readDescriptors(): Descriptors | null {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    if (limit === undefined) return null;
    return { limit: Number(limit), open: readdirSync('/proc/self/fd').length };
  } catch {
    // Not Linux, or /proc is not mounted.
    return null;
  }
}

/** Throws CrowdbeatError CB_OPTION naming the need, the limit and what to do. */
export function checkDescriptors(
  sim: { readonly connections: number; readonly workers: number },
  descriptors: Descriptors | null = readDescriptors(),
): void {
  if (descriptors === null) return;
  const { limit, open } = descriptors;
  const beside = open + forTheRun + perWorker * sim.workers;
  if (sim.connections + beside <= limit) return;
  const most = limit - beside;
  const fewer = most >= sim.workers ? `, or use --connections ${most}` : '';
  const need = `${formatCount(sim.connections)} connections and ${formatCount(beside)} others`;
  throw new CrowdbeatError(
    'CB_OPTION',
    `--connections: the run needs file descriptors for ${need}, and the limit of this process is ${formatCount(limit)}; ` +
      `raise it (ulimit -n ${sim.connections + beside})${fewer}`,
  );
}
