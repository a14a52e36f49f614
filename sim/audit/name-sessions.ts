/**
 * Names the sessions in which stored events and the ledger differ, and what is wrong in them: a number that is missing, one
 * that is there twice or was never sent, an event under another visitor's id.
 *
 * The ledger knows of each visit how many events were acknowledged. The collector is asked how many it has of each session;
 * of a crowd with more visits than `visitsMax`, only of sessions with an event in a minute that differs.
 */
import { IdFactory, idKinds } from '../random/ids.ts';
import type { VisitRows } from '../worker/visit-counts.ts';
import type { AuditCheck } from './audit.ts';
import type { CollectorApi } from './collector-api.ts';
import { bucketsOf, rangeQuery } from './further-questions.ts';

/** A session in which something is wrong. */
export interface NamedSession {
  readonly session: string;
  readonly visitor: string;
  readonly acknowledged: number;
  readonly stored: number;
  /** What is wrong with it. */
  readonly words: string;
}

export interface RunNames {
  readonly seed: number;
  readonly runId: string;
  readonly fromMs: number;
  readonly toMs: number;
}

const visitsMax = 50_000;
const sessionsPerPage = 10_000;
const sessionsNamedMax = 10;
const eventsShownMax = 5000;
const minutesMax = 5;

interface StoredSession {
  readonly events: number;
  readonly visitors: number;
}

export interface ComparedSessions {
  readonly compared: number;
  readonly different: number;
  /** The first of those that differ. */
  readonly named: readonly NamedSession[];
}

/** Throws CB_TARGET_UNREACHABLE. @returns undefined if the target can't be asked */
export async function nameSessions(
  api: CollectorApi,
  names: RunNames,
  visits: VisitRows,
  checks: readonly AuditCheck[],
): Promise<ComparedSessions | undefined> {
  const isAll = visits.slots.length <= visitsMax;
  const stored = new Map<string, StoredSession>();
  const queries = isAll ? [rangeQuery(names.fromMs, names.toMs)] : minutesOf(checks).slice(0, minutesMax);
  for (const q of queries) if (!(await readSessions(api, q, stored))) return undefined;
  if (!isAll) await readWhole(api, names, stored);
  const ids = new IdFactory(names.seed, names.runId);
  const named: NamedSession[] = [];
  let [compared, different] = [0, 0];
  for (let row = 0; row < visits.slots.length; row++) {
    const slot = visits.slots[row] ?? 0;
    const session = ids.uuid(idKinds.session, slot, visits.generations[row] ?? 0);
    const there = stored.get(session);
    if (there === undefined && !isAll) continue;
    const acknowledged = visits.events[row] ?? 0;
    compared += 1;
    if (there?.events === acknowledged && there.visitors === 1) continue;
    different += 1;
    if (named.length >= sessionsNamedMax) continue;
    const visitor = ids.uuid(idKinds.visitor, slot, visits.persons[row] ?? 0);
    const words = await describe(api, session, visitor);
    named.push({ session, visitor, acknowledged, stored: there?.events ?? 0, words });
  }
  return { compared, different, named };
}

/** What was not sent to a session store, and was not written by a flusher. */
const sent = '-event.type:sessionTimeout';

async function readSessions(
  api: CollectorApi,
  q: string,
  into: Map<string, StoredSession>,
): Promise<boolean> {
  for (let offset = 0; ; offset += sessionsPerPage) {
    const page = { field: 'session.id', limit: sessionsPerPage, offset, sort: 'index asc' };
    const facet = { sessions: { type: 'terms', ...page, facet: { visitors: 'unique(visitor.id)' } } };
    const answer = await api.query({ q: `${q} AND (${sent})`, facet });
    if (answer === undefined) return false;
    const buckets = bucketsOf(answer.facets, 'sessions');
    for (const { val, count, visitors } of buckets)
      into.set(String(val), { events: count, visitors: Number(visitors) });
    if (buckets.length < sessionsPerPage) return true;
  }
}

const sessionsPerQuestion = 300;

/** All events of the sessions that were found in some minutes. */
async function readWhole(
  api: CollectorApi,
  names: RunNames,
  into: Map<string, StoredSession>,
): Promise<void> {
  const found = [...into.keys()];
  into.clear();
  for (let at = 0; at < found.length; at += sessionsPerQuestion) {
    const some = found.slice(at, at + sessionsPerQuestion).map((session) => JSON.stringify(session));
    await readSessions(
      api,
      `${rangeQuery(names.fromMs, names.toMs)} AND session.id:(${some.join(' OR ')})`,
      into,
    );
  }
}

const minutePattern = /^(?:events by minute|visitors) \S+ (\d{4}-\d\d-\d\d)-(\d\d)-(\d\d)$/;

function minutesOf(checks: readonly AuditCheck[]): string[] {
  const differing = checks.flatMap(({ ok, name }) => {
    const [, day, hour, minute] = (ok ? null : minutePattern.exec(name)) ?? [];
    return day === undefined ? [] : [`${day}T${hour}:${minute}`];
  });
  return [...new Set(differing)].map(
    (minute) => `event.time:[${minute}:00.000Z TO ${minute}:00.000Z+1MINUTE}`,
  );
}

interface StoredEvent {
  readonly event?: { readonly type?: string; readonly seq?: number };
  readonly tab?: { readonly id?: string };
  readonly visitor?: { readonly id?: string };
}

async function describe(api: CollectorApi, session: string, visitor: string): Promise<string> {
  const answer = await api.query({
    q: `session.id:${JSON.stringify(session)} AND (${sent})`,
    rows: eventsShownMax,
    fl: 'event.type,event.seq,tab.id,visitor.id',
  });
  return describeSession((answer?.docs ?? []) as readonly StoredEvent[], visitor);
}

/** Exported for its test. */
export function describeSession(events: readonly StoredEvent[], visitor: string): string {
  if (events.length === 0) return 'none of its events is stored';
  const tabs = [...new Set(events.map(({ tab }) => tab?.id ?? ''))].sort();
  const faults = tabs.flatMap((tab) =>
    numberFaults(
      tab,
      events
        .filter((one) => (one.tab?.id ?? '') === tab)
        .map(({ event }) => ({ seq: event?.seq ?? 0, type: event?.type ?? '' })),
    ),
  );
  const foreign = events.filter((event) => event.visitor?.id !== visitor);
  for (const { event, visitor: whose } of foreign.slice(0, 3))
    faults.push(`${event?.type} ${event?.seq} is under the visitor ${whose?.id}`);
  return faults.length === 0 ? 'its last events are missing' : faults.join('; ');
}

/** Above a gap as wide as this a number was never sent: visitors number without gaps. */
const gapMax = 1000;

function numberFaults(tab: string, events: readonly { seq: number; type: string }[]): string[] {
  const faults: string[] = [];
  const sorted = [...events].sort((a, b) => a.seq - b.seq);
  let last = 0;
  for (const { seq, type } of sorted) {
    if (seq === last) faults.push(`${type} ${seq} of tab ${tab} is there twice`);
    else if (seq - last > gapMax) faults.push(`${type} ${seq} of tab ${tab} was never sent`);
    else if (seq > last + 1)
      faults.push(`tab ${tab} lacks number ${last + 1}${seq > last + 2 ? ` to ${seq - 1}` : ''}`);
    if (seq - last <= gapMax) last = seq;
  }
  return faults;
}
