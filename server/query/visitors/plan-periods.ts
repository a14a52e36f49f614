/** Questions that are asked of many periods at once: series, retention cohorts, stickiness, concurrent visitors. */
import { bucketName } from '../../base/time-bucket.ts';
import type { BitExpression } from '../../store/visitor-plan.ts';
import { cutRange, minuteMs, periodAt } from './cover.ts';
import { type ExpressionPlanner, PlanError } from './expressions.ts';
import { type PlannedQuestion, planCounts } from './planned.ts';
import { type Ask, type CohortPeriod, questionLimits, type TimeRange } from './question.ts';

type AskOf<Kind extends Ask['kind']> = Extract<Ask, { kind: Kind }>;

function checkBuckets(count: number, what: string): void {
  if (count <= questionLimits.bucketsMax) return;
  const message = `${what}: at most ${questionLimits.bucketsMax} in one question; ask for a shorter range or coarser buckets`;
  throw new PlanError('too_many_buckets', message);
}

/** Uniques in each bucket; at the edges in what the range has of it. What is still to come is left out. */
export function planSeries(
  { of, by }: AskOf<'series'>,
  range: TimeRange,
  planner: ExpressionPlanner,
): PlannedQuestion {
  const parts = cutRange(untilHorizon(range, planner), by, questionLimits.bucketsMax);
  checkBuckets(parts.length, `series by ${by}`);
  const sets = parts.map((part) => planner.plan(of, wholeAtHorizon(part, range, planner)));
  return planCounts(sets, (counts) => ({
    series: parts.map(({ fromMs }, i) => ({ bucket: bucketName(fromMs, by), visitors: counts[i] ?? 0 })),
  }));
}

function untilHorizon({ fromMs, toMs }: TimeRange, planner: ExpressionPlanner): TimeRange {
  return { fromMs, toMs: Math.min(toMs, Math.max(planner.horizonMs, fromMs + minuteMs)) };
}

/** The last part was cut at the horizon, where nothing has happened: it goes on as far as the range does. */
function wholeAtHorizon(part: TimeRange, range: TimeRange, planner: ExpressionPlanner): TimeRange {
  return part.toMs === planner.horizonMs ? { fromMs: part.fromMs, toMs: range.toMs } : part;
}

/** Rows are the periods that the range touches; column j of a row is the period j later. */
export function planCohorts(
  ask: AskOf<'retention'>,
  range: TimeRange,
  planner: ExpressionPlanner,
): PlannedQuestion {
  const { by, columns } = ask;
  const rows = periodsOf(range, by, planner);
  checkBuckets(rows.length * columns, 'retention, rows x columns');
  const outputs: BitExpression[] = [];
  const places = rows.map((row) => {
    const cohort = planner.plan(ask.cohort, row);
    const size = outputs.push(cohort) - 1;
    const cells = Array.from({ length: columns }, (_none, column) => {
      const period = periodAt(row.fromMs, by, column);
      if (period.fromMs >= planner.horizonMs) return undefined;
      return outputs.push({ and: [cohort, planner.plan(ask.returning, period)] }) - 1;
    });
    return { size, cells };
  });
  return planCounts(outputs, (counts) => ({
    retention: rows.map((row, i) => ({
      cohort: cohortName(row, by),
      size: counts[places[i]?.size ?? -1] ?? 0,
      // What is still to come is null.
      visitors: places[i]?.cells.map((cell) => (cell === undefined ? null : (counts[cell] ?? 0))),
    })),
  }));
}

function periodsOf(range: TimeRange, by: CohortPeriod, planner: ExpressionPlanner): TimeRange[] {
  const periods: TimeRange[] = [];
  const endMs = Math.min(range.toMs, planner.horizonMs);
  for (
    let period = periodAt(range.fromMs, by, 0);
    period.fromMs < endMs;
    period = periodAt(period.fromMs, by, 1)
  ) {
    periods.push(period);
    checkBuckets(periods.length, `retention by ${by}`);
  }
  return periods;
}

/** A day or month by its bucket, a week by its Monday. */
const cohortName = ({ fromMs }: TimeRange, by: CohortPeriod): string =>
  bucketName(fromMs, by === 'month' ? 'month' : 'day');

/** For each day of the range: visitors of the day, of the 7 and of the 30 days that end with it. */
export function planStickiness(
  { of }: AskOf<'stickiness'>,
  range: TimeRange,
  planner: ExpressionPlanner,
): PlannedQuestion {
  const days = periodsOf(range, 'day', planner);
  const outputs = days.flatMap(({ fromMs, toMs }) =>
    [1, 7, 30].map((length) => {
      const firstMs = Math.max(0, periodAt(fromMs, 'day', 1 - length).fromMs);
      return planner.plan(of, { fromMs: firstMs, toMs });
    }),
  );
  return planCounts(outputs, (counts) => {
    const stickiness = days.map(({ fromMs }, i) => {
      const [dau = 0, wau = 0, mau = 0] = counts.slice(3 * i, 3 * i + 3);
      return { day: bucketName(fromMs, 'day'), dau, wau, mau, ratio: ratio(dau, mau) };
    });
    const ratios = stickiness.flatMap((day) => (day.ratio === null ? [] : [day.ratio]));
    const total = ratios.reduce((sum, value) => sum + value, 0);
    return { stickiness, averageRatio: ratio(total, ratios.length) };
  });
}

/** Four decimals; null where there is nothing to divide by. */
const ratio = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((part / whole) * 10_000) / 10_000;

/** For each minute of the range that has begun: visitors in it and the minutes before it that the window takes. */
export function planConcurrent(
  { of, windowMinutes }: AskOf<'concurrent'>,
  range: TimeRange,
  planner: ExpressionPlanner,
): PlannedQuestion {
  const minutes = cutRange(untilHorizon(range, planner), 'minute', questionLimits.bucketsMax);
  checkBuckets(minutes.length, 'concurrent, by minute');
  const sets = minutes.map(({ fromMs, toMs }) => {
    const parts = Array.from({ length: windowMinutes }, (_none, back) => {
      const backMs = back * minuteMs;
      return planner.leaf(of, {
        fromMs: Math.max(0, fromMs - backMs),
        toMs: Math.max(minuteMs, toMs - backMs),
      });
    });
    return parts.length === 1 ? (parts[0] as BitExpression) : { or: parts };
  });
  return planCounts(sets, (counts) => {
    const concurrent = minutes.map(({ fromMs }, i) => ({
      minute: bucketName(fromMs, 'minute'),
      visitors: counts[i] ?? 0,
    }));
    const peak = concurrent.reduce((best, point) => (point.visitors > best.visitors ? point : best));
    return { concurrent, peak };
  });
}
