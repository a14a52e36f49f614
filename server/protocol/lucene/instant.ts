/** Dates as text: `2026-11-21`, or ISO 8601 with its offset from UTC. The rules of event times, and bare days. */

const isoPattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):?(\d{2})))?$/;

/** `2026-11-21T17:00`, which names another instant on each machine. */
const withoutOffset = /^\d{4}-\d{2}-\d{2}T[\d:.]+$/;

/** The last instant that a JavaScript Date can hold, in epoch ms. */
export const instantMsMax = 8.64e15;

/**
 * Epoch ms, a fraction cut off; a day is its first instant in UTC. Undefined if the text has another form,
 * or names a day or time that there is not.
 */
export function parseInstant(text: string): number | undefined {
  // Most texts are no dates, and this is asked of every value of a document: look before matching.
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d) return undefined;
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

/** Why a text that was surely meant as a date is none; undefined if it is one, or was never meant so. */
export function dateFault(text: string): string | undefined {
  if (withoutOffset.test(text)) return `a date and time needs its offset: ${text}Z`;
  if (isoPattern.test(text) && parseInstant(text) === undefined) return `there is no such date: ${text}`;
  return undefined;
}
