/**
 * The audit: does the collector say what the crowd knows it did?
 *
 * Every check is an exact equality of a difference (after minus snapshot) with the merged ledger:
 * acknowledged events by type, all of them again as stored documents, sessions, and distinct visitors of
 * each event type in every minute, hour, day, month and year that the run touched.
 *
 * Three verdicts: ok; not ok (something differs, or the fate of an event is unresolved); and not
 * auditable, when somebody else wrote to the property during the run: then no difference proves anything.
 */
import type { TotalsReply } from '../../server/protocol/replies.ts';
import { botRow, isBotRow, wireType } from '../crowd/crowd-types.ts';
import { type LedgerRecord, totalFates, unaccounted } from '../worker/ledger.ts';
import { type CollectorApi, questionsAtOnce } from './collector-api.ts';
import type { Freshness } from './freshness.ts';
import type { NamedSession } from './name-sessions.ts';
import { type AuditSnapshot, totalsDrift, uniquesKey } from './snapshot.ts';

export interface AuditCheck {
  readonly name: string;
  readonly expected: number;
  readonly actual: number | 'expired';
  readonly ok: boolean;
}

export interface AuditReport {
  readonly ok: boolean;
  /** False: somebody else wrote to the property at the same time; `reasons` names what moved. */
  readonly auditable: boolean;
  /** What is wrong, in words; empty when ok. */
  readonly reasons: readonly string[];
  readonly checks: readonly AuditCheck[];
  /** Questions that the target did not take, and why. They prove nothing either way. */
  readonly notAsked?: readonly string[];
  /** Sessions in which something is wrong, where they could be found. */
  readonly sessions?: readonly NamedSession[];
  /** Events whose answer never came, and what the collector says became of them. */
  readonly resolved?: { readonly stored: number; readonly absent: number };
  /** How long after its acknowledgement an event is in an answer. */
  readonly freshness?: Freshness;
  /** Of the session store, if heartbeats went to one. */
  readonly sessionStore?: { readonly live: number; readonly departed: number };
}

const quietMs = 300;

/** Waits, and says what moved meanwhile though the crowd was silent: another writer. */
export async function watchForOtherWriters(api: CollectorApi): Promise<string[]> {
  const before = await api.totals();
  await new Promise((resolve) => setTimeout(resolve, quietMs));
  return totalsDrift(before, await api.totals()).map(
    (change) => `another writer: while the crowd was silent ${change}`,
  );
}

export async function runAudit(
  api: CollectorApi,
  snapshot: AuditSnapshot,
  ledger: LedgerRecord,
  otherWriters: readonly string[],
): Promise<AuditReport> {
  const disturbances = [...otherWriters, ...(await watchForOtherWriters(api))];
  const totals = await api.totals();
  const checks = [
    ...totalsChecks(snapshot.totals, totals, ledger),
    ...(await uniquesChecks(api, snapshot, ledger)),
  ];
  const reasons = [...disturbances, ...ledgerReasons(ledger), ...differences(checks)];
  return { ok: reasons.length === 0, auditable: disturbances.length === 0, reasons, checks };
}

/** Acknowledged = stored, by type; = documents; sessions. Types that the crowd never sends must not move. */
export function totalsChecks(before: TotalsReply, after: TotalsReply, ledger: LedgerRecord): AuditCheck[] {
  const checks: AuditCheck[] = [];
  const [rowsBefore, rowsAfter] = [rowsOf(before), rowsOf(after)];
  const types = new Set([...Object.keys(ledger.byType), ...rowsBefore.keys(), ...rowsAfter.keys()]);
  for (const type of types) {
    const fates = ledger.byType[type];
    const expected = fates === undefined ? 0 : fates.accepted + fates.duplicates;
    checks.push(check(`events ${type}`, expected, (rowsAfter.get(type) ?? 0) - (rowsBefore.get(type) ?? 0)));
  }
  const total = totalFates(ledger);
  checks.push(check('documents', total.accepted + total.duplicates, after.documents - before.documents));
  checks.push(check('sessions', ledger.sessions, after.sessions - before.sessions));
  return checks;
}

/** Counts by the ledger's rows: people's events by type, and what bots did as `bot:` and type. */
function rowsOf({ byType, bots }: TotalsReply): Map<string, number> {
  return new Map([
    ...Object.entries(byType),
    ...Object.entries(bots ?? {}).map(([type, count]) => [botRow(type), count] as const),
  ]);
}

export async function uniquesChecks(
  api: CollectorApi,
  snapshot: Pick<AuditSnapshot, 'uniques'>,
  ledger: Pick<LedgerRecord, 'uniques'>,
): Promise<AuditCheck[]> {
  const questions = Object.entries(ledger.uniques).flatMap(([type, buckets]) =>
    Object.entries(buckets).map(([bucket, expected]) => ({ type, bucket, expected })),
  );
  const checks: AuditCheck[] = [];
  for (let at = 0; at < questions.length; at += questionsAtOnce) {
    const answers = questions.slice(at, at + questionsAtOnce).map(async ({ type, bucket, expected }) => {
      const count = await api.uniques(wireType(type), bucket, isBotRow(type));
      const before = snapshot.uniques[uniquesKey(type, bucket)] ?? 0;
      return check(`visitors ${type} ${bucket}`, expected, count === 'expired' ? count : count - before);
    });
    checks.push(...(await Promise.all(answers)));
  }
  return checks.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function check(name: string, expected: number, actual: number | 'expired'): AuditCheck {
  return { name, expected, actual, ok: actual === expected };
}

/** What the ledger itself leaves open. */
export function ledgerReasons(ledger: LedgerRecord): string[] {
  const total = totalFates(ledger);
  const reasons: string[] = [];
  if (total.unknown > 0) reasons.push(`unresolved: ${total.unknown} events were sent and never answered for`);
  if (unaccounted(total) !== 0)
    reasons.push(`the ledger does not add up: ${unaccounted(total)} planned events have no fate`);
  return reasons;
}

export function differences(checks: readonly AuditCheck[]): string[] {
  return checks
    .filter((one) => !one.ok)
    .map(({ name, expected, actual }) => {
      if (actual === 'expired') return `${name}: expired at the collector, ${expected} expected`;
      const off = actual - expected;
      return `${name}: ${actual} counted, ${expected} expected (${off > 0 ? `${off} too many` : `${-off} missing`})`;
    });
}
