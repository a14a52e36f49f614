/** What a collector needs for session stores: their routes, the queues behind them, and a flusher if it shall be one. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../http/failure.ts';
import type { Route } from '../http/router.ts';
import { sessionRoutes } from '../http/session-routes.ts';
import { sessionUpdateRoute } from '../http/session-update.ts';
import type { Enricher } from '../ingest/enrich/enricher.ts';
import type { Intake } from '../ingest/intake.ts';
import { SessionSearch } from '../sessions/session-search.ts';
import { SessionUpdates } from '../sessions/session-updates.ts';
import type { RedisConnection } from '../store/connection.ts';
import { SessionStore } from '../store/session-store.ts';
import { type FlushOptions, SessionFlusher } from './session-flusher.ts';

export interface SessionPartsOptions {
  /** For heartbeats and departures. */
  readonly ingest: RedisConnection;
  /** For questions. */
  readonly queries: RedisConnection;
  readonly intake: Intake;
  readonly enricher: Enricher;
  readonly clock: Clock;
  readonly log: Log;
  readonly lingerMs: number | undefined;
  /** Undefined: this collector flushes nothing. */
  readonly flush: FlushOptions | undefined;
}

export class SessionParts {
  readonly routes: readonly Route[];
  readonly #updates: SessionUpdates;
  readonly #flusher: SessionFlusher | undefined;

  constructor({ ingest, queries, lingerMs, flush, ...shared }: SessionPartsOptions) {
    const { clock } = shared;
    this.#updates = new SessionUpdates({
      clock,
      lingerMs,
      openStore: (property, name) => {
        const store = new SessionStore(ingest, property, name);
        return (operations, receivedMs) => store.apply(operations, receivedMs);
      },
    });
    this.routes = [
      sessionUpdateRoute({ updates: this.#updates, ...shared }),
      ...sessionRoutes({
        connection: queries,
        search: new SessionSearch({ connection: queries, clock }),
        ...shared,
      }),
    ];
    this.#flusher = flush && new SessionFlusher({ ...flush, connection: queries, ...shared });
  }

  get queued(): { readonly operations: number; readonly bytes: number } {
    return this.#updates.queued;
  }

  /** Ends the flusher after its pass, and resolves when nothing is queued. While events can still be written. */
  async stop(): Promise<void> {
    await this.#flusher?.stop();
    await this.#updates.drain();
  }
}
