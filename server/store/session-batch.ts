/** The sessions that one batch touches: their keys, counts, new facts and numbers. */
import { limits } from '../protocol/limits.ts';
import type { CommitRequest } from './commit-request.ts';
import type { EventRecord } from './event-record.ts';
import { escapeName, type PropertyKeys } from './keys.ts';
import type { RecentMap } from './recent-map.ts';
import { expiryJitterSeconds, type Retention } from './retention.ts';
import { addToDelta, Session, type SessionDelta, type TabDelta } from './session-cache.ts';

const dayMs = 86_400_000;
/**
 * A session's home outlives the horizon of late events, 7 days, although its life is renewed once a day only.
 */
export const homeSeconds = 9 * 86_400;

const ifAbsent = 0;
const overwrite = 1;

export class SessionBatch {
  readonly #keys: PropertyKeys;
  readonly #cache: RecentMap<string, Session>;
  readonly #fresh = new Map<string, Session>();
  readonly #deltas: SessionDelta[] = [];
  /** Days in the order of their first use, with the position from 1 that the request gives them. */
  readonly #days = new Map<string, number>();

  readonly #today: number;
  /** The deltas in the order of the request: beats, others of sessions touched today, the rest. */
  #order: readonly SessionDelta[] = [];
  #beats = 0;
  #light = 0;

  /** `today` is in days since 1970. */
  constructor(keys: PropertyKeys, cache: RecentMap<string, Session>, today: number) {
    this.#keys = keys;
    this.#cache = cache;
    this.#today = today;
  }

  add(sessionId: string, event: EventRecord, position: number): void {
    let session = this.#cache.get(sessionId) ?? this.#fresh.get(sessionId);
    if (session === undefined) {
      session = new Session(this.#keys, sessionId, event);
      this.#fresh.set(sessionId, session);
    }
    if (session.delta === undefined) {
      this.#deltas.push(addToDelta(session, event, position));
      if (!this.#days.has(session.day)) this.#days.set(session.day, this.#days.size + 1);
    } else {
      addToDelta(session, event, position);
    }
  }

  get count(): number {
    return this.#deltas.length;
  }

  /** Days of this batch's sessions that the registry may not know yet. */
  newDays(registered: ReadonlySet<string>): string[] {
    return [...this.#days.keys()].filter((day) => !registered.has(day));
  }

  get beatCount(): number {
    return this.#beats;
  }

  /** Sessions whose homes need no look; beats included. */
  get lightCount(): number {
    return this.#light;
  }

  get dayCount(): number {
    return this.#days.size;
  }

  writeKeys(request: CommitRequest): void {
    const beats: SessionDelta[] = [];
    const light: SessionDelta[] = [];
    const rest: SessionDelta[] = [];
    for (const delta of this.#deltas) {
      if (delta.session.touchedDay !== this.#today) rest.push(delta);
      else if (isBeat(delta)) beats.push(delta);
      else light.push(delta);
    }
    this.#beats = beats.length;
    this.#light = beats.length + light.length;
    this.#order = light.length + rest.length === 0 ? beats : [...beats, ...light, ...rest];
    for (let i = 0; i < this.#order.length; i++) {
      const { session } = this.#order[i] as SessionDelta;
      if (i >= this.#light) request.keyBulk(session.homeBulk);
      request.keyBulk(session.infoBulk);
    }
    for (const day of this.#days.keys()) request.key(this.#keys.sessionIndex(day));
  }

  writeNumbers(request: CommitRequest, retention: Retention, nowMs: number): void {
    for (const day of this.#days.keys()) {
      request.u16(request.sharedText(day));
      const seconds = sessionSecondsToLive(day, this.#keys.sessionIndex(day), retention, nowMs);
      request.u16(request.sharedText(String(seconds)));
    }
    for (let i = 0; i < this.#order.length; i++) {
      const delta = this.#order[i] as SessionDelta;
      if (i < this.#beats) {
        writeBeat(request, delta);
      } else {
        if (i >= this.#light) {
          request.u16(this.#days.get(delta.session.day) ?? 0);
          request.u16(delta.session.stored ? 0 : request.text(delta.session.escapedId));
        }
        writeDelta(request, delta);
      }
    }
  }

  /** The commit succeeded: what it told Redis need not be told again. */
  settle(): void {
    for (const [sessionId, session] of this.#fresh) this.#cache.set(sessionId, session);
    for (const delta of this.#deltas) {
      delta.session.settle(delta, this.#today);
      delta.session.delta = undefined;
    }
  }

  /** The commit did not happen. Corrected days are kept for packing again; nothing is cached. */
  takeBack(): void {
    for (const delta of this.#deltas) delta.session.delta = undefined;
  }

  /**
   * What Redis says about the days, in the order of the sessions. A corrected session is cached before its
   * commit: the day is a fact of Redis, and the next packing must know it.
   */
  correctDays(days: readonly string[]): void {
    for (let i = 0; i < this.#order.length; i++) {
      const session = this.#order[i]?.session;
      const day = days[i];
      if (session === undefined || day === undefined || day === '=') continue;
      session.correctDay(day);
      this.#cache.set(session.id, session);
    }
  }
}

/** Seconds that a day's sessions are kept, 0 for ever; never less than their homes, however old the day is. */
function sessionSecondsToLive(day: string, key: string, retention: Retention, nowMs: number): number {
  if (retention.session === undefined) return 0;
  const keptMs = Date.parse(day) + dayMs + retention.session - nowMs;
  return Math.max(Math.ceil(keptMs / 1000), homeSeconds) + expiryJitterSeconds(key);
}

/** One numbered heartbeat, of a tab that is known, that tells nothing new. */
function isBeat(delta: SessionDelta): boolean {
  const tab = delta.tabs[0];
  return (
    delta.tabs.length === 1 &&
    tab !== undefined &&
    tab.events === 1 &&
    tab.heartbeats === 1 &&
    tab.seqs.length === 1 &&
    tab.tabId === delta.session.tabStored &&
    newFacts(delta) === noFacts
  );
}

function writeBeat(request: CommitRequest, delta: SessionDelta): void {
  const tab = delta.tabs[0] as TabDelta;
  request.u16(tabField(request, tab));
  request.u16((tab.positions[0] ?? 0) + 1);
  request.u32(tab.seqs[0] ?? 0);
  request.f64(tab.lastMs);
}

function writeDelta(request: CommitRequest, delta: SessionDelta): void {
  const { firstView, lastView } = delta;
  const fields = newFacts(delta);
  request.u16(fields.length);
  request.u16(delta.tabs.length);
  request.u8(firstView === undefined ? 0 : 1);
  if (firstView !== undefined && lastView !== undefined) {
    request.f64(firstView.timeMs);
    request.u16(request.sharedText(shortPath(firstView)));
    request.f64(lastView.timeMs);
    request.u16(request.sharedText(shortPath(lastView)));
  }
  for (const [name, value, mode] of fields) {
    request.u16(request.sharedText(name));
    request.u16(request.sharedText(value));
    request.u8(mode);
  }
  for (const tab of delta.tabs) writeTab(request, tab);
}

function writeTab(request: CommitRequest, tab: TabDelta): void {
  request.u16(tabField(request, tab));
  request.u16(tab.events);
  request.u16(tab.views);
  request.u16(tab.heartbeats);
  request.f64(tab.firstMs);
  request.f64(tab.lastMs);
  request.u16(tab.seqs.length);
  for (let i = 0; i < tab.seqs.length; i++) {
    request.u16((tab.positions[i] ?? 0) + 1);
    request.u32(tab.seqs[i] ?? 0);
  }
}

const tabField = (request: CommitRequest, tab: TabDelta): number =>
  request.sharedText(`w:${escapeName(tab.tabId)}`);

/** Cut without parting a surrogate pair, which would leave half a character. */
function shortPath(view: EventRecord): string {
  const path = view.pagePath ?? '';
  if (path.length <= limits.pagePathLengthMax) return path;
  const cut = path.slice(0, limits.pagePathLengthMax);
  const last = cut.charCodeAt(cut.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? cut.slice(0, -1) : cut;
}

type Fact = readonly [name: string, value: string, mode: number];

const noFacts: readonly Fact[] = [];

/** Facts about the session that Redis was not told yet. At least one (the visitor) unless its info is stored. */
function newFacts({ session, start, source, user, visitorId }: SessionDelta): readonly Fact[] {
  const startNew = start !== undefined && !session.startStored;
  const sourceNew = source !== undefined && !session.sourceStored;
  const userNew = user !== undefined && user !== session.userStored;
  if (session.stored && !startNew && !sourceNew && !userNew) return noFacts;
  const facts: Fact[] = [];
  if (!session.stored) facts.push(['visitor', visitorId, ifAbsent]);
  if (startNew) facts.push(['start', String(start), ifAbsent]);
  if (sourceNew) {
    facts.push(['source', source.source ?? '', ifAbsent]);
    // Both or none: an absent campaign must not be filled in by a later event's.
    facts.push(['campaign', source.campaign ?? '', ifAbsent]);
  }
  if (userNew) facts.push(['user', user, overwrite]);
  return facts;
}
