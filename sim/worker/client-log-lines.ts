/** The words of the per-client logs: fixed columns, so that many files tailed together can be read. */
import { formatDuration, formatLatencyMs } from '../../server/base/units.ts';
import type { Visitor } from '../crowd/visitor.ts';

const column = (text: string, width: number): string =>
  text.length < width ? text.padEnd(width) : `${text} `;

/** `view         /products/17             200  1.84 ms`; a second attempt is marked `(try 2)`. */
export function actLine(
  type: string,
  path: string,
  status: string,
  latencyMs: number,
  attempt: number,
): string {
  const again = attempt > 1 ? `  (try ${attempt})` : '';
  return `${column(type, 13)}${column(path, 25)}${column(status, 4)} ${formatLatencyMs(Math.max(0, latencyMs))}${again}`;
}

export function arrivalLine({ person, source, campaign }: Visitor): string {
  const who = person.returning ? 'returns' : 'arrives';
  const from =
    source === undefined ? 'directly' : `from ${source}${campaign === undefined ? '' : ` / ${campaign}`}`;
  const { name, browser, countryCode } = person.profile;
  return `${column(who, 13)}${from}: ${name} (${browser}, ${countryCode}), visitor ${person.visitorId}`;
}

export function departureLine(stayMs: number): string {
  return `${column('leaves', 13)}after ${formatDuration(Math.max(0, stayMs))}`;
}
