/** The sealer of a collector: it looks at what is written to through this process, and what it is asked about. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../http/failure.ts';
import type { PropertyCommits } from '../ingest/batcher.ts';
import type { PropertyName } from '../protocol/property.ts';
import { Sealer } from '../query/events/sealer.ts';
import type { RedisConnection } from '../store/connection.ts';

export interface SealingOptions {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a full segment stays as it is, milliseconds; `off` = this collector seals none. Default 0. */
  readonly sealDelayMs?: number | 'off' | undefined;
}

export class Sealing {
  readonly #sealer: Sealer | undefined;

  constructor({ connection, clock, log, sealDelayMs }: SealingOptions) {
    if (sealDelayMs === 'off') return;
    const warn = (line: string): void => log(line, { level: 'warn' });
    this.#sealer = new Sealer({ connection, clock, log: warn, delayMs: sealDelayMs });
    this.#sealer.start();
  }

  /** The property is asked about. */
  use(property: PropertyName): void {
    this.#sealer?.use(property);
  }

  /** The same store; until it is closed its segments are sealed when they are full. */
  watched(property: PropertyName, store: PropertyCommits): PropertyCommits {
    const closed = this.#sealer?.opened(property);
    if (closed === undefined) return store;
    return {
      commit: (events) => store.commit(events),
      get lineage() {
        return store.lineage;
      },
      close: () => {
        closed();
        store.close?.();
      },
    };
  }

  /** While the connection is open. */
  async stop(): Promise<void> {
    await this.#sealer?.stop();
  }
}
