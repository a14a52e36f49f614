/**
 * One JSON value becomes one proven and enriched event, or the reason why not. Nothing behind this door
 * looks at the client's JSON again.
 *
 * Speed: about 0.9 us for an ordinary heartbeat, its JSON text given; allocates the record and its document.
 */
import type { RejectReason } from '../protocol/event.ts';
import { limits } from '../protocol/limits.ts';
import type { EventRecord } from '../store/event-record.ts';
import { enrichedJson, isTimeWithinLimits, type Receipt } from './enrich.ts';
import { checkShape } from './event-shape.ts';
import { parseEventTime } from './event-time.ts';
import { type Group, halfPair, isGroup, isText, isTextOrAbsent } from './members.ts';
import { standardTypes } from './standard-types.ts';

/**
 * @param text the JSON text of exactly this value, if it is at hand; see enrich.ts
 */
export function readEvent(
  value: unknown,
  text: string | undefined,
  receipt: Receipt,
): EventRecord | RejectReason {
  if (!isGroup(value)) return 'not_an_object';
  const brokenShape = checkShape(value);
  if (brokenShape !== undefined) return brokenShape;
  const { event = noMembers, session = noMembers, visitor = noMembers, tab = noMembers } = value;
  const { page = noMembers, source = noMembers } = value;
  if (!isGroup(event) || !isGroup(session) || !isGroup(visitor)) return 'invalid_group';
  if (!isGroup(tab) || !isGroup(page) || !isGroup(source)) return 'invalid_group';
  const broken =
    checkEvent(event) ??
    checkVisitor(visitor) ??
    checkSession(session, event) ??
    (isTextOrAbsent(tab['id'], limits.idLengthMax) ? undefined : 'invalid_tab') ??
    checkSource(source) ??
    checkPage(page);
  if (broken !== undefined) return broken;
  const ownTimeMs = event['time'] === undefined ? undefined : parseEventTime(event['time']);
  if (event['time'] !== undefined && ownTimeMs === undefined) return 'invalid_time';
  const sessionStartMs = session['start'] === undefined ? undefined : parseEventTime(session['start']);
  if (session['start'] !== undefined && sessionStartMs === undefined) return 'invalid_session_start';
  const standard = standardTypes.get(event['type'] as string);
  const brokenMember = standard?.check(value, receipt);
  if (brokenMember !== undefined) return brokenMember;

  // A client whose clock is out of limits is counted when it was heard, and its document says so.
  const isTimeReceived = ownTimeMs !== undefined && !isTimeWithinLimits(ownTimeMs, receipt);
  const timeMs = ownTimeMs === undefined || isTimeReceived ? receipt.receivedMs : ownTimeMs;
  const json = enrichedJson(value, text, receipt, isTimeReceived);
  if (isTooLarge(json)) return 'too_large';
  return {
    type: event['type'] as string,
    timeMs,
    visitorId: visitor['id'] as string,
    sessionId: session['id'] as string | undefined,
    sessionStartMs: trustedStart(sessionStartMs, receipt),
    tabId: (tab['id'] as string | undefined) ?? '',
    seq: (event['seq'] as number | undefined) ?? 0,
    eventId: event['id'] as string | undefined,
    source: source['name'] as string | undefined,
    campaign: source['campaign'] as string | undefined,
    pagePath: shortened(page['path'] as string | undefined),
    userId: userIdOf(value['user']),
    isBot: receipt.isBot === true,
    identity: standard?.identity?.(value, timeMs, ownTimeMs === timeMs),
    json,
  };
}

const noMembers: Group = Object.freeze({});

function checkEvent(event: Group): RejectReason | undefined {
  if (event['type'] === undefined) return 'missing_type';
  if (!isText(event['type'], limits.nameLengthMax)) return 'invalid_type';
  if (!isTextOrAbsent(event['id'], limits.idLengthMax)) return 'invalid_id';
  const seq = event['seq'];
  if (seq === undefined) return undefined;
  return Number.isInteger(seq) && (seq as number) >= 1 && (seq as number) <= limits.seqMax
    ? undefined
    : 'invalid_seq';
}

function checkVisitor(visitor: Group): RejectReason | undefined {
  if (visitor['id'] === undefined) return 'missing_visitor';
  return isText(visitor['id'], limits.idLengthMax) ? undefined : 'invalid_visitor';
}

function checkSession(session: Group, event: Group): RejectReason | undefined {
  if (!isTextOrAbsent(session['id'], limits.idLengthMax)) return 'invalid_session';
  return event['seq'] !== undefined && session['id'] === undefined ? 'seq_without_session' : undefined;
}

function checkPage(page: Group): RejectReason | undefined {
  const { path, loadMs } = page;
  if (path !== undefined && typeof path !== 'string') return 'invalid_page';
  if (loadMs === undefined) return undefined;
  return typeof loadMs === 'number' && loadMs >= 0 && loadMs <= limits.pageLoadMsMax
    ? undefined
    : 'invalid_load_time';
}

/** A campaign alone says nothing: campaigns are counted within their source. */
function checkSource(source: Group): RejectReason | undefined {
  const isNamed = isTextOrAbsent(source['name'], limits.nameLengthMax);
  const isWhole = source['campaign'] === undefined || source['name'] !== undefined;
  return isNamed && isWhole && isTextOrAbsent(source['campaign'], limits.nameLengthMax)
    ? undefined
    : 'invalid_source';
}

/** A start out of limits comes from a wrong clock; the store then takes the event's time for the session's day. */
function trustedStart(startMs: number | undefined, receipt: Receipt): number | undefined {
  return startMs !== undefined && isTimeWithinLimits(startMs, receipt) ? startMs : undefined;
}

/** `user.id` where it is usable as one. No event is refused for its user: the group is the site's own. */
function userIdOf(user: unknown): string | undefined {
  const id = isGroup(user) ? user['id'] : undefined;
  return isText(id, limits.idLengthMax) ? id : undefined;
}

/** The path as session info keeps it; never ends in half a surrogate pair. */
function shortened(path: string | undefined): string | undefined {
  if (path === undefined || path.length <= limits.pagePathLengthMax) return path;
  const cut = path.slice(0, limits.pagePathLengthMax);
  return halfPair.test(cut.slice(-1)) ? cut.slice(0, -1) : cut;
}

/** UTF-8 takes at most 3 bytes for a UTF-16 unit, so short documents need no counting. */
function isTooLarge(json: string): boolean {
  return json.length * 3 > limits.eventBytesMax && Buffer.byteLength(json) > limits.eventBytesMax;
}
