/** Times on the wire: epoch milliseconds, or ISO 8601 text that names its offset from UTC. */

/** The last instant that a JavaScript Date can hold, in epoch ms. */
const dateMsMax = 8.64e15;

/**
 * A time without an offset means another instant on each machine, so it is no time here. Seconds and
 * their fraction may be left out; a comma as the decimal mark, week dates and leap seconds are not read.
 */
const isoPattern =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):?(\d{2}))$/;

/** Epoch ms, whole (a fraction is cut off); undefined if the value is no time. */
export function parseEventTime(value: unknown): number | undefined {
  if (typeof value === 'number') return Math.abs(value) <= dateMsMax ? Math.trunc(value) : undefined;
  return typeof value === 'string' ? parseIso(value) : undefined;
}

function parseIso(text: string): number | undefined {
  const match = isoPattern.exec(text);
  if (match === null) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const [hour, minute, second] = [part(4), part(5), part(6)];
  const [offsetHour, offsetMinute] = [part(9), part(10)];
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const dayMs = Date.UTC(part(1), part(2) - 1, part(3));
  // Date.UTC rolls 30 February over into March, and reads the years 0 to 99 as 1900 to 1999.
  if (new Date(dayMs).toISOString().slice(0, 10) !== text.slice(0, 10)) return undefined;
  const fractionMs = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const offsetMs = (offsetHour * 60 + offsetMinute) * 60_000 * (match[8] === '-' ? -1 : 1);
  return dayMs + ((hour * 60 + minute) * 60 + second) * 1000 + fractionMs - offsetMs;
}
