/** The options of `serve` about time: how far an event's own may be from its receipt, and when segments are sealed. */
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import { parseDurationMs } from '../server/base/units.ts';
import type { TimeLimits } from '../server/ingest/enrich.ts';

export interface TimesArguments {
  readonly eventAge?: string | undefined;
  readonly eventAhead?: string | undefined;
  readonly sealDelay?: string | undefined;
  readonly sealBacklog?: string | undefined;
}

/** A hundred years: beyond that a clock is wrong. */
const limitMsMax = 36_525 * 86_400_000;

export const timesOptions = <T>(yargs: Argv<T>) =>
  yargs
    .option('event-age', {
      type: 'string',
      describe: 'how far back the time of an event may lie, to fill in history: 400d (default 7d)',
    })
    .option('event-ahead', {
      type: 'string',
      describe: 'how far ahead the time of an event may lie (default 5m)',
    })
    .option('seal-delay', {
      type: 'string',
      describe: 'how long a full segment of 65,536 events stays unsealed: 0s, 10m, or off (default 0s)',
    })
    .option('seal-backlog', {
      type: 'string',
      describe: 'full segments of a property that may stay unsealed while the collector is busy (default 16)',
    });

/** What differs from the defaults. Throws CrowdbeatError CB_OPTION naming the option, the rule and the value. */
export function resolveTimes({ eventAge, eventAhead }: TimesArguments): Partial<TimeLimits> {
  return {
    ...(eventAge === undefined ? {} : { ageMs: readLimit('--event-age', eventAge) }),
    ...(eventAhead === undefined ? {} : { aheadMs: readLimit('--event-ahead', eventAhead) }),
  };
}

/** Milliseconds, or `off`. Throws CrowdbeatError CB_OPTION naming the option, the rule and the value. */
export function resolveSealDelay({ sealDelay }: TimesArguments): number | 'off' {
  if (sealDelay === undefined) return 0;
  if (sealDelay === 'off') return 'off';
  const ms = parseDurationMs(sealDelay);
  if (ms !== undefined && ms <= limitMsMax) return ms;
  const rule = 'needs a duration such as 10m, at most 36525d, or off';
  throw new CrowdbeatError('CB_OPTION', `--seal-delay: ${rule}, got ${JSON.stringify(sealDelay)}`);
}

function readLimit(name: string, text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms <= limitMsMax) return Math.floor(ms);
  const rule = 'needs a duration such as 5m or 400d, at most 36525d';
  throw new CrowdbeatError('CB_OPTION', `${name}: ${rule}, got ${JSON.stringify(text)}`);
}
