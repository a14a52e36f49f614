/**
 * Who lives in each slot: the first visitor, and after each the next. Pure: a visitor follows from
 * (seed, slot, generation, the time its predecessor left), so a slot's whole story is the same on any
 * worker and among any number of them. The run id only changes the ids.
 *
 * The order of draws from a visitor's stream is: gap, returning or new, which of the recent persons,
 * source, heartbeat phase, page load, entry page, then per page its reading time and what follows. Each is
 * drawn whether it is needed or not.
 */
import assert from 'node:assert';
import { IdFactory, idKinds } from '../random/ids.ts';
import { deriveStream, purposes, type RandomStream } from '../random/random-stream.ts';
import type { Profile } from './profile.ts';
import type { Site } from './site.ts';
import { SiteMap, type SitePage } from './site-map.ts';
import { gapMsMax, recentPersons } from './visit-timing.ts';
import { type HeartbeatClock, type Person, Visitor } from './visitor.ts';

export interface CrowdOptions {
  /** Whole, 0 to 2^53 - 1. */
  readonly seed: number;
  readonly runId: string;
  readonly site: Site;
  /** At least one; see people.ts. */
  readonly people: readonly Profile[];
  /** 0: no heartbeats. */
  readonly heartbeatMs: number;
  /** `spread`: each visitor its own phase. `sync`: everybody at the same multiples of heartbeatMs. */
  readonly phase: 'spread' | 'sync';
}

export class Crowd {
  /** Every page of the site; `Visitor.pageIndex` is a position in it. */
  readonly pages: readonly SitePage[];
  readonly #options: CrowdOptions;
  readonly #map: SiteMap;
  readonly #ids: IdFactory;

  constructor(options: CrowdOptions) {
    assert(Number.isSafeInteger(options.seed) && options.seed >= 0, `seed ${options.seed}`);
    assert(options.people.length > 0 && options.heartbeatMs >= 0, 'people, heartbeatMs');
    this.#options = options;
    this.#map = new SiteMap(options.site);
    this.#ids = new IdFactory(options.seed, options.runId);
    this.pages = this.#map.pages;
  }

  /** The visitor who opens a slot, arriving at a run-relative time. */
  firstVisitor(slot: number, arrivalMs: number): Visitor {
    const stream = this.#streamOf(slot, 0);
    stream.next(); // The gap: nobody was here before.
    stream.next(); // Returning: nobody can.
    stream.next();
    return this.#visitor(slot, 0, arrivalMs, this.#person(slot, 0, false), 1, stream);
  }

  /** Who follows in the slot of a visitor that has left: somebody new, or one of its recent persons. */
  nextVisitor(previous: Visitor): Visitor {
    assert(previous.leftMs !== Number.POSITIVE_INFINITY, 'the previous visitor has not left');
    const { slot, personsSoFar } = previous;
    const generation = previous.generation + 1;
    const stream = this.#streamOf(slot, generation);
    const startMs = previous.leftMs + stream.next() * gapMsMax;
    const returning = stream.next() < this.#map.returningShare;
    const back = stream.int(Math.min(recentPersons, personsSoFar));
    const person = this.#person(slot, returning ? personsSoFar - 1 - back : personsSoFar, returning);
    return this.#visitor(slot, generation, startMs, person, personsSoFar + (returning ? 0 : 1), stream);
  }

  #streamOf(slot: number, generation: number): RandomStream {
    return deriveStream(this.#options.seed, slot, generation, purposes.visit);
  }

  #visitor(
    slot: number,
    generation: number,
    startMs: number,
    person: Person,
    personsSoFar: number,
    stream: RandomStream,
  ): Visitor {
    return new Visitor({
      slot,
      generation,
      person,
      personsSoFar,
      startMs,
      sessionId: this.#ids.uuid(idKinds.session, slot, generation),
      source: this.#map.source(stream),
      heartbeat: this.#heartbeatClock(startMs, stream.next()),
      stream,
      map: this.#map,
    });
  }

  /** A person is not remembered but derived again: id and profile follow from (slot, number). */
  #person(slot: number, number: number, returning: boolean): Person {
    const { seed, people } = this.#options;
    const profileIndex = deriveStream(seed, slot, number, purposes.person).int(people.length);
    const profile = people[profileIndex] as Profile;
    return { visitorId: this.#ids.uuid(idKinds.visitor, slot, number), profile, number, returning };
  }

  /** The first heartbeat comes strictly after the session's start. */
  #heartbeatClock(startMs: number, phase: number): HeartbeatClock {
    const intervalMs = this.#options.heartbeatMs;
    if (intervalMs === 0) return { baseMs: Number.POSITIVE_INFINITY, first: 0, intervalMs };
    if (this.#options.phase === 'sync') {
      return { baseMs: 0, first: Math.floor(startMs / intervalMs) + 1, intervalMs };
    }
    const baseMs = startMs + phase * intervalMs;
    return { baseMs, first: baseMs > startMs ? 0 : 1, intervalMs };
  }
}
