/** Sweeps every property now and then, unless another collector of the same Redis does. */
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import type { Log } from '../http/failure.ts';
import { formatPropertyName } from '../protocol/property.ts';
import type { RedisConnection } from '../store/connection.ts';
import type { Retention } from '../store/retention.ts';
import { allProperties, sweepProperty, takeSweepLease } from '../store/sweep.ts';

export interface SweeperOptions {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  readonly log: Log;
  readonly retention: Retention;
  /** Between two sweeps of all collectors together. Default 1 h. */
  readonly intervalMs?: number | undefined;
}

const intervalMsDefault = 3_600_000;
/** A collector that starts looks soon whether it is time; one that fails looks again as soon. */
const lookEveryMs = 60_000;

export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #intervalMs: number;
  readonly #timer: NodeJS.Timeout;
  #isStopped = false;
  #running: Promise<void> | undefined;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? intervalMsDefault;
    this.#timer = setInterval(() => this.#begin(), Math.min(lookEveryMs, this.#intervalMs)).unref();
  }

  /** Resolves when nothing is being swept any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  #begin(): void {
    this.#running ??= this.sweep().finally(() => {
      this.#running = undefined;
    });
  }

  /** One sweep, if it is time for one. Never throws. */
  async sweep(): Promise<void> {
    const { connection, log } = this.#options;
    if (this.#isStopped || !connection.isReady()) return;
    try {
      if (!(await takeSweepLease(connection, this.#intervalMs))) return;
      for await (const property of allProperties(connection)) {
        if (this.#isStopped) return;
        await this.#sweepOne(property);
      }
    } catch (thrown) {
      // Redis went away: another collector, or the next sweep, does the rest.
      const level = thrown instanceof CrowdbeatError ? 'warn' : 'error';
      log(`sweep: ended early: ${messageOf(thrown)}`, { level });
    }
  }

  async #sweepOne(property: Parameters<typeof sweepProperty>[1]): Promise<void> {
    const { connection, clock, log, retention } = this.#options;
    const { segments, names } = await sweepProperty(connection, property, retention, clock.wallMs());
    if (segments + names === 0) return;
    const name = formatPropertyName(property);
    log(`sweep: property ${name}: dropped ${segments} segments of documents and ${names} names`, {
      level: 'info',
    });
  }
}
