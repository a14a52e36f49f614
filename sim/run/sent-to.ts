/** What was sent where, and as whom: for the result and its summary. */
import { formatCount } from '../../server/base/units.ts';
import type { AuditReport } from '../audit/audit.ts';
import { withoutBeats } from '../audit/store-audit.ts';
import { type LedgerRecord, totalFates } from '../worker/ledger.ts';
import type { StoreRecord } from '../worker/store-beats.ts';
import type { SimOptions } from './options.ts';

export interface SentTo {
  /** Events that `POST /write` acknowledged. */
  readonly write: number;
  /** Null: heartbeats were written like all other events. */
  readonly sessionStore: {
    readonly name: string;
    /** Heartbeats that `POST /session/update` acknowledged, and visits with at least one of them. */
    readonly heartbeats: number;
    readonly sessions: number;
    /** At the end: sessions in the store, and departures written since the run began. Null: nobody asked. */
    readonly live: number | null;
    readonly departed: number | null;
  } | null;
  /** A user's name, `publish key`, or both; null: requests said nothing about who sends them. */
  readonly as: string | null;
  /** Requests named their visitors' addresses (`X-Forwarded-For`). */
  readonly clientHeaders: boolean;
}

export function sentTo(
  ledger: LedgerRecord,
  record: StoreRecord,
  { sessionStore: name, access, clientHeaders }: SimOptions,
  audit: AuditReport | null,
): SentTo {
  const all = acknowledged(ledger);
  const as = [access.username, access.key === undefined ? undefined : 'publish key'].filter(
    (one) => one !== undefined,
  );
  const others = { as: as.length === 0 ? null : as.join(' and '), clientHeaders };
  if (name === undefined) return { write: all, sessionStore: null, ...others };
  const write = acknowledged(withoutBeats(ledger, 0));
  const { live = null, departed = null } = audit?.sessionStore ?? {};
  const { sessions } = record;
  return { write, sessionStore: { name, heartbeats: all - write, sessions, live, departed }, ...others };
}

function acknowledged(ledger: LedgerRecord): number {
  const { accepted, duplicates } = totalFates(ledger);
  return accepted + duplicates;
}

/** Empty where all went to `POST /write` of an open collector. */
export function sentToLines({ write, sessionStore, as, clientHeaders }: SentTo): string[] {
  if (sessionStore === null && as === null && !clientHeaders) return [];
  const who = [
    ...(as === null ? [] : [`as ${as}`]),
    ...(clientHeaders ? ['each from its visitor’s own address'] : []),
  ];
  const how = who.length === 0 ? '' : `; ${who.join(', ')}`;
  if (sessionStore === null) return [`Sent       ${formatCount(write)} events to /write${how}`];
  const { name, heartbeats, sessions, live, departed } = sessionStore;
  const beats = `${formatCount(heartbeats)} heartbeats of ${formatCount(sessions)} sessions to the session store ${name}`;
  const end =
    live === null || departed === null
      ? []
      : [`Sessions   ${formatCount(live)} in ${name}, ${formatCount(departed)} departed during the run`];
  return [`Sent       ${formatCount(write)} events to /write, ${beats}${how}`, ...end];
}
