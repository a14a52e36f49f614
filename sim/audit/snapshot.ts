/**
 * What the collector says before the first event of a run. The audit compares differences from it, so
 * that it holds on a property that already has data.
 *
 * The collector takes no event from more than five minutes ahead, so of all buckets that the run can
 * touch only those that begin within that time can hold anything yet; every later bucket starts at 0.
 */
import { bucketEndMs, bucketName, granularities } from '../../server/base/time-bucket.ts';
import { limits } from '../../server/protocol/limits.ts';
import type { TotalsReply } from '../../server/protocol/replies.ts';
import { isBotRow, wireType } from '../crowd/crowd-types.ts';
import { eventTypes } from '../targets/event-request.ts';
import { type CollectorApi, questionsAtOnce } from './collector-api.ts';

export interface AuditSnapshot {
  readonly totals: TotalsReply;
  /** Uniques by `type bucket`; a bucket that is not listed held none. */
  readonly uniques: Readonly<Record<string, number>>;
}

export const uniquesKey = (type: string, bucket: string): string => `${type} ${bucket}`;

/** Names of the buckets that may hold events now and overlap the time from now on. */
export function openBuckets(nowMs: number, backMs = 0): string[] {
  const names = new Set<string>();
  const untilMs = nowMs + limits.eventAheadMsMax + 120_000;
  for (const granularity of granularities) {
    // From a minute back: the run's first act may be stamped a moment before the snapshot's clock reading.
    for (let at = nowMs - 60_000 - backMs; at <= untilMs; at = bucketEndMs(at, granularity))
      names.add(bucketName(at, granularity));
  }
  return [...names];
}

/**
 * @param types the ledger's rows
 * @param backMs how far back some visitors' clocks are
 */
export async function takeSnapshot(
  api: CollectorApi,
  nowMs: number,
  types: readonly string[] = eventTypes,
  backMs = 0,
): Promise<AuditSnapshot> {
  const totals = await api.totals();
  const uniques: Record<string, number> = {};
  const questions = openBuckets(nowMs, backMs).flatMap((bucket) => types.map((type) => ({ type, bucket })));
  for (let at = 0; at < questions.length; at += questionsAtOnce) {
    const answers = questions.slice(at, at + questionsAtOnce).map(async ({ type, bucket }) => {
      const count = await api.uniques(wireType(type), bucket, isBotRow(type));
      if (count !== 'expired' && count > 0) uniques[uniquesKey(type, bucket)] = count;
    });
    await Promise.all(answers);
  }
  return { totals, uniques };
}

/** What changed between two readings of the totals, in words; empty if nothing did. */
export function totalsDrift(before: TotalsReply, after: TotalsReply): string[] {
  const drift: string[] = [];
  const note = (name: string, was: number, is: number): void => {
    if (was !== is) drift.push(`${name} went from ${was} to ${is}`);
  };
  for (const type of new Set([...Object.keys(before.byType), ...Object.keys(after.byType)])) {
    note(`byType.${type}`, before.byType[type] ?? 0, after.byType[type] ?? 0);
  }
  note('sessions', before.sessions, after.sessions);
  note('documents', before.documents, after.documents);
  return drift;
}
