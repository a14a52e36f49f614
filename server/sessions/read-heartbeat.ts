/**
 * A document of an upsert becomes a proven and enriched heartbeat, or the rule that it breaks. Less is asked than of
 * an event: a session's id is all that a session store needs. What orders heartbeats (number, tab, time) must be
 * right where it is given.
 */
import { limits } from '../protocol/limits.ts';
import { type SessionHeartbeat, timeMsMax } from '../store/session-store-record.ts';
import type { HeartbeatDoor } from './heartbeat-door.ts';

type Group = Readonly<Record<string, unknown>>;

const noMembers: Group = Object.freeze({});

/** Half a surrogate pair has no UTF-8: two ids that differ in one would be the same id in Redis. */
const halfPair = /\p{Surrogate}/u;

export function isSessionId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length >= 1 &&
    value.length <= limits.idLengthMax &&
    !halfPair.test(value)
  );
}

export const sessionIdRule = `must be a text of 1 to ${limits.idLengthMax} characters`;

/**
 * @param text the JSON text of exactly this value, if it is at hand
 * @returns a text: the rule that is broken, naming the member
 */
export function readHeartbeat<Receipt extends { readonly receivedMs: number }>(
  value: unknown,
  text: string | undefined,
  receipt: Receipt,
  door: HeartbeatDoor<Receipt>,
): SessionHeartbeat | string {
  if (!isGroup(value)) return 'must be an object';
  const shapeFault = door.shapeFault(value);
  if (shapeFault !== undefined) return shapeFault;
  const { event = noMembers, session = noMembers, tab = noMembers } = value;
  if (!isGroup(event) || !isGroup(session) || !isGroup(tab)) return 'event, session and tab must be objects';
  const fault = faultOf(event, session, tab);
  if (fault !== undefined) return fault;
  const ownTimeMs = event['time'] === undefined ? undefined : door.readTime(event['time']);
  if (event['time'] !== undefined && ownTimeMs === undefined)
    return `event.time must be a time: epoch milliseconds or ISO 8601, got ${quoted(event['time'])}`;
  const isTimeReceived =
    ownTimeMs !== undefined &&
    !(door.isTrusted(ownTimeMs, receipt) && ownTimeMs >= 0 && ownTimeMs <= timeMsMax);
  const json = door.enrich(value as Record<string, unknown>, text, receipt, isTimeReceived);
  if (isTooLarge(json)) return `is larger than ${limits.eventBytesMax} bytes`;
  return {
    sessionId: session['id'] as string,
    timeMs: ownTimeMs === undefined || isTimeReceived ? receipt.receivedMs : ownTimeMs,
    seq: (event['seq'] as number | undefined) ?? 0,
    tabId: (tab['id'] as string | undefined) ?? '',
    json,
  };
}

function faultOf(event: Group, session: Group, tab: Group): string | undefined {
  const { id } = session;
  if (id === undefined) return 'session.id is missing';
  if (!isSessionId(id)) return `session.id ${sessionIdRule}, got ${quoted(id)}`;
  if (tab['id'] !== undefined && !isSessionId(tab['id']))
    return `tab.id ${sessionIdRule}, got ${quoted(tab['id'])}`;
  const { seq } = event;
  const isNumber =
    seq === undefined || (Number.isInteger(seq) && (seq as number) >= 1 && (seq as number) <= limits.seqMax);
  return isNumber
    ? undefined
    : `event.seq must be a whole number from 1 to ${limits.seqMax}, got ${quoted(seq)}`;
}

function isGroup(value: unknown): value is Group {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as a message shows it: short, on one line. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** UTF-8 takes at most 3 bytes for a UTF-16 unit, so short documents need no counting. */
function isTooLarge(json: string): boolean {
  return json.length * 3 > limits.eventBytesMax && Buffer.byteLength(json) > limits.eventBytesMax;
}
