/** Retention as it is written in an option: `minute=2d,hour=60d,events=30d,month=forever`. */
import { CrowdbeatError } from '../base/errors.ts';
import { parseDurationMs } from '../base/units.ts';
import { defaultRetention, type Retention } from './retention.ts';

type Kind = keyof Retention;

const kinds = Object.keys(defaultRetention) as Kind[];

/** The entries that the text names. Throws CB_OPTION naming the option, the rule and the value. */
export function parseRetention(text: string): Partial<Retention> {
  const parsed: Partial<Record<Kind, number | undefined>> = {};
  for (const entry of text.split(',')) {
    const [name = '', value = '', ...rest] = entry.trim().split('=');
    const kind = kinds.find((one) => one === name);
    if (kind === undefined || rest.length > 0)
      throw refusal(`needs ${kinds.join(', ')}, each with = and a duration`, entry);
    if (kind in parsed) throw refusal(`names ${kind} twice`, text);
    const keptMs = value === 'forever' ? undefined : parseDurationMs(value);
    if (value !== 'forever' && (keptMs === undefined || keptMs <= 0))
      throw refusal(`${kind} needs a duration above 0 such as 2d or 12h, or forever`, value);
    parsed[kind] = keptMs;
  }
  return parsed;
}

function refusal(rule: string, value: string): CrowdbeatError {
  return new CrowdbeatError('CB_OPTION', `--retention: ${rule}, got ${JSON.stringify(value)}`);
}
