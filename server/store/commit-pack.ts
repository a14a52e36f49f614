/**
 * Turns a batch of events into one request of the commit script.
 *
 * What an event costs here when its session and visitor are known and its minute's bit is set: four map
 * look-ups, a delta object, twenty packed numbers and three short texts. Keys are made when a session or a
 * minute is first met, not per event.
 */
import { createHash } from 'node:crypto';
import { dayName } from '../base/time-bucket.ts';
import { BitBatch } from './bit-batch.ts';
import type { BitCache, BitName } from './bit-cache.ts';
import { encodeChunk } from './chunk.ts';
import type { CommitReply, DataIdentity } from './commit-reply.ts';
import { CommitRequest } from './commit-request.ts';
import type { EncodedArguments } from './connection.ts';
import type { EventRecord } from './event-record.ts';
import { escapeName, ordinalSegmentBits, type PropertyKeys, totalName, visitorSegmentBits } from './keys.ts';
import type { RecentMap } from './recent-map.ts';
import type { Retention } from './retention.ts';
import { homeSeconds, SessionBatch } from './session-batch.ts';
import type { Session } from './session-cache.ts';
import { visitorBucket, visitorField } from './visitor-field.ts';

const dayMs = 86_400_000;
const eventIdHashBytes = 16;

/** What packing reads: caches, guesses and rules of one store. */
export interface PackContext {
  readonly keys: PropertyKeys;
  readonly retention: Retention;
  readonly bits: BitCache;
  readonly visitors: RecentMap<string, number>;
  readonly sessions: RecentMap<string, Session>;
  /** Days that the registry in Redis knows. */
  readonly registeredDays: Set<string>;
  readonly expected: DataIdentity;
  /** The generation that a property gets which has none. */
  readonly candidateGeneration: string;
  readonly nextOrdinal: number;
  readonly nextVisitorId: number;
  readonly nowMs: number;
}

/** A packed batch. Exactly one of `settle` and `takeBack` must follow: the caches wait for it. */
export class PackedCommit {
  readonly encoded: EncodedArguments;
  readonly #context: PackContext;
  readonly #bits: BitBatch;
  readonly #sessions: SessionBatch;
  readonly #unknown = new Map<string, number>();
  readonly #types = new Map<string, number>();
  readonly #botTypes = new Map<string, number>();
  readonly #newNames = new Set<BitName>();
  readonly #newDays: readonly string[];
  readonly #eventIds: { readonly position: number; readonly hash: Buffer }[] = [];

  constructor(context: PackContext, events: readonly EventRecord[]) {
    this.#context = context;
    this.#bits = new BitBatch(context.nowMs);
    this.#sessions = new SessionBatch(context.keys, context.sessions, Math.floor(context.nowMs / dayMs));
    for (let position = 0; position < events.length; position++)
      this.#add(events[position] as EventRecord, position);
    this.#newDays = this.#sessions.newDays(context.registeredDays);
    this.encoded = this.#encode(events);
  }

  #add(event: EventRecord, position: number): void {
    const types = event.isBot ? this.#botTypes : this.#types;
    types.set(event.type, (types.get(event.type) ?? 0) + 1);
    if (event.sessionId !== undefined) this.#sessions.add(event.sessionId, event, position);
    const numbered = event.seq > 0 && event.sessionId !== undefined;
    if (!numbered && event.eventId !== undefined)
      this.#eventIds.push({ position, hash: hashEventId(event.eventId) });
    const { bits } = this.#context;
    this.#addBits(bits.event(event.type, event.isBot), event);
    if (event.source !== undefined)
      this.#addBits(bits.source(event.source, event.campaign, event.isBot), event);
  }

  #addBits(name: BitName, event: EventRecord): void {
    if (!name.registered) this.#newNames.add(name);
    const buckets = this.#context.bits.buckets(name, event.timeMs);
    const id = this.#context.visitors.get(event.visitorId);
    if (id !== undefined) this.#bits.addKnown(buckets, id);
    else this.#bits.addUnknown(buckets, this.#unknownNumber(event.visitorId));
  }

  #unknownNumber(visitorId: string): number {
    const known = this.#unknown.get(visitorId);
    if (known !== undefined) return known;
    const expectedId = this.#context.nextVisitorId + this.#unknown.size;
    const number = this.#bits.newUnknown(Math.floor(expectedId / 2 ** visitorSegmentBits));
    this.#unknown.set(visitorId, number);
    return number;
  }

  #encode(events: readonly EventRecord[]): EncodedArguments {
    const { keys, expected, candidateGeneration, nextOrdinal, nowMs, retention } = this.#context;
    const request = new CommitRequest();
    const fields = [...this.#unknown.keys()].map(visitorField);
    const ordinalSegment = Math.floor(nextOrdinal / 2 ** ordinalSegmentBits);
    request.text(expected.replicationId);
    request.text(expected.generation);
    request.text(candidateGeneration);
    request.text(String(Math.floor(nowMs / dayMs)));
    request.text(String(homeSeconds));
    const firstName = this.#writeNames(request);
    for (const key of [keys.generation, keys.totals, keys.registry, keys.ids]) request.key(key);
    request.key(keys.documents(ordinalSegment));
    request.key(keys.directory(ordinalSegment));
    this.#sessions.writeKeys(request);
    for (const field of fields) request.key(keys.visitorIds(visitorBucket(field)));
    this.#bits.writeKeys(request);
    if (this.#eventIds.length > 0) {
      request.key(keys.eventIds(dayName(nowMs)));
      request.key(keys.eventIds(dayName(nowMs - dayMs)));
    }
    this.#writeHeader(request, events.length, firstName, ordinalSegment);
    this.#sessions.writeNumbers(request, retention, nowMs);
    this.#writeEventIds(request);
    this.#writeUnknown(request, fields);
    this.#bits.writeNumbers(request);
    for (const types of [this.#types, this.#botTypes]) {
      for (const [type, count] of types) {
        request.u16(request.sharedText(totalName(type, types === this.#botTypes)));
        request.u16(count);
      }
    }
    return request.encode(encodeChunk(events.map((event) => event.json)));
  }

  /** What the registry may not know yet, one text after the other. Gives the position of the first. */
  #writeNames(request: CommitRequest): number {
    const positions = [...this.#newNames].map((name) => request.text(name.keyName));
    for (const day of this.#newDays) positions.push(request.text(`day:${day}`));
    return positions[0] ?? 0;
  }

  #writeHeader(request: CommitRequest, events: number, firstName: number, ordinalSegment: number): void {
    request.u16(events);
    request.u16(this.#sessions.beatCount);
    request.u16(this.#sessions.lightCount);
    request.u16(this.#sessions.count);
    request.u16(this.#sessions.dayCount);
    request.u16(this.#unknown.size);
    request.u16(this.#bits.bitmapCount);
    request.u16(this.#types.size + this.#botTypes.size);
    request.u16(this.#newNames.size + this.#newDays.length);
    request.u16(firstName);
    request.u16(this.#eventIds.length);
    request.u32(ordinalSegment);
    request.u32(eventIdSeconds(this.#context.nowMs));
  }

  #writeEventIds(request: CommitRequest): void {
    for (const { position, hash } of this.#eventIds) {
      request.u16(position + 1);
      request.bytes(hash);
    }
  }

  #writeUnknown(request: CommitRequest, fields: readonly Buffer[]): void {
    for (let number = 0; number < fields.length; number++) {
      const field = fields[number] as Buffer;
      request.u16(this.#bits.segmentOfUnknown(number));
      request.u16(field.length);
      request.bytes(field);
    }
  }

  /** The batch is stored; the ids are those of its unknown visitors, in their order. */
  settle(visitorIds: readonly number[]): void {
    this.#bits.settle(visitorIds);
    this.#sessions.settle();
    this.#learnVisitors(visitorIds);
    for (const name of this.#newNames) name.registered = true;
    for (const day of this.#newDays) this.#context.registeredDays.add(day);
  }

  /** The batch is not stored, or nobody knows. */
  takeBack(): void {
    this.#bits.takeBack();
    this.#sessions.takeBack();
  }

  /** After `takeBack`: facts that the script found while it declined the batch. */
  learn(reply: Extract<CommitReply, { kind: 'again' }>): void {
    this.#sessions.correctDays(reply.days);
    this.#learnVisitors(reply.visitorIds);
  }

  #learnVisitors(ids: readonly number[]): void {
    for (const [visitorId, number] of this.#unknown) {
      const id = ids[number];
      if (id !== undefined && id >= 0) this.#context.visitors.set(visitorId, id);
    }
  }
}

/** 16 bytes of SHA-1: two different ids of a day's 10^9 are alike with probability 10^-21. */
export function hashEventId(eventId: string): Buffer {
  return createHash('sha1').update(escapeName(eventId)).digest().subarray(0, eventIdHashBytes);
}

/** Today's set is asked until the end of tomorrow. */
function eventIdSeconds(nowMs: number): number {
  return Math.ceil((Math.floor(nowMs / dayMs) * dayMs + 2 * dayMs - nowMs) / 1000) + 60;
}
