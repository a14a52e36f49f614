/** Makes this collector known to the others and to whoever asks one of them (`collectors` of `/health`). */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '../base/clock.ts';
import type { RedisConnection } from '../store/connection.ts';
import { announceNode, type CollectorNode, nodeLifeMs, withdrawNode } from '../store/nodes.ts';
import type { WorkerPlace } from './collector.ts';
import { readVersion } from './version.ts';

export interface AnnouncerOptions {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  readonly place: WorkerPlace;
  /** How long it is believed to live after a sign of life. Default 15,000; it gives three in that time. */
  readonly lifeMs?: number | undefined;
}

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #lifeMs: number;
  readonly #id = randomUUID();
  #nodes: readonly CollectorNode[] = [];
  #heardMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#lifeMs = options.lifeMs ?? nodeLifeMs;
  }

  /** All collectors that live, as far as was heard in the time that one is believed to live. */
  get collectors(): readonly CollectorNode[] {
    const isOld = this.#options.clock.monotonicMs() - this.#heardMs > this.#lifeMs;
    return isOld ? [] : this.#nodes;
  }

  /** Announces it now and from now on. Resolves after the first time, also if Redis did not answer. */
  start(url: string): Promise<void> {
    const { clock, place } = this.#options;
    const node: CollectorNode = {
      id: this.#id,
      url,
      version: readVersion(),
      pid: process.pid,
      host: hostname(),
      started: clock.wallMs(),
      worker: place.number,
      workers: place.workers,
    };
    this.#timer = setInterval(() => {
      this.#running = this.#announce(node);
    }, this.#lifeMs / 3).unref();
    this.#running = this.#announce(node);
    return this.#running;
  }

  /** Takes it back. Before the connection is closed. */
  async stop(): Promise<void> {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    await this.#running;
    // A Redis that is away forgets it by itself.
    await withdrawNode(this.#options.connection, this.#id).catch(() => undefined);
  }

  async #announce(node: CollectorNode): Promise<void> {
    try {
      this.#nodes = await announceNode(this.#options.connection, node, this.#lifeMs);
      this.#heardMs = this.#options.clock.monotonicMs();
    } catch {
      // Redis is away, or full: others forget this one after a while, and the next sign of life mends that.
    }
  }
}
