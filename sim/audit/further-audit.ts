/**
 * The second half of the audit: sources, funnels, presence and stored events, for which the collector is asked as anybody
 * could ask it, and the names of the sessions in which something is wrong.
 */
import { messageOf } from '../../server/base/errors.ts';
import type { TrafficSource } from '../crowd/site.ts';
import type { TruthRecord } from '../worker/crowd-truth.ts';
import type { LedgerRecord } from '../worker/ledger.ts';
import { type AuditCheck, type AuditReport, check, differences } from './audit.ts';
import { type CollectorApi, questionsAtOnce } from './collector-api.ts';
import {
  expectedFurther,
  type FurtherRange,
  type FurtherReading,
  furtherChecks,
  furtherRange,
  rangeEndMs,
  readFurther,
} from './further-questions.ts';
import { type ComparedSessions, type NamedSession, nameSessions } from './name-sessions.ts';
import { openBuckets } from './snapshot.ts';

/** What the target says of it before the first event. */
export interface FurtherLook {
  readonly range: FurtherRange;
  readonly reading: FurtherReading;
  /** Visitors by `name bucket` or `name::campaign bucket`; one that is not listed had none. */
  readonly sources: Readonly<Record<string, number>>;
}

export interface FurtherPlan {
  readonly sources: readonly TrafficSource[];
  readonly rows: readonly string[];
  readonly nowMs: number;
  readonly backMs: number;
}

export async function furtherLook(api: CollectorApi, plan: FurtherPlan): Promise<FurtherLook> {
  const range = furtherRange(plan.nowMs, plan.rows, plan.backMs);
  const names = plan.sources.flatMap(({ name, campaign }) =>
    name === undefined ? [] : [campaign === undefined ? name : `${name}::${campaign}`],
  );
  const questions = [...new Set(names)].flatMap((source) =>
    openBuckets(plan.nowMs, plan.backMs).map((bucket) => ({ source, bucket })),
  );
  const sources: Record<string, number> = {};
  for (const { source, bucket, count } of await askSources(api, questions))
    if (count !== 'expired' && count > 0) sources[`${source} ${bucket}`] = count;
  return { range, reading: await readFurther(api, range, plan.nowMs), sources };
}

async function askSources<Question extends { readonly source: string; readonly bucket: string }>(
  api: CollectorApi,
  questions: readonly Question[],
): Promise<(Question & { readonly count: number | 'expired' })[]> {
  const answers: (Question & { readonly count: number | 'expired' })[] = [];
  for (let at = 0; at < questions.length; at += questionsAtOnce) {
    const some = questions.slice(at, at + questionsAtOnce).map(async (question) => {
      const [name = '', campaign] = question.source.split('::');
      return { ...question, count: await api.uniquesFrom(name, campaign, question.bucket) };
    });
    answers.push(...(await Promise.all(some)));
  }
  return answers;
}

export interface KnownRun {
  readonly ledger: LedgerRecord;
  readonly truth: TruthRecord;
  readonly seed: number;
  readonly runId: string;
  readonly nowMs: number;
  /** Types of events that the crowd did not send. */
  readonly ignoredTypes: readonly string[];
  /** Each session is looked at, also if nothing differs. Default: only then. */
  readonly comparesSessions?: boolean;
}

/** The report with the further checks and, if anything differs, the sessions that are to blame. */
export async function withFurther(
  api: CollectorApi,
  report: AuditReport,
  look: FurtherLook,
  run: KnownRun,
): Promise<AuditReport> {
  const { range, reading } = look;
  const after = await readFurther(api, range, run.nowMs);
  const expected = expectedFurther(range, run.truth, run.ledger);
  const further = [
    ...(await sourceChecks(api, look, run.truth)),
    ...furtherChecks(expected, reading, after, run.ignoredTypes),
  ];
  const notAsked = [...new Set([...reading.notAsked, ...after.notAsked])];
  const others = [...report.checks, ...further];
  const isEqual = others.every(({ ok }) => ok);
  const sessions =
    isEqual && run.comparesSessions !== true
      ? undefined
      : await compared(api, range.fromMs, run, others, notAsked);
  const own =
    sessions === undefined || sessions.compared === 0
      ? []
      : [check(sessionsCheck, sessions.compared, sessions.compared - sessions.different)];
  const named = sessions?.named ?? [];
  const reasons = [...report.reasons, ...named.map(sentenceOf), ...differences([...further, ...own])];
  const checks = [...others, ...own];
  return { ...report, ok: reasons.length === 0, reasons, checks, notAsked, sessions: named };
}

const sessionsCheck = 'sessions with just their own events';

const sentenceOf = ({ session, visitor, stored, acknowledged, words }: NamedSession): string =>
  `session ${session} of visitor ${visitor}: ${stored} events stored, ${acknowledged} acknowledged: ${words}`;

async function compared(
  api: CollectorApi,
  fromMs: number,
  { seed, runId, truth, nowMs }: KnownRun,
  checks: readonly AuditCheck[],
  notAsked: string[],
): Promise<ComparedSessions | undefined> {
  try {
    const names = { seed, runId, fromMs, toMs: rangeEndMs(nowMs) };
    return await nameSessions(api, names, truth.visits, checks);
  } catch (error) {
    notAsked.push(`sessions that differ: ${messageOf(error)}`);
    return undefined;
  }
}

async function sourceChecks(
  api: CollectorApi,
  look: FurtherLook,
  { sources }: TruthRecord,
): Promise<AuditCheck[]> {
  const questions = Object.entries(sources).flatMap(([source, buckets]) =>
    Object.entries(buckets).map(([bucket, expected]) => ({ source, bucket, expected })),
  );
  const answers = await askSources(api, questions);
  const checks = answers.map(({ source, bucket, expected, count }) =>
    check(
      `visitors from ${source} ${bucket}`,
      expected,
      count === 'expired' ? count : count - (look.sources[`${source} ${bucket}`] ?? 0),
    ),
  );
  return checks.sort((a, b) => (a.name < b.name ? -1 : 1));
}
