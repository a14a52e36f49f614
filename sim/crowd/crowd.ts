/**
 * Who lives in each slot: the first visitor, and after each the next. Pure: a visitor follows from
 * (seed, slot, generation, the time its predecessor left), so a slot's whole story is the same on any
 * worker and among any number of them. The run id only changes the ids.
 *
 * The order of draws from a visitor's stream is: gap, returning or new, which of the recent persons,
 * source, heartbeat phase, page load, entry page, then per page its reading time and what follows. Each is
 * drawn whether it is needed or not. A richer crowd draws the same and what it needs besides from other streams.
 */
import assert from 'node:assert';
import { IdFactory, idKinds } from '../random/ids.ts';
import { deriveStream, purposes, type RandomStream } from '../random/random-stream.ts';
import { type CrowdConfig, isPlain } from './crowd-config.ts';
import { type CrowdExtras, makeExtras, rowsOf } from './extras.ts';
import type { Profile } from './profile.ts';
import { RichVisitor, type VisitorHost } from './rich-visitor.ts';
import type { Site, TrafficSource } from './site.ts';
import { SiteMap, type SitePage } from './site-map.ts';
import { drawTraits } from './traits.ts';
import { gapMsMax, recentPersons } from './visit-timing.ts';
import {
  eventTypes,
  type HeartbeatClock,
  type Person,
  PlainVisitor,
  type Visitor,
  type VisitorInit,
} from './visitor.ts';
import { type WarmPlan, WarmStart } from './warm-start.ts';

export interface CrowdOptions {
  /** Whole, 0 to 2^53 - 1. */
  readonly seed: number;
  readonly runId: string;
  readonly site: Site;
  /** What the crowd does beside reading; its site is `site`. Undefined: nothing. */
  readonly config?: CrowdConfig | undefined;
  /** At least one; see people.ts. */
  readonly people: readonly Profile[];
  /** The profile of each of the config's kinds of bots. */
  readonly bots?: readonly Profile[];
  /** Slots below this number begin in the midst of a visit, at run time 0. Default: none. */
  readonly warmSlots?: number;
  /** 0: no heartbeats. */
  readonly heartbeatMs: number;
  /** `spread`: each visitor its own phase. `sync`: everybody at the same multiples of heartbeatMs. */
  readonly phase: 'spread' | 'sync';
}

interface VisitPlace {
  readonly slot: number;
  readonly generation: number;
  readonly startMs: number;
  readonly personsSoFar: number;
  readonly accounts: number;
  /** Whose plan the visit follows: its own slot's, but for a warm start. */
  readonly planSlot: number;
  readonly heartbeatMs: number;
}

export class Crowd {
  /** Every page of the site; `Visitor.pageIndex` is a position in it. */
  readonly pages: readonly SitePage[];
  readonly #options: CrowdOptions;
  readonly #map: SiteMap;
  readonly #ids: IdFactory;
  /** Undefined: plain visitors will do. */
  readonly #extras: CrowdExtras | undefined;
  /** What richer visitors share; `silent` for plans of which only the length is asked. */
  readonly #hosts: { readonly beating: VisitorHost; readonly silent: VisitorHost } | undefined;
  readonly #warm: WarmStart | undefined;
  /** The rows of the ledger, by act kind. */
  readonly types: readonly string[];

  constructor(options: CrowdOptions) {
    assert(Number.isSafeInteger(options.seed) && options.seed >= 0, `seed ${options.seed}`);
    assert(options.people.length > 0 && options.heartbeatMs >= 0, 'people, heartbeatMs');
    this.#options = options;
    this.#map = new SiteMap(options.site);
    this.#ids = new IdFactory(options.seed, options.runId);
    this.pages = this.#map.pages;
    const { config, warmSlots = 0 } = options;
    this.#extras = config === undefined || isPlain(config) ? undefined : makeExtras(config, this.#map);
    if (this.#extras !== undefined) {
      const beating = this.#hostOf(this.#extras, options.heartbeatMs);
      this.#hosts = { beating, silent: this.#hostOf(this.#extras, 0) };
    }
    this.types = config === undefined ? eventTypes : rowsOf(config);
    if (warmSlots > 0) this.#warm = new WarmStart(options.seed, (slot) => this.#lengthMs(slot));
  }

  /** The visitor who opens a slot, arriving at a run-relative time. */
  firstVisitor(slot: number, arrivalMs: number): Visitor {
    const warm = this.#warmPlan(slot);
    if (warm === undefined) return this.#first(slot, slot, arrivalMs, this.#options.heartbeatMs);
    const visitor = this.#first(slot, warm.planSlot, -warm.elapsedMs, this.#options.heartbeatMs);
    visitor.skipTo(0);
    return visitor;
  }

  /** Who follows in the slot of a visitor that has left: somebody new, or one of its recent persons. */
  nextVisitor(previous: Visitor): Visitor {
    assert(previous.leftMs !== Number.POSITIVE_INFINITY, 'the previous visitor has not left');
    return this.#next(previous, undefined);
  }

  /** Who comes to a slot at a given time after another, who may still be here: arrivals wait for nobody. */
  visitorAfter(previous: Visitor, startMs: number): Visitor {
    return this.#next(previous, startMs);
  }

  #first(slot: number, planSlot: number, startMs: number, heartbeatMs: number): Visitor {
    const stream = this.#streamOf(planSlot, 0);
    stream.next(); // The gap: nobody was here before.
    stream.next(); // Returning: nobody can.
    stream.next();
    const person = this.#person(slot, 0, false, planSlot);
    const place = { slot, generation: 0, startMs, personsSoFar: 1, accounts: 0, planSlot, heartbeatMs };
    return this.#visitor(place, person, stream);
  }

  #next(previous: Visitor, atMs: number | undefined): Visitor {
    const { slot, personsSoFar, accounts } = previous;
    const generation = previous.generation + 1;
    const stream = this.#streamOf(slot, generation);
    const gapMs = stream.next() * gapMsMax;
    const startMs = atMs ?? previous.leftMs + gapMs;
    const returning = stream.next() < this.#map.returningShare;
    const back = this.#back(stream, personsSoFar);
    const number = returning ? personsSoFar - 1 - back : personsSoFar;
    const planSlot = this.#warmPlan(slot)?.planSlot ?? slot;
    const person = this.#person(slot, number, returning, number === 0 ? planSlot : slot);
    return this.#visitor(
      {
        slot,
        generation,
        startMs,
        personsSoFar: personsSoFar + (returning ? 0 : 1),
        // Those who are no longer remembered can't come back.
        accounts: returning ? accounts : (accounts << 1) & ((1 << recentPersons) - 1),
        planSlot: slot,
        heartbeatMs: this.#options.heartbeatMs,
      },
      person,
      stream,
    );
  }

  /** How many persons before the newest one. One uniform. */
  #back(stream: RandomStream, personsSoFar: number): number {
    const known = Math.min(recentPersons, personsSoFar);
    if (this.#extras === undefined) return stream.int(known);
    const weights = this.#extras.recency.slice(0, known);
    let left = stream.next() * weights.reduce((sum, weight) => sum + weight, 0);
    const back = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return Math.max(0, back);
  }

  /** What the network does to a visit's events is drawn from this. */
  networkStream(slot: number, generation: number): RandomStream {
    return deriveStream(this.#options.seed, slot, generation, purposes.network);
  }

  #streamOf(slot: number, generation: number): RandomStream {
    return deriveStream(this.#options.seed, slot, generation, purposes.visit);
  }

  #visitor(place: VisitPlace, person: Person, stream: RandomStream): Visitor {
    const { slot, generation, personsSoFar, startMs, planSlot, heartbeatMs } = place;
    const init: VisitorInit = {
      slot,
      generation,
      person,
      personsSoFar,
      startMs,
      sessionId: this.#ids.uuid(idKinds.session, slot, generation),
      source: this.#source(stream, person.returning),
      heartbeat: this.#heartbeatClock(startMs, stream.next(), heartbeatMs),
      stream,
      map: this.#map,
    };
    const { traits } = person;
    const extras = this.#extras;
    if (extras === undefined || traits === undefined || this.#hosts === undefined)
      return new PlainVisitor(init);
    const { seed } = this.#options;
    const beats = (extras.bots.kinds[traits.bot]?.heartbeats ?? true) ? heartbeatMs : 0;
    return new RichVisitor({
      ...init,
      heartbeat: beats === 0 ? this.#heartbeatClock(startMs, 0, 0) : init.heartbeat,
      host: heartbeatMs === 0 ? this.#hosts.silent : this.#hosts.beating,
      traits,
      accounts: place.accounts,
      planSlot,
      deeds: deriveStream(seed, planSlot, generation, purposes.deeds),
    });
  }

  #hostOf(extras: CrowdExtras, heartbeatMs: number): VisitorHost {
    const { seed } = this.#options;
    return {
      extras,
      map: this.#map,
      streamOfTab: (slot, generation, tab) => deriveStream(seed, slot, generation, purposes.tab, tab),
      clockOfTab: (startMs, phase) => this.#heartbeatClock(startMs, phase, heartbeatMs),
    };
  }

  /** What brought a visit. One uniform. */
  #source(stream: RandomStream, returning: boolean): TrafficSource {
    const { returningSources, returningSourceChoice } = this.#extras ?? {};
    if (!returning || returningSources === undefined || returningSourceChoice === undefined)
      return this.#map.source(stream);
    return returningSources[returningSourceChoice.sample(stream)] as TrafficSource;
  }

  #warmPlan(slot: number): WarmPlan | undefined {
    return slot < (this.#options.warmSlots ?? 0) ? this.#warm?.planOf(slot) : undefined;
  }

  /** How long the first visit of a slot lasts. */
  #lengthMs(slot: number): number {
    const visitor = this.#first(slot, slot, 0, 0);
    while (visitor.dueMs !== Number.POSITIVE_INFINITY) visitor.advance();
    return visitor.leftMs;
  }

  /** A person is not remembered but derived again: id and profile follow from (slot, number). */
  #person(slot: number, number: number, returning: boolean, planSlot: number): Person {
    const { seed, people, bots } = this.#options;
    const stream = deriveStream(seed, planSlot, number, purposes.person);
    const human = people[stream.int(people.length)] as Profile;
    const visitorId = this.#ids.uuid(idKinds.visitor, slot, number);
    if (this.#extras === undefined) return { visitorId, profile: human, number, returning };
    const traits = drawTraits(this.#extras, stream);
    return { visitorId, profile: bots?.[traits.bot] ?? human, number, returning, traits };
  }

  /** The first heartbeat comes strictly after the session's start. */
  #heartbeatClock(startMs: number, phase: number, intervalMs: number): HeartbeatClock {
    if (intervalMs === 0) return { baseMs: Number.POSITIVE_INFINITY, first: 0, intervalMs };
    if (this.#options.phase === 'sync') {
      return { baseMs: 0, first: Math.floor(startMs / intervalMs) + 1, intervalMs };
    }
    const baseMs = startMs + phase * intervalMs;
    return { baseMs, first: baseMs > startMs ? 0 : 1, intervalMs };
  }
}
