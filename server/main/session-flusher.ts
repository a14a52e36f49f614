/**
 * The flusher inside a collector: what `crowdbeat flush` does, for every session store of every property. Of many
 * collectors one does it, by a lease in Redis; if two should, they do no harm (see sessions/flusher.ts).
 */
import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '../base/clock.ts';
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import type { Log } from '../http/failure.ts';
import type { Enricher } from '../ingest/enrich/enricher.ts';
import type { Intake } from '../ingest/intake.ts';
import { readEvent } from '../ingest/read-event.ts';
import { writeAnswer } from '../ingest/write-reply.ts';
import type { PropertyName } from '../protocol/property.ts';
import type { WriteReply } from '../protocol/replies.ts';
import { type FlushTarget, flush } from '../sessions/flusher.ts';
import { sessionDocument } from '../sessions/session-document.ts';
import type { RedisConnection } from '../store/connection.ts';
import type { EventRecord } from '../store/event-record.ts';
import { flushLease } from '../store/keys.ts';
import { SessionStore } from '../store/session-store.ts';
import { listFlushedProperties, listSessionStores } from '../store/session-store-names.ts';

export interface FlushOptions {
  /** A session silent for so long has departed. */
  readonly timeoutMs: number;
  /** Between two looks. Default 3,000. */
  readonly pollMs?: number | undefined;
}

export interface SessionFlusherOptions extends FlushOptions {
  readonly connection: RedisConnection;
  readonly intake: Intake;
  readonly enricher: Enricher;
  readonly clock?: Clock;
  readonly log: Log;
}

const pollDefaultMs = 3000;
const leaseMs = 15_000;

const leaseScript = `#!lua
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;

export class SessionFlusher {
  readonly #options: SessionFlusherOptions;
  readonly #clock: Clock;
  readonly #name = randomUUID();
  #timer: NodeJS.Timeout | undefined;
  #pass: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: SessionFlusherOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#plan();
  }

  /** Resolves when the pass that is under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#pass;
  }

  #plan(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#pass = this.#flushAll()
        .catch((thrown: unknown) => this.#options.log(`flush: ${messageOf(thrown)}`))
        .finally(() => this.#plan());
    }, this.#options.pollMs ?? pollDefaultMs).unref();
  }

  async #flushAll(): Promise<void> {
    const { connection } = this.#options;
    if (!connection.isReady() || !(await this.#holdsLease())) return;
    for (const property of await listFlushedProperties(connection)) {
      for (const name of await listSessionStores(connection, property)) {
        if (this.#isStopped || !(await this.#holdsLease())) return;
        await this.#flushStore(property, new SessionStore(connection, property, name));
      }
    }
  }

  async #flushStore(property: PropertyName, store: SessionStore): Promise<void> {
    const { timeoutMs, log } = this.#options;
    const say = (line: string): void => log(line, { level: 'info' });
    const { refused } = await flush(this.#targetOf(property, store), timeoutMs, say);
    for (const line of refused) log(`flush: ${line}`);
  }

  async #holdsLease(): Promise<boolean> {
    const args = [leaseScript, '1', flushLease, this.#name, String(leaseMs)];
    return (await this.#options.connection.call('EVAL', args)) === 1;
  }

  #targetOf(property: PropertyName, store: SessionStore): FlushTarget {
    return {
      claim: async (silentMs, limit) =>
        (await store.claim(this.#clock.wallMs() - silentMs, limit)).map(sessionDocument),
      write: (events, areBots) => this.#write(property, events, areBots),
      end: async (sessions) => {
        const operations = sessions.map(({ id, lastUpdated }) => ({
          kind: 'delete' as const,
          sessionId: id,
          lastUpdatedMs: lastUpdated,
        }));
        await store.apply(operations, this.#clock.wallMs());
      },
    };
  }

  async #write(
    property: PropertyName,
    events: readonly Record<string, unknown>[],
    areBots: boolean,
  ): Promise<WriteReply> {
    const { enricher, intake } = this.#options;
    const sender = { peer: '127.0.0.1', forwardedFor: undefined, agent: areBots ? 'bot' : undefined };
    const receipt = enricher.receipt(this.#clock.wallMs(), sender);
    const items = events.map((event) => readEvent(event, undefined, receipt));
    const records = items.filter((item): item is EventRecord => typeof item !== 'string');
    const outcomes = await intake.write(property, records);
    if (typeof outcomes === 'string') throw new CrowdbeatError('CB_BUSY', `events are refused: ${outcomes}`);
    return JSON.parse(writeAnswer(items, outcomes).json) as WriteReply;
  }
}
