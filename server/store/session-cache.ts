/**
 * What a collector remembers of a session: its keys, and what Redis was already told, so that a heartbeat
 * repeats none of it.
 */
import { dayName } from '../base/time-bucket.ts';
import { bulk } from './commit-request.ts';
import type { EventRecord } from './event-record.ts';
import { escapeName, type PropertyKeys } from './keys.ts';

/** The numbers of one tab in one batch. */
export interface TabNumbers {
  readonly tabId: string;
  readonly seqs: number[];
  /** Positions of the events in the batch, one for each number. */
  readonly positions: number[];
}

/** What one batch adds to a session. */
export interface SessionDelta {
  readonly session: Session;
  events: number;
  views: number;
  heartbeats: number;
  firstMs: number;
  lastMs: number;
  firstView: EventRecord | undefined;
  lastView: EventRecord | undefined;
  start: number | undefined;
  source: EventRecord | undefined;
  user: string | undefined;
  readonly visitorId: string;
  readonly tabs: TabNumbers[];
}

export class Session {
  readonly id: string;
  readonly escapedId: string;
  readonly homeBulk: string;
  /** The day whose list and info the session belongs to: known from Redis, otherwise a guess. */
  day: string;
  infoBulk: string;
  /** Redis has the session's info: only what changes is sent. */
  stored = false;
  /** Days since 1970 of the last commit: its home was touched then and lives nine days from there. */
  touchedDay = -1;
  /** A tab that has a window in the home; undefined if none is known. */
  tabStored: string | undefined;
  startStored = false;
  sourceStored = false;
  userStored: string | undefined;
  /** Present while a batch is packed. */
  delta: SessionDelta | undefined;
  readonly #keys: PropertyKeys;

  constructor(keys: PropertyKeys, sessionId: string, first: EventRecord) {
    this.#keys = keys;
    this.id = sessionId;
    this.escapedId = escapeName(sessionId);
    this.homeBulk = bulk(keys.sessionHome(this.escapedId));
    this.day = dayName(first.sessionStartMs ?? first.timeMs);
    this.infoBulk = bulk(keys.sessionInfo(this.day, this.escapedId));
  }

  /** Corrects the day; an empty one says that Redis does not have the info and must be told everything. */
  correctDay(day: string): void {
    if (day === this.day) return;
    this.stored = false;
    this.touchedDay = -1;
    this.tabStored = undefined;
    this.startStored = false;
    this.sourceStored = false;
    this.userStored = undefined;
    if (day === '') return;
    this.day = day;
    this.infoBulk = bulk(this.#keys.sessionInfo(day, this.escapedId));
  }

  /** The batch with this delta is stored. */
  settle(delta: SessionDelta, today: number): void {
    this.stored = true;
    this.touchedDay = today;
    const tab = delta.tabs[0];
    if (tab !== undefined) this.tabStored = tab.tabId;
    if (delta.start !== undefined) this.startStored = true;
    if (delta.source !== undefined) this.sourceStored = true;
    if (delta.user !== undefined) this.userStored = delta.user;
  }
}

export function addToDelta(session: Session, event: EventRecord, position: number): SessionDelta {
  const delta = session.delta ?? newDelta(session, event);
  session.delta = delta;
  delta.events++;
  if (event.timeMs < delta.firstMs) delta.firstMs = event.timeMs;
  if (event.timeMs > delta.lastMs) delta.lastMs = event.timeMs;
  if (event.type === 'heartbeat') delta.heartbeats++;
  else if (event.type === 'view') addView(delta, event);
  if (event.sessionStartMs !== undefined) delta.start ??= event.sessionStartMs;
  if (event.source !== undefined) delta.source ??= event;
  if (event.userId !== undefined) delta.user = event.userId;
  if (event.seq > 0) addNumber(delta, event, position);
  return delta;
}

function newDelta(session: Session, event: EventRecord): SessionDelta {
  return {
    session,
    events: 0,
    views: 0,
    heartbeats: 0,
    firstMs: event.timeMs,
    lastMs: event.timeMs,
    firstView: undefined,
    lastView: undefined,
    start: undefined,
    source: undefined,
    user: undefined,
    visitorId: event.visitorId,
    tabs: [],
  };
}

function addView(delta: SessionDelta, event: EventRecord): void {
  delta.views++;
  if (event.pagePath === undefined) return;
  if (delta.firstView === undefined || event.timeMs < delta.firstView.timeMs) delta.firstView = event;
  if (delta.lastView === undefined || event.timeMs >= delta.lastView.timeMs) delta.lastView = event;
}

function addNumber(delta: SessionDelta, event: EventRecord, position: number): void {
  for (const tab of delta.tabs) {
    if (tab.tabId !== event.tabId) continue;
    tab.seqs.push(event.seq);
    tab.positions.push(position);
    return;
  }
  delta.tabs.push({ tabId: event.tabId, seqs: [event.seq], positions: [position] });
}
