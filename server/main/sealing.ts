/**
 * The sealer of a collector: it looks at what is written to through this process, and what it is asked about, and
 * gives way while the process is busy.
 */
import { performance } from 'node:perf_hooks';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../http/failure.ts';
import type { PropertyCommits } from '../ingest/batcher.ts';
import type { PropertyName } from '../protocol/property.ts';
import type { LoopTimes } from '../query/events/seal-pace.ts';
import { Sealer } from '../query/events/sealer.ts';
import type { RedisConnection } from '../store/connection.ts';

export interface SealingOptions {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a full segment stays as it is, milliseconds; `off` = this collector seals none. Default 0. */
  readonly sealDelayMs?: number | 'off' | undefined;
  /** Full segments of a property that may wait while this process is busy. Default 16. */
  readonly sealBacklog?: number | undefined;
  /** Events that are queued or being committed. Default: none. */
  readonly queuedEvents?: (() => number) | undefined;
}

function loopTimes(): LoopTimes {
  const { active, idle } = performance.eventLoopUtilization();
  return { activeMs: active, idleMs: idle };
}

export class Sealing {
  readonly #sealer: Sealer | undefined;

  constructor({ connection, clock, log, sealDelayMs, sealBacklog, queuedEvents }: SealingOptions) {
    if (sealDelayMs === 'off') return;
    const warn = (line: string): void => log(line, { level: 'warn' });
    const load = { loop: loopTimes, queuedEvents: queuedEvents ?? (() => 0) };
    const backlogMax = sealBacklog;
    this.#sealer = new Sealer({ connection, clock, log: warn, delayMs: sealDelayMs, load, backlogMax });
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
