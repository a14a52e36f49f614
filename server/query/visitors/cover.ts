/**
 * The fewest time buckets that make up a range exactly. Buckets are a tree (a year has months … an hour has
 * minutes), so taking the coarsest that fits, from the left, is the best there is.
 *
 *   2026-11-20 23:58 … 2026-12-02 01:01
 *   -> minutes 23:58, 23:59 · days 21 … 30 · day 2026-12-01 · hour 2026-12-02 00 · minute 01:00
 */
import {
  bucketEndMs,
  bucketName,
  type Granularity,
  granularities,
  type TimeBucket,
} from '../../base/time-bucket.ts';
import type { TimeRange } from './question.ts';

const coarsestFirst: readonly Granularity[] = [...granularities].reverse();

export const minuteMs = 60_000;

/**
 * @param range whole minutes
 * @param horizonMs nothing has happened from here on: a range that goes so far may end with a bucket that goes farther
 */
export function coverRange(
  { fromMs, toMs }: TimeRange,
  horizonMs: number = Number.POSITIVE_INFINITY,
): TimeBucket[] {
  const endMs = Math.min(toMs, horizonMs);
  const isOpen = toMs >= horizonMs;
  const cover: TimeBucket[] = [];
  let atMs = fromMs;
  while (atMs < endMs) {
    const granularity = coarsestFirst.find(
      (coarse) => isStart(atMs, coarse) && (isOpen || bucketEndMs(atMs, coarse) <= endMs),
    ) as Granularity;
    const bucket = bucketOf(atMs, granularity);
    cover.push(bucket);
    atMs = bucket.endMs;
  }
  return cover;
}

const isStart = (timeMs: number, granularity: Granularity): boolean =>
  timeMs === 0 || bucketEndMs(timeMs - 1, granularity) === timeMs;

/** The bucket of a granularity that begins at an instant. */
function bucketOf(startMs: number, granularity: Granularity): TimeBucket {
  const endMs = bucketEndMs(startMs, granularity);
  return { granularity, name: bucketName(startMs, granularity), startMs, endMs };
}

/** A range cut at the borders of a granularity: what is left of each of its buckets. At most `max` + 1 of them. */
export function cutRange(range: TimeRange, granularity: Granularity, max: number): TimeRange[] {
  const parts: TimeRange[] = [];
  for (let fromMs = range.fromMs; fromMs < range.toMs && parts.length <= max; ) {
    const toMs = Math.min(bucketEndMs(fromMs, granularity), range.toMs);
    parts.push({ fromMs, toMs });
    fromMs = toMs;
  }
  return parts;
}

const dayMs = 86_400_000;
/** 1970-01-05 was a Monday. */
const mondayMs = 4 * dayMs;

/** Whole days, weeks (from Monday, UTC) or months: the one that holds an instant, moved by a number of them. */
export function periodAt(timeMs: number, by: 'day' | 'week' | 'month', moved: number): TimeRange {
  if (by === 'month') {
    const date = new Date(timeMs);
    const month = date.getUTCMonth() + moved;
    const year = date.getUTCFullYear();
    return { fromMs: Date.UTC(year, month, 1), toMs: Date.UTC(year, month + 1, 1) };
  }
  const lengthMs = by === 'day' ? dayMs : 7 * dayMs;
  const originMs = by === 'day' ? 0 : mondayMs;
  const fromMs = originMs + (Math.floor((timeMs - originMs) / lengthMs) + moved) * lengthMs;
  return { fromMs, toMs: fromMs + lengthMs };
}
