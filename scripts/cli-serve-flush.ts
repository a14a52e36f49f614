/** `crowdbeat serve --flush`: the flusher inside the collector. */
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import { parseDurationMs } from '../server/base/units.ts';
import type { FlushOptions } from '../server/main/session-flusher.ts';

export interface FlushArguments {
  readonly flush?: boolean | undefined;
  readonly flushTimeout?: string | undefined;
}

const timeoutDefault = '25s';
const timeoutMsMax = 86_400_000;

export const flushOptions = <T>(yargs: Argv<T>) =>
  yargs
    .option('flush', {
      type: 'boolean',
      describe: 'write a sessionTimeout event for each session of a session store that falls silent',
    })
    .option('flush-timeout', {
      type: 'string',
      describe: `for how long it must be silent, 3 to 5 heartbeats (default ${timeoutDefault}); needs --flush`,
    });

/** Undefined: nothing is flushed. Throws CB_OPTION naming the option, the rule and the value. */
export function resolveFlush({ flush, flushTimeout }: FlushArguments): FlushOptions | undefined {
  if (flush !== true && flushTimeout !== undefined)
    throw new CrowdbeatError('CB_OPTION', '--flush-timeout: needs --flush');
  if (flush !== true) return undefined;
  const timeoutMs = parseDurationMs(flushTimeout ?? timeoutDefault);
  if (timeoutMs === undefined || timeoutMs < 100 || timeoutMs > timeoutMsMax) {
    const rule = 'needs a duration from 100ms to 1d, such as 25s';
    throw new CrowdbeatError('CB_OPTION', `--flush-timeout: ${rule}, got ${JSON.stringify(flushTimeout)}`);
  }
  // A departure is noticed within a fifth of the time that it takes to be one.
  return { timeoutMs, pollMs: Math.min(3000, Math.max(100, timeoutMs / 5)) };
}
