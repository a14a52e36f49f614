/**
 * One property's data, as one process writes it.
 *
 * A commit is packed for what the caches believe. The script writes it, or nothing; then it says what is
 * true, and the commit moves:
 *
 *   packed --ok-----> done                  caches are filled
 *   packed --stale--> caches dropped  ----> packed again     (flushed, failed over, property deleted)
 *   packed --again--> unclean events out, days, ids and ordinal corrected, split at a segment's end
 *                                     ----> packed again
 *   packed --error--> caches dropped        CrowdbeatError; whether it was stored is not known
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError } from '../base/errors.ts';
import { formatPropertyName, type PropertyName } from '../protocol/property.ts';
import { BitCache } from './bit-cache.ts';
import { type PackContext, PackedCommit } from './commit-pack.ts';
import { type CommitReply, type DataIdentity, parseCommitReply } from './commit-reply.ts';
import { makeScript, type RedisConnection } from './connection.ts';
import { followLineage, type Lineage, noLineage } from './durability.ts';
import type { CommitOutcome, EventRecord } from './event-record.ts';
import { ordinalSegmentBits, PropertyKeys } from './keys.ts';
import { RecentMap } from './recent-map.ts';
import { type Retention, withDefaults } from './retention.ts';
import type { Session } from './session-cache.ts';

/**
 * Events of one commit, at most. What a script costs Redis decides how much of it: it must keep others waiting
 * for 2 ms at most. Measured in the script on Redis 7.0.15, a busy 2-core machine, us per event: 27 to 40 for a
 * visitor's and session's first, 10 for a view, 5 for a heartbeat. An event of a visitor who is not known yet weighs
 * `newVisitorWeight`, any other one 1, and a script gets `scriptWeightMax`: 128 heartbeats (0.7 ms), or 42
 * new visitors (1.2 to 1.7 ms).
 */
export const commitEventsMax = 128;
const newVisitorWeight = 3;
const scriptWeightMax = 128;
/** UTF-8 bytes of the documents of one commit, at most. */
export const commitBytesMax = 262_144;

/** Packing again is for what changed meanwhile; who meets changes so often is not getting anywhere. */
const triesMax = 12;
const visitorsHalf = 131_072;
const sessionsHalf = 131_072;
/** A session.start may name any day; a forgotten one is merely registered again. */
const registeredDaysMax = 10_000;
const nothingExpected: DataIdentity = { generation: '', replicationId: '' };
const commitScript = makeScript(readFileSync(new URL('./commit.lua', import.meta.url), 'utf8'));

export interface PropertyStoreOptions {
  readonly clock: Clock;
  readonly retention?: Partial<Retention>;
}

export class PropertyStore {
  readonly property: PropertyName;
  readonly retention: Retention;
  readonly #connection: RedisConnection;
  readonly #clock: Clock;
  readonly #keys: PropertyKeys;
  readonly #bits: BitCache;
  readonly #visitors = new RecentMap<string, number>(visitorsHalf);
  readonly #sessions = new RecentMap<string, Session>(sessionsHalf);
  readonly #registeredDays = new Set<string>();
  #identity = nothingExpected;
  #lineage = noLineage;
  #nextOrdinal = 0;
  #nextVisitorId = 0;
  #resetsSeen: number;
  #busy = false;

  constructor(connection: RedisConnection, property: PropertyName, options: PropertyStoreOptions) {
    this.property = property;
    this.retention = withDefaults(options.retention);
    this.#connection = connection;
    this.#clock = options.clock;
    this.#keys = new PropertyKeys(property);
    this.#bits = new BitCache(this.#keys, this.retention);
    this.#resetsSeen = connection.resets;
  }

  /** Which Redis all events of commits that succeeded went to; for whoever asks whether they are durable. */
  get lineage(): Lineage {
    return this.#lineage;
  }

  /**
   * Stores a batch of at most `commitEventsMax` events and says what became of each, in their order. One
   * commit at a time. Throws CB_REDIS_UNREACHABLE (outcome unknown; a numbered event may safely be sent
   * again), CB_REDIS_REPLY (Redis refused), CB_REDIS_STALE (given up after many tries; nothing stored by
   * the last of them).
   */
  async commit(events: readonly EventRecord[]): Promise<CommitOutcome[]> {
    assert(!this.#busy, 'commit: one at a time per store');
    assert(
      events.length <= commitEventsMax,
      `commit: at most ${commitEventsMax} events, got ${events.length}`,
    );
    this.#busy = true;
    try {
      const outcomes = new Array<CommitOutcome>(events.length).fill('accepted');
      const positions = withoutRepeatedIds(events, outcomes);
      for (let from = 0; from < positions.length; ) {
        const to = this.#endOfScript(events, positions, from);
        await this.#commitThese(positions.slice(from, to), events, outcomes);
        from = to;
      }
      return outcomes;
    } catch (error) {
      this.#forget();
      throw error;
    } finally {
      this.#busy = false;
    }
  }

  /** Up to which position a script that begins at `from` goes, so that it is not too long a one. */
  #endOfScript(events: readonly EventRecord[], positions: readonly number[], from: number): number {
    let weight = 0;
    for (let at = from; at < positions.length; at++) {
      const { visitorId } = events[positions[at] as number] as EventRecord;
      weight += this.#visitors.get(visitorId) === undefined ? newVisitorWeight : 1;
      if (weight > scriptWeightMax) return at;
    }
    return positions.length;
  }

  /** Stores the events at these positions; writes their outcomes. */
  async #commitThese(
    positions: number[],
    events: readonly EventRecord[],
    outcomes: CommitOutcome[],
  ): Promise<void> {
    let open = positions;
    for (let tries = 0; open.length > 0; tries++) {
      if (tries === triesMax) throw this.#givenUp();
      const batch =
        open.length === events.length ? events : open.map((position) => events[position] as EventRecord);
      const reply = await this.#try(batch);
      if (reply.kind === 'ok') return;
      if (reply.kind === 'stale') continue;
      for (const [number, outcome] of reply.outcomes) outcomes[open[number - 1] as number] = outcome;
      open = open.filter((_position, i) => !reply.outcomes.has(i + 1));
      const room = roomInSegment(reply.baseOrdinal);
      if (open.length > room) {
        await this.#commitThese(open.slice(0, room), events, outcomes);
        open = open.slice(room);
      }
    }
  }

  async #try(batch: readonly EventRecord[]): Promise<CommitReply> {
    this.#forgetIfReset();
    this.#bits.trim();
    if (this.#registeredDays.size > registeredDaysMax) this.#registeredDays.clear();
    const packed = new PackedCommit(this.#context(), batch);
    let reply: CommitReply;
    try {
      reply = parseCommitReply(
        await this.#connection.runEncoded(commitScript, this.#keys.generation, packed.encoded),
      );
    } catch (error) {
      packed.takeBack();
      throw error;
    }
    this.#apply(packed, reply, batch.length);
    return reply;
  }

  #context(): PackContext {
    return {
      keys: this.#keys,
      retention: this.retention,
      bits: this.#bits,
      visitors: this.#visitors,
      sessions: this.#sessions,
      registeredDays: this.#registeredDays,
      expected: this.#identity,
      candidateGeneration: this.#identity.generation === '' ? randomGeneration() : '',
      nextOrdinal: this.#nextOrdinal,
      nextVisitorId: this.#nextVisitorId,
      nowMs: this.#clock.wallMs(),
    };
  }

  #apply(packed: PackedCommit, reply: CommitReply, events: number): void {
    if (reply.kind !== 'stale') this.#lineage = followLineage(this.#lineage, reply.identity.replicationId);
    if (reply.kind === 'ok') {
      packed.settle(reply.visitorIds);
      this.#identity = reply.identity;
      this.#nextOrdinal = reply.baseOrdinal + events;
      for (const id of reply.visitorIds) this.#nextVisitorId = Math.max(this.#nextVisitorId, id + 1);
      return;
    }
    packed.takeBack();
    if (reply.kind === 'stale') {
      this.#forget();
      return;
    }
    // Without a generation there is no property yet, and nothing that could be learned of it.
    if (reply.identity.generation !== '') this.#identity = reply.identity;
    packed.learn(reply);
    this.#nextOrdinal = reply.baseOrdinal;
    this.#nextVisitorId = reply.nextVisitorId;
  }

  /** Behind a new connection there may be other data, even with the same generation (a copy restored). */
  #forgetIfReset(): void {
    if (this.#connection.resets === this.#resetsSeen) return;
    this.#resetsSeen = this.#connection.resets;
    this.#forget();
  }

  #forget(): void {
    this.#identity = nothingExpected;
    this.#bits.clear();
    this.#visitors.clear();
    this.#sessions.clear();
    this.#registeredDays.clear();
  }

  #givenUp(): CrowdbeatError {
    const name = formatPropertyName(this.property);
    return new CrowdbeatError(
      'CB_REDIS_STALE',
      `property ${name}: data in Redis kept changing, given up after ${triesMax} tries`,
    );
  }
}

/** Positions of the events without those whose id, the only thing they are known by, came before in the batch. */
function withoutRepeatedIds(events: readonly EventRecord[], outcomes: CommitOutcome[]): number[] {
  const seen = new Set<string>();
  const positions: number[] = [];
  for (let position = 0; position < events.length; position++) {
    const event = events[position] as EventRecord;
    const numbered = event.seq > 0 && event.sessionId !== undefined;
    if (!numbered && event.eventId !== undefined) {
      if (seen.has(event.eventId)) {
        outcomes[position] = 'duplicate';
        continue;
      }
      seen.add(event.eventId);
    }
    positions.push(position);
  }
  return positions;
}

const roomInSegment = (ordinal: number): number =>
  2 ** ordinalSegmentBits - (ordinal % 2 ** ordinalSegmentBits);

/** 48 random bits, the most that randomInt gives: enough that two generations of a property never are alike. */
const randomGeneration = (): string => String(randomInt(1, 2 ** 48 - 1));
