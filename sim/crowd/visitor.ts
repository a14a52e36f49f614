/**
 * One visitor: its acts, one after the other, each with the time at which it is meant to happen.
 *
 *   sessionStart --> view --> view --> ... --> leave         the reading line: page load, reading times
 *          heartbeat   heartbeat   heartbeat                 the fixed clock: base + k x interval
 *
 * The next act is the earlier of the two lines' next; at the same instant the reading line goes first,
 * so a heartbeat names the page just opened, and none is sent at the instant of leaving. Everything is
 * drawn from the visitor's own stream and only by the reading line, so neither replies, nor the heartbeat
 * interval, nor other visitors can change a plan.
 *
 * Cost: a visitor with its ids holds 470 bytes. `advance` allocates no object; a page change makes a few
 * boxed numbers that die at once, 9 bytes per act on average (Node 20, one heartbeat every 5 s).
 */
import { clampedLogNormal } from '../random/distributions.ts';
import type { RandomStream } from '../random/random-stream.ts';
import type { Profile } from './profile.ts';
import type { TrafficSource } from './site.ts';
import { noPage, type SiteMap } from './site-map.ts';
import type { Traits } from './traits.ts';
import { pageLoad, sessionMsMax } from './visit-timing.ts';

/** `leave` sends no event. What a richer crowd does besides has the numbers from 3 on (crowd-types.ts). */
export const acts = { sessionStart: 0, view: 1, heartbeat: 2, leave: -1 } as const;

/** A position in the crowd's types, or `acts.leave`. */
export type ActKind = number;

/** The `event.type` of the acts that every crowd has, by their numbers. */
export const eventTypes = ['sessionStart', 'view', 'heartbeat'] as const;

export interface Person {
  readonly visitorId: string;
  readonly profile: Profile;
  /** The how-many-th person of the slot, from 0. */
  readonly number: number;
  /** True if this person was here before this visit. */
  readonly returning: boolean;
  /** What else is known of a person of a richer crowd. */
  readonly traits?: Traits;
}

/** When heartbeats come: at `baseMs + k x intervalMs`, k from `first` on. A base of `Infinity` means never. */
export interface HeartbeatClock {
  readonly baseMs: number;
  readonly first: number;
  readonly intervalMs: number;
}

export interface VisitorInit {
  readonly slot: number;
  readonly generation: number;
  readonly person: Person;
  readonly personsSoFar: number;
  readonly sessionId: string;
  readonly startMs: number;
  readonly source: TrafficSource;
  readonly heartbeat: HeartbeatClock;
  /** The visitor's own; drawn from by nobody else from now on. */
  readonly stream: RandomStream;
  readonly map: SiteMap;
}

/**
 * A visitor as the driver sees it: an act at a time. All times are run-relative milliseconds, with a fraction.
 * PlainVisitor reads and beats; RichVisitor (rich-visitor.ts) does all that a crowd's config can ask for.
 */
export interface Visitor {
  readonly slot: number;
  /** The how-many-th visitor of its slot, from 0. */
  readonly generation: number;
  readonly person: Person;
  /** How many different people have lived in the slot so far. */
  readonly personsSoFar: number;
  readonly sessionId: string;
  readonly startMs: number;
  /** The next act and its intended time; `Infinity` once `leave` was taken. */
  readonly kind: ActKind;
  readonly dueMs: number;
  /** The page of the next act: for a heartbeat the page being read, for `leave` of no meaning. */
  readonly pageIndex: number;
  /** Number of the next event in its tab: 1, 2, 3 ...; 0 for `leave`, which sends none. */
  readonly seq: number;
  /** The tab of the next act, from 1. */
  readonly tab: number;
  /** Members of the next act's event beside those of every event, as JSON that ends with a comma, or ''. */
  readonly extra: string;
  /** When it left; `Infinity` while it is here. */
  readonly leftMs: number;
  /** Which of the slot's newest persons have signed up on this site: bit k for the k-th newest. */
  readonly accounts: number;
  readonly source: string | undefined;
  readonly campaign: string | undefined;
  readonly elapsedMs: number;
  advance(): void;
  leaveAt(ms: number): void;
  /** Plays the visit up to a time without sending anything, and begins to count its events anew. */
  skipTo(ms: number): void;
}

export class PlainVisitor implements Visitor {
  readonly slot: number;
  readonly generation: number;
  readonly person: Person;
  readonly personsSoFar: number;
  readonly sessionId: string;
  // Times start as a fraction, not as undefined: V8 then keeps them as bare doubles, changed in place.
  readonly startMs: number = 0.5;
  kind: ActKind = acts.sessionStart;
  dueMs = 0.5;
  pageIndex: number;
  seq = 1;
  leftMs = Number.POSITIVE_INFINITY;

  readonly #source: TrafficSource;
  readonly #stream: RandomStream;
  readonly #map: SiteMap;
  /** The next act of the reading line: a view of this page, or leaving (`noPage`). */
  #readingPage: number;
  #readingDueMs = 0.5;
  readonly #heartbeatBaseMs: number = 0.5;
  readonly #heartbeatMs: number;
  #heartbeat: number;

  constructor(init: VisitorInit) {
    this.slot = init.slot;
    this.generation = init.generation;
    this.person = init.person;
    this.personsSoFar = init.personsSoFar;
    this.sessionId = init.sessionId;
    this.startMs = init.startMs;
    this.dueMs = init.startMs;
    this.#source = init.source;
    this.#stream = init.stream;
    this.#map = init.map;
    this.#heartbeatBaseMs = init.heartbeat.baseMs;
    this.#heartbeatMs = init.heartbeat.intervalMs;
    this.#heartbeat = init.heartbeat.first;
    const { medianMs, sigma, minMs, maxMs } = pageLoad;
    this.#readingDueMs =
      init.startMs + Math.round(clampedLogNormal(init.stream, medianMs, sigma, minMs, maxMs));
    this.#readingPage = init.map.entryPage(init.stream);
    this.pageIndex = this.#readingPage;
  }

  get tab(): number {
    return 1;
  }

  get extra(): string {
    return '';
  }

  get accounts(): number {
    return 0;
  }

  /** What brought the visit; undefined for somebody who came directly. */
  get source(): string | undefined {
    return this.#source.name;
  }

  get campaign(): string | undefined {
    return this.#source.campaign;
  }

  /**
   * Whole milliseconds from the session's start to the next act, as they stand on the wire, where times
   * are floored: event.time - session.start.
   */
  get elapsedMs(): number {
    return Math.floor(this.dueMs) - Math.floor(this.startMs);
  }

  /** Takes the next act and moves on to the following one. After `leave` there is none. */
  advance(): void {
    if (this.kind === acts.leave) {
      if (this.dueMs !== Number.POSITIVE_INFINITY) this.leftMs = this.dueMs;
      this.dueMs = Number.POSITIVE_INFINITY;
      return;
    }
    if (this.kind === acts.view) this.#read();
    else if (this.kind === acts.heartbeat) this.#heartbeat += 1;
    this.seq += 1;
    this.#chooseNext();
  }

  /** Sends the visitor home: the next act becomes `leave` at the given time. No effect once it has left. */
  leaveAt(ms: number): void {
    if (this.dueMs === Number.POSITIVE_INFINITY) return;
    this.kind = acts.leave;
    this.dueMs = ms;
    this.seq = 0;
  }

  skipTo(ms: number): void {
    while (this.dueMs < ms) this.advance();
    if (this.kind !== acts.leave) this.seq = 1;
  }

  /** Draws how long the page just opened is read, and what follows. */
  #read(): void {
    const untilMs = this.#readingDueMs + this.#map.readingMs(this.pageIndex, this.#stream);
    const capMs = this.startMs + sessionMsMax;
    this.#readingPage = untilMs < capMs ? this.#map.nextPage(this.pageIndex, this.#stream) : noPage;
    this.#readingDueMs = Math.min(untilMs, capMs);
  }

  #chooseNext(): void {
    // Multiplied out, never summed up, so that the clock can't drift. In place: a call would box the result.
    const heartbeatMs = this.#heartbeatBaseMs + this.#heartbeat * this.#heartbeatMs;
    if (heartbeatMs < this.#readingDueMs) {
      this.kind = acts.heartbeat;
      this.dueMs = heartbeatMs;
    } else if (this.#readingPage === noPage) {
      this.leaveAt(this.#readingDueMs);
    } else {
      this.kind = acts.view;
      this.dueMs = this.#readingDueMs;
      this.pageIndex = this.#readingPage;
    }
  }
}
