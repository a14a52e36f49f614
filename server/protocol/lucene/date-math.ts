/**
 * Solr's date math: a start, then any number of steps, from left to right, all in UTC.
 *
 *   NOW-1DAY/HOUR   2026-11-21T00:00:00Z+6MONTHS+3DAYS   NOW/DAY
 *
 * `+` and `-` take a whole number and a unit, `/` rounds down to a unit. Adding months or years to a day
 * that the target month lacks gives its last day: 31 January + 1 MONTH is 28 or 29 February, as in Solr.
 */
import { instantMsMax, parseInstant } from './instant.ts';

const fixedMs = { DAY: 86_400_000, HOUR: 3_600_000, MINUTE: 60_000, SECOND: 1000, MILLI: 1 } as const;

export type DateUnit = 'YEAR' | 'MONTH' | keyof typeof fixedMs;

const units: ReadonlyMap<string, DateUnit> = new Map([
  ...(['YEAR', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND', 'MILLI'] as const).flatMap(
    (unit): [string, DateUnit][] => [
      [unit, unit],
      [`${unit}S`, unit],
    ],
  ),
  ['DATE', 'DAY'],
  ['MILLISECOND', 'MILLI'],
  ['MILLISECONDS', 'MILLI'],
]);

export type DateStep =
  | { readonly kind: 'add'; readonly amount: number; readonly unit: DateUnit }
  | { readonly kind: 'round'; readonly unit: DateUnit };

const stepPattern = /([+-])(\d{1,9})([A-Z]+)|\/([A-Z]+)/y;

/** Steps such as `+1HOUR/DAY`; undefined if it is not wholly made of steps, or has none. */
export function parseSteps(text: string): readonly DateStep[] | undefined {
  const steps: DateStep[] = [];
  let at = 0;
  while (at < text.length) {
    stepPattern.lastIndex = at;
    const match = stepPattern.exec(text);
    const unit = units.get(match?.[3] ?? match?.[4] ?? '');
    if (match === null || unit === undefined) return undefined;
    const amount = Number(match[2]) * (match[1] === '-' ? -1 : 1);
    steps.push(match[4] === undefined ? { kind: 'add', amount, unit } : { kind: 'round', unit });
    at = stepPattern.lastIndex;
  }
  return steps.length === 0 ? undefined : steps;
}

/** Epoch ms after the steps; undefined once it leaves what a Date can hold. */
export function applySteps(startMs: number, steps: readonly DateStep[]): number | undefined {
  let timeMs = startMs;
  for (const step of steps) {
    timeMs = step.kind === 'add' ? add(timeMs, step.amount, step.unit) : roundDown(timeMs, step.unit);
    if (!(Math.abs(timeMs) <= instantMsMax)) return undefined;
  }
  return timeMs;
}

function add(timeMs: number, amount: number, unit: DateUnit): number {
  if (unit !== 'YEAR' && unit !== 'MONTH') return timeMs + amount * fixedMs[unit];
  const date = new Date(timeMs);
  const months = date.getUTCMonth() + amount * (unit === 'YEAR' ? 12 : 1);
  const firstMs = utcMs(date.getUTCFullYear(), months, 1);
  const lastDay = new Date(utcMs(date.getUTCFullYear(), months + 1, 0)).getUTCDate();
  const day = Math.min(date.getUTCDate(), lastDay);
  return firstMs + (day - 1) * fixedMs.DAY + (timeMs - roundDown(timeMs, 'DAY'));
}

function roundDown(timeMs: number, unit: DateUnit): number {
  const date = new Date(timeMs);
  if (unit === 'YEAR') return utcMs(date.getUTCFullYear(), 0, 1);
  if (unit === 'MONTH') return utcMs(date.getUTCFullYear(), date.getUTCMonth(), 1);
  return Math.floor(timeMs / fixedMs[unit]) * fixedMs[unit];
}

/** Date.UTC without its reading of the years 0 to 99 as 1900 to 1999. */
function utcMs(year: number, month: number, day: number): number {
  const date = new Date(0);
  return date.setUTCFullYear(year, month, day);
}

/**
 * The instant of `NOW`, or of a date, with steps behind it or none; epoch ms. Undefined if the text is
 * neither; a string, the reason, if it begins as one and goes wrong after that.
 * @param nowMs undefined where nobody can say what NOW is
 */
export function readDateMath(text: string, nowMs: number | undefined): number | string | undefined {
  const plain = parseInstant(text);
  if (plain !== undefined) return plain;
  const isNow = text.startsWith('NOW');
  const split = isNow ? 3 : mathStart(text);
  const rest = text.slice(split);
  if (rest !== '' && !/^[+\-/]/.test(rest)) return undefined;
  const startMs = isNow ? nowMs : parseInstant(text.slice(0, split));
  if (startMs === undefined) return isNow ? 'NOW has no meaning here' : undefined;
  if (rest === '') return startMs;
  const steps = parseSteps(rest);
  if (steps === undefined) return stepsRule(rest);
  return applySteps(startMs, steps) ?? `${text} is no time that a date can hold`;
}

/** `Z` ends the date that steps may follow; a date written with an offset takes none. */
function mathStart(text: string): number {
  const zulu = text.indexOf('Z');
  return zulu === -1 ? text.length : zulu + 1;
}

export function stepsRule(got: string): string {
  return `date math is made of steps such as -5MINUTES, +1DAY or /HOUR, got "${got.slice(0, 40)}"`;
}
