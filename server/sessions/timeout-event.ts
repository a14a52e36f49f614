/**
 * The event of a departure: one `sessionTimeout` for a session that fell silent, with its last heartbeat in it.
 *
 * It counts once, whoever writes it and however often, because everything by which the store tells duplicates is a
 * function of the heartbeat that was claimed: the departure's number in a tab of the flusher's own. Numbers are
 * remembered as long as the session (9 days at least); an `event.id` alone for a day. The tab's name says in which
 * 8 days the session began, so that a session that comes back when all of it is forgotten does not meet its own numbers.
 */
import { createHash } from 'node:crypto';
import { limits } from '../protocol/limits.ts';
import type { SessionDocument, SessionFacts } from './session-document.ts';

/** A departed session as the collector hands it out, its `_m1.session` proven. */
export interface DepartedSession {
  readonly sessionId: string;
  readonly facts: SessionFacts & { readonly departure: number };
  readonly document: SessionDocument;
}

/**
 * `whole`: all that the heartbeat said. `least`: only what no collector can refuse, for a heartbeat that would make
 * the event too large, too deep or not an event. `unnumbered`: the same for a session that has as many tabs as it may.
 */
export type TimeoutForm = 'whole' | 'least' | 'unnumbered';

const lifeMs = 8 * 86_400_000;

/** Members that the heartbeat passes on to its session's last event, beside its session and visitor. */
const passedOn = ['page', 'source', 'user'] as const;

export function timeoutEvent(session: DepartedSession, form: TimeoutForm): Record<string, unknown> {
  const { sessionId, facts, document } = session;
  const startMs = form === 'whole' ? timeOf(memberOf(document, 'session', 'start')) : undefined;
  const data = {
    /** When the visitor was last heard of, by its own clock, epoch ms. */
    departed: facts.lastSeen,
    visitMs: Math.max(0, facts.lastSeen - (startMs ?? facts.firstSeen)),
    departure: facts.departure,
    heartbeat: form === 'whole' ? document : { isReduced: true },
  };
  const numbered = form === 'unnumbered' ? {} : { seq: facts.departure };
  return {
    event: { type: 'sessionTimeout', id: eventIdOf(session), ...numbered, time: facts.lastSeen, data },
    session: form === 'whole' ? document['session'] : { id: sessionId },
    visitor: { id: visitorOf(session) },
    ...(form === 'unnumbered' ? {} : { tab: { id: `_flusher${Math.floor(facts.firstSeen / lifeMs)}` } }),
    ...(form === 'whole' ? groupsOf(document) : {}),
  };
}

/** One id for one heartbeat of one session. */
function eventIdOf({ sessionId, facts }: DepartedSession): string {
  const hash = createHash('sha256').update(`${facts.lastUpdated}:${sessionId}`).digest('hex');
  return `timeout-${hash.slice(0, 40)}`;
}

/** An event needs a visitor, a heartbeat doesn't: a session that named none is a visitor of its own. */
function visitorOf({ document, sessionId }: DepartedSession): string {
  const id = memberOf(document, 'visitor', 'id');
  const isId = typeof id === 'string' && id.length >= 1 && id.length <= limits.idLengthMax;
  return isId && !/\p{Surrogate}/u.test(id) ? id : sessionId;
}

function groupsOf(document: SessionDocument): Record<string, unknown> {
  const given = passedOn.filter((name) => document[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, document[name]]));
}

function memberOf(document: SessionDocument, group: string, name: string): unknown {
  const members = document[group];
  return typeof members === 'object' && members !== null
    ? (members as Record<string, unknown>)[name]
    : undefined;
}

/** True if the heartbeat's browser was taken for a bot. */
export function isBot({ document }: DepartedSession): boolean {
  const agent = memberOf(document, '_m1', 'ua');
  return typeof agent === 'object' && agent !== null && (agent as Record<string, unknown>)['bot'] === true;
}

/** Epoch ms of a time as clients write it; undefined if it is none. */
function timeOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}

/** Reads a document of `POST /session/expired`; undefined if it is none. */
export function readDeparted(document: unknown): DepartedSession | undefined {
  if (typeof document !== 'object' || document === null) return undefined;
  const own = document as SessionDocument;
  const sessionId = memberOf(own, 'session', 'id');
  const facts = memberOf(own, '_m1', 'session') as Partial<SessionFacts> | undefined;
  const times = [facts?.lastUpdated, facts?.firstSeen, facts?.lastSeen, facts?.departure];
  if (typeof sessionId !== 'string' || !times.every((time) => typeof time === 'number')) return undefined;
  return { sessionId, facts: facts as DepartedSession['facts'], document: own };
}
