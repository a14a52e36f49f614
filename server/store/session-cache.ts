/**
 * What a collector remembers of a session: its keys, and what Redis was already told, so that a heartbeat
 * repeats none of it.
 */
import { dayName } from '../base/time-bucket.ts';
import { bulk } from './commit-request.ts';
import type { EventRecord } from './event-record.ts';
import { escapeName, type PropertyKeys } from './keys.ts';

/** What one batch adds to one tab. */
export interface TabDelta {
  readonly tabId: string;
  events: number;
  views: number;
  heartbeats: number;
  firstMs: number;
  lastMs: number;
  readonly seqs: number[];
  /** Positions of the events in the batch, one for each number. */
  readonly positions: number[];
}

/** What one batch adds to a session. */
export interface SessionDelta {
  readonly session: Session;
  firstView: EventRecord | undefined;
  lastView: EventRecord | undefined;
  start: number | undefined;
  source: EventRecord | undefined;
  user: string | undefined;
  readonly visitorId: string;
  readonly tabs: TabDelta[];
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
    if (tab !== undefined && tab.seqs.length > 0) this.tabStored = tab.tabId;
    if (delta.start !== undefined) this.startStored = true;
    if (delta.source !== undefined) this.sourceStored = true;
    if (delta.user !== undefined) this.userStored = delta.user;
  }
}

export function addToDelta(session: Session, event: EventRecord, position: number): SessionDelta {
  const delta = session.delta ?? newDelta(session, event);
  session.delta = delta;
  const tab = tabOf(delta, event);
  tab.events++;
  if (event.timeMs < tab.firstMs) tab.firstMs = event.timeMs;
  if (event.timeMs > tab.lastMs) tab.lastMs = event.timeMs;
  if (event.type === 'heartbeat') {
    tab.heartbeats++;
  } else if (event.type === 'view') {
    tab.views++;
    if (event.pagePath !== undefined) addView(delta, event);
  }
  if (event.seq > 0) {
    tab.seqs.push(event.seq);
    tab.positions.push(position);
  }
  if (event.sessionStartMs !== undefined) delta.start ??= event.sessionStartMs;
  if (event.source !== undefined) delta.source ??= event;
  if (event.userId !== undefined) delta.user = event.userId;
  return delta;
}

function newDelta(session: Session, event: EventRecord): SessionDelta {
  return {
    session,
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
  if (delta.firstView === undefined || event.timeMs < delta.firstView.timeMs) delta.firstView = event;
  if (delta.lastView === undefined || event.timeMs >= delta.lastView.timeMs) delta.lastView = event;
}

/** Events without a number count in the tab without a name, so that naming tabs costs windows only. */
function tabOf(delta: SessionDelta, event: EventRecord): TabDelta {
  const tabId = event.seq > 0 ? event.tabId : '';
  for (const tab of delta.tabs) if (tab.tabId === tabId) return tab;
  const { timeMs } = event;
  const none = { events: 0, views: 0, heartbeats: 0, firstMs: timeMs, lastMs: timeMs };
  const tab: TabDelta = { tabId, ...none, seqs: [], positions: [] };
  delta.tabs.push(tab);
  return tab;
}
