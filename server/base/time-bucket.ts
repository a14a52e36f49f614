/**
 * Time buckets, as Aktivat writes them: UTC, zero-padded, one of five granularities.
 *
 *   minute 2026-11-21-17-05 · hour 2026-11-21-17 · day 2026-11-21 · month 2026-11 · year 2026
 */
export const granularities = ['minute', 'hour', 'day', 'month', 'year'] as const;

export type Granularity = (typeof granularities)[number];

export interface TimeBucket {
  readonly granularity: Granularity;
  readonly name: string;
  /** Epoch ms, inclusive. */
  readonly startMs: number;
  /** Epoch ms, exclusive. */
  readonly endMs: number;
}

const nameLength: Record<Granularity, number> = { minute: 16, hour: 13, day: 10, month: 7, year: 4 };

const digits = (value: number, width: number): string => String(value).padStart(width, '0');

/** The minute's name; the names of the other four granularities are prefixes of it. */
export function minuteName(timeMs: number): string {
  const date = new Date(timeMs);
  const day = `${digits(date.getUTCFullYear(), 4)}-${digits(date.getUTCMonth() + 1, 2)}-${digits(date.getUTCDate(), 2)}`;
  return `${day}-${digits(date.getUTCHours(), 2)}-${digits(date.getUTCMinutes(), 2)}`;
}

/** The name of the bucket of one granularity that holds an instant. */
export function bucketName(timeMs: number, granularity: Granularity): string {
  return minuteName(timeMs).slice(0, nameLength[granularity]);
}

/** `2026-11-21`, the UTC day of an instant. */
export function dayName(timeMs: number): string {
  return bucketName(timeMs, 'day');
}

const bucketPattern = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:-(\d{2})(?:-(\d{2}))?)?)?)?$/;

/** Reads a bucket's name. Undefined if it is no bucket: wrong form, or no such date or time. */
export function parseBucket(name: string): TimeBucket | undefined {
  const match = bucketPattern.exec(name);
  if (match === null) return undefined;
  const given = match.slice(1).filter((part) => part !== undefined).length;
  const granularity = ([...granularities].reverse() as Granularity[])[given - 1] as Granularity;
  const [year, month, day, hour, minute] = match
    .slice(1)
    .map((part) => (part === undefined ? undefined : Number(part)));
  const startMs = Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1, hour ?? 0, minute ?? 0);
  if (bucketName(startMs, granularity) !== name) return undefined;
  return { granularity, name, startMs, endMs: bucketEndMs(startMs, granularity) };
}

/** Epoch ms at which the bucket that holds an instant ends (exclusive). */
export function bucketEndMs(timeMs: number, granularity: Granularity): number {
  const date = new Date(timeMs);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  switch (granularity) {
    case 'minute':
      return Math.floor(timeMs / 60_000) * 60_000 + 60_000;
    case 'hour':
      return Math.floor(timeMs / 3_600_000) * 3_600_000 + 3_600_000;
    case 'day':
      return Math.floor(timeMs / 86_400_000) * 86_400_000 + 86_400_000;
    case 'month':
      return Date.UTC(year, month + 1, 1);
    case 'year':
      return Date.UTC(year + 1, 0, 1);
    default: {
      const never: never = granularity;
      return never;
    }
  }
}
