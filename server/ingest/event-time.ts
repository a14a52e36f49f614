/** Times on the wire: epoch milliseconds, or ISO 8601 text that names its offset from UTC. */
import { instantMsMax, parseInstant } from '../protocol/lucene/instant.ts';

/**
 * Epoch ms, whole (a fraction is cut off); undefined if the value is no time. A time without an offset means
 * another instant on each machine, and a bare day none at all, so they are no times here. Seconds and their
 * fraction may be left out; a comma as the decimal mark, week dates and leap seconds are not read.
 */
export function parseEventTime(value: unknown): number | undefined {
  if (typeof value === 'number') return Math.abs(value) <= instantMsMax ? Math.trunc(value) : undefined;
  return typeof value === 'string' && value[10] === 'T' ? parseInstant(value) : undefined;
}
