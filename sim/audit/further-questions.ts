/**
 * The audit's further questions, to targets that take them: how many visitors did which steps of the funnel in any
 * order and in order, who was present in each minute, and stored events by type and page, and by type and minute.
 *
 * Each is asked before the run and after it, over the same range; its visitors are new ones, so that a difference of
 * counts is the run's own. What can't be asked (no such path, no right, too much) is said and is no fault.
 */
import { messageOf } from '../../server/base/errors.ts';
import { minuteName } from '../../server/base/time-bucket.ts';
import { wireType } from '../crowd/crowd-types.ts';
import { funnelRows, type TruthRecord, visitorsWith } from '../worker/crowd-truth.ts';
import type { LedgerRecord } from '../worker/ledger.ts';
import { type AuditCheck, check } from './audit.ts';
import type { CollectorApi, QueryAnswer } from './collector-api.ts';

/** Counts by name, of one moment; a question that could not be asked is absent. */
export interface FurtherReading {
  readonly funnel?: Readonly<Record<string, number>>;
  readonly ordered?: Readonly<Record<string, number>>;
  /** Visitors with a heartbeat, by minute. */
  readonly concurrent?: Readonly<Record<string, number>>;
  /** Stored events, by `type path` and by `type minute`. */
  readonly pages?: Readonly<Record<string, number>>;
  readonly minutes?: Readonly<Record<string, number>>;
  /** Why a question has no answer, in words. */
  readonly notAsked: readonly string[];
}

/** What the questions are about; the same before and after. */
export interface FurtherRange {
  readonly fromMs: number;
  /** The ledger's rows. */
  readonly rows: readonly string[];
}

const minuteMs = 60_000;
/** The collector takes no event from more than five minutes ahead. */
const aheadMs = 7 * minuteMs;
/** A collector answers at most so many buckets. */
const minutesMax = 9000;
const facetLimit = 10_000;

/** @param backMs how far back some visitors' clocks are */
export const furtherRange = (nowMs: number, rows: readonly string[], backMs: number): FurtherRange => ({
  // From a minute back: the run's first act may be stamped a moment before this reading.
  fromMs: Math.floor((nowMs - backMs) / minuteMs - 1) * minuteMs,
  rows,
});

export async function readFurther(
  api: CollectorApi,
  range: FurtherRange,
  nowMs: number,
): Promise<FurtherReading> {
  const toMs = rangeEndMs(nowMs);
  const notAsked: string[] = [];
  const asked = async <Answer>(name: string, ask: () => Promise<Answer | undefined>) => {
    if ((toMs - range.fromMs) / minuteMs > minutesMax) {
      notAsked.push(`${name}: the run is longer than ${minutesMax} minutes`);
      return undefined;
    }
    try {
      const answer = await ask();
      if (answer === undefined) notAsked.push(`${name}: the target does not answer such a question`);
      return answer;
    } catch (error) {
      notAsked.push(`${name}: ${messageOf(error)}`);
      return undefined;
    }
  };
  const funnel = await asked('funnel', () => readFunnel(api, range, toMs, false));
  const ordered = await asked('ordered funnel', () => readFunnel(api, range, toMs, true));
  const concurrent = await asked('concurrent visitors', () => readConcurrent(api, range, toMs));
  const pages = await asked('events by page', () => readPages(api, range, toMs));
  const minutes = await asked('events by minute', () => readMinutes(api, range, toMs));
  return {
    ...(funnel === undefined ? {} : { funnel }),
    ...(ordered === undefined ? {} : { ordered }),
    ...(concurrent === undefined ? {} : { concurrent }),
    ...(pages === undefined ? {} : { pages }),
    ...(minutes === undefined ? {} : { minutes }),
    notAsked,
  };
}

type Counts = Record<string, number>;

const stepName = (step: number, rows: readonly string[]): string =>
  `step ${step} (${rows.slice(0, step).join(', ')})`;

async function readFunnel(api: CollectorApi, range: FurtherRange, toMs: number, isOrdered: boolean) {
  const rows = funnelRows(range.rows);
  const steps = rows.map((event) => ({ event }));
  const reply = await api.askVisitors({
    from: range.fromMs,
    to: toMs,
    funnel: { ...(isOrdered ? { ordered: true } : {}), steps },
  });
  const answer = reply?.['funnel'];
  if (!Array.isArray(answer)) return undefined;
  const counts: Counts = {};
  for (const { step, visitors } of answer as { step: number; visitors: number }[])
    counts[stepName(step, rows)] = visitors;
  return counts;
}

async function readConcurrent(api: CollectorApi, { fromMs }: FurtherRange, toMs: number) {
  const reply = await api.askVisitors({ from: fromMs, to: toMs, concurrent: true });
  const answer = reply?.['concurrent'];
  if (!Array.isArray(answer)) return undefined;
  const counts: Counts = {};
  for (const { minute, visitors } of answer as { minute: string; visitors: number }[])
    if (visitors > 0) counts[minute] = visitors;
  return counts;
}

interface Bucket {
  readonly val: string | number;
  readonly count: number;
  readonly [facet: string]: unknown;
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** All events of the run's time. */
export const rangeQuery = (fromMs: number, toMs: number): string =>
  `event.time:[${isoOf(fromMs)} TO ${isoOf(toMs)}}`;

/** Where ranges end that are asked about at a time. */
export const rangeEndMs = (nowMs: number): number => Math.ceil((nowMs + aheadMs) / minuteMs) * minuteMs;

export function bucketsOf(facets: QueryAnswer['facets'], name: string): readonly Bucket[] {
  const facet = facets[name] as { buckets?: readonly Bucket[] } | undefined;
  return facet?.buckets ?? [];
}

const byType = { type: 'terms', field: 'event.type', limit: 1000 } as const;

async function readPages(api: CollectorApi, range: FurtherRange, toMs: number): Promise<Counts | undefined> {
  const pages = { type: 'terms', field: 'page.path', limit: facetLimit };
  const answer = await api.query({
    q: rangeQuery(range.fromMs, toMs),
    facet: { types: { ...byType, facet: { pages } } },
  });
  if (answer === undefined) return undefined;
  const counts: Counts = {};
  for (const type of bucketsOf(answer.facets, 'types'))
    for (const page of bucketsOf(type, 'pages')) counts[`${type.val} ${page.val}`] = page.count;
  return counts;
}

async function readMinutes(api: CollectorApi, range: FurtherRange, toMs: number) {
  const [start, end] = [isoOf(range.fromMs), isoOf(toMs)];
  const minutes = { type: 'range', field: 'event.time', start, end, gap: '+1MINUTE', mincount: 1 };
  const answer = await api.query({
    q: rangeQuery(range.fromMs, toMs),
    facet: { minutes: { ...minutes, facet: { types: byType } } },
  });
  if (answer === undefined) return undefined;
  const counts: Counts = {};
  for (const minute of bucketsOf(answer.facets, 'minutes'))
    for (const type of bucketsOf(minute, 'types'))
      counts[`${type.val} ${minuteName(Date.parse(String(minute.val)))}`] = type.count;
  return counts;
}

/** What the crowd expects of the same questions. */
export function expectedFurther(
  { rows }: FurtherRange,
  truth: TruthRecord,
  ledger: Pick<LedgerRecord, 'uniques'>,
): Omit<FurtherReading, 'notAsked'> {
  const steps = funnelRows(rows);
  const perStep = (count: (step: number) => number): Counts =>
    Object.fromEntries(steps.map((_, at) => [stepName(at + 1, steps), count(at + 1)]));
  const kinds = steps.map((row) => rows.indexOf(row));
  const { ordered } = truth;
  const heartbeats = Object.entries(ledger.uniques['heartbeat'] ?? {});
  const minuteLength = minuteName(0).length;
  return {
    funnel: perStep((step) => visitorsWith(truth.combos, kinds.slice(0, step))),
    ...(ordered === null ? {} : { ordered: perStep((step) => ordered[step - 1] ?? 0) }),
    concurrent: Object.fromEntries(heartbeats.filter(([bucket]) => bucket.length === minuteLength)),
    pages: byWireType(truth.pages),
    minutes: byWireType(truth.minutes),
  };
}

/** Stored events of people and of bots have the same type. */
function byWireType(byRow: Readonly<Record<string, Readonly<Counts>>>): Counts {
  const counts: Counts = {};
  for (const [row, byName] of Object.entries(byRow))
    for (const [name, count] of Object.entries(byName)) {
      const key = `${wireType(row)} ${name}`;
      counts[key] = (counts[key] ?? 0) + count;
    }
  return counts;
}

const titles = {
  funnel: 'funnel',
  ordered: 'ordered funnel',
  concurrent: 'concurrent visitors',
  pages: 'events by page',
  minutes: 'events by minute',
} as const;

/** Of thousands of equal figures one line is kept: their sum. Those that differ are all there. */
export function furtherChecks(
  expected: Omit<FurtherReading, 'notAsked'>,
  before: FurtherReading,
  after: FurtherReading,
  ignoredTypes: readonly string[],
): AuditCheck[] {
  return (Object.keys(titles) as (keyof typeof titles)[]).flatMap((question) => {
    const [wanted, was, is] = [expected[question], before[question], after[question]];
    if (wanted === undefined || was === undefined || is === undefined) return [];
    const names = [...new Set([...Object.keys(wanted), ...Object.keys(was), ...Object.keys(is)])].filter(
      (name) => !ignoredTypes.some((type) => name.startsWith(`${type} `)),
    );
    const all = names
      .sort()
      .map((name) =>
        check(`${titles[question]} ${name}`, wanted[name] ?? 0, (is[name] ?? 0) - (was[name] ?? 0)),
      );
    if (question === 'funnel' || question === 'ordered' || question === 'concurrent')
      return all.filter(({ expected: some, actual }) => some !== 0 || actual !== 0);
    const sum = (read: (one: AuditCheck) => number): number =>
      all.reduce((total, one) => total + read(one), 0);
    const whole = check(
      `${titles[question]}, ${all.length} figures`,
      sum((one) => one.expected),
      sum((one) => Number(one.actual)),
    );
    return [whole, ...all.filter(({ ok }) => !ok)];
  });
}
