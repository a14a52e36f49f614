/**
 * Seals the full segments of the properties that this process has to do with: those that are written to through it
 * (`opened`) and those that it was asked about lately (`use`).
 *
 * Every few seconds it looks which of their segments are full and not sealed. Of one property one collector seals at
 * a time, one segment after the other, holding a lease that ends by itself when the collector dies. A segment that
 * failed is tried again with the next look; nothing depends on it but memory and the time of the first question. So
 * it gives way when the process has other things to do (seal-pace.ts).
 */
import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../../base/clock.ts';
import { CrowdbeatError, messageOf } from '../../base/errors.ts';
import { formatPropertyName, type PropertyName } from '../../protocol/property.ts';
import type { RedisConnection } from '../../store/connection.ts';
import { PropertyKeys } from '../../store/keys.ts';
import { loadSchema } from '../../store/schema.ts';
import { releaseSealLease, takeSealLease } from '../../store/segment-seal.ts';
import { SegmentStateReader, type UnsealedState } from '../../store/segment-states.ts';
import { type ProcessLoad, SealPace } from './seal-pace.ts';
import { sealSegment } from './segment-sealing.ts';

export interface SealerOptions {
  readonly connection: RedisConnection;
  readonly clock?: Clock | undefined;
  /** Gets a line for each segment that could not be sealed. */
  readonly log?: ((line: string) => void) | undefined;
  /** Between two looks. Default 2 s. */
  readonly intervalMs?: number | undefined;
  /** How long a segment that was found full stays as it is. Default 0. */
  readonly delayMs?: number | undefined;
  /** What sealing gives way to. Default: nothing. */
  readonly load?: ProcessLoad | undefined;
  /** Full segments of a property that may wait while the process is busy. Default 16. */
  readonly backlogMax?: number | undefined;
  /** How long a property that was asked about is looked at. Default 10 min. */
  readonly usedMs?: number | undefined;
  /** How long the lease outlives the last step of its holder. Default 15 s. */
  readonly leaseMs?: number | undefined;
  /** Events of a page. Default 512. */
  readonly pageEvents?: number | undefined;
}

interface Watched {
  readonly property: PropertyName;
  readonly keys: PropertyKeys;
  readonly states: SegmentStateReader;
  /** How many queues write to it here. */
  writers: number;
  usedMs: number;
  /** When each full segment was found, on the monotonic clock. */
  readonly fullMs: Map<number, number>;
  /** Segments that failed, with what nobody can mend by trying; until when they are left alone. */
  readonly failedUntilMs: Map<number, number>;
}

const failedPauseMs = 600_000;

const defaults = { intervalMs: 2000, delayMs: 0, usedMs: 600_000, leaseMs: 15_000 };

export class Sealer {
  readonly #options: SealerOptions & typeof defaults;
  readonly #clock: Clock;
  readonly #watched = new Map<string, Watched>();
  readonly #pace: SealPace;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #running: Promise<number> | undefined;

  constructor(options: SealerOptions) {
    const { intervalMs, delayMs, usedMs, leaseMs } = options;
    this.#options = {
      ...options,
      intervalMs: intervalMs ?? defaults.intervalMs,
      delayMs: delayMs ?? defaults.delayMs,
      usedMs: usedMs ?? defaults.usedMs,
      leaseMs: leaseMs ?? defaults.leaseMs,
    };
    this.#clock = options.clock ?? systemClock;
    this.#pace = new SealPace({
      clock: this.#clock,
      load: options.load,
      backlogMax: options.backlogMax,
    });
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.#begin(), this.#options.intervalMs).unref();
  }

  /** Resolves when nothing is being sealed any more; a segment that was begun is left to others. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  /** The property is asked about. */
  use(property: PropertyName): void {
    this.#entryOf(property).usedMs = this.#clock.monotonicMs();
  }

  /** The property is written to until the function that is returned is called. */
  opened(property: PropertyName): () => void {
    const watched = this.#entryOf(property);
    watched.writers++;
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      watched.writers--;
      watched.usedMs = this.#clock.monotonicMs();
    };
  }

  #entryOf(property: PropertyName): Watched {
    const name = formatPropertyName(property);
    let watched = this.#watched.get(name);
    if (watched === undefined) {
      const keys = new PropertyKeys(property);
      const states = new SegmentStateReader(this.#options.connection, keys);
      const usedMs = this.#clock.monotonicMs();
      watched = { property, keys, states, writers: 0, usedMs, fullMs: new Map(), failedUntilMs: new Map() };
      this.#watched.set(name, watched);
    }
    return watched;
  }

  #begin(): Promise<number> {
    this.#running ??= this.sealDue().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** One look at every property. Resolves with how many segments were sealed. Never throws. */
  async sealDue(): Promise<number> {
    let sealed = 0;
    for (const [name, watched] of [...this.#watched]) {
      if (this.#isStopped || !this.#options.connection.isReady()) break;
      const isOld = this.#clock.monotonicMs() - watched.usedMs > this.#options.usedMs;
      if (watched.writers === 0 && isOld) {
        this.#watched.delete(name);
        continue;
      }
      try {
        sealed += await this.#sealProperty(watched);
      } catch (error) {
        this.#options.log?.(`seal: property ${name}: ${messageOf(error)}`);
      }
    }
    return sealed;
  }

  async #sealProperty(watched: Watched): Promise<number> {
    const { generation, unsealed } = await watched.states.read();
    const due = this.#due(watched, unsealed);
    if (generation === '' || due.length === 0) return 0;
    const schema = await loadSchema(this.#options.connection, watched.property);
    const fields = schema.fields.map(({ name }) => name);
    let sealed = 0;
    const foundMs = Math.min(...watched.fullMs.values());
    for (const [index, state] of due.entries()) {
      const longestMs = this.#clock.monotonicMs() - foundMs;
      const pace = await this.#pace.look(due.length - index, longestMs);
      if (this.#isStopped || pace === 'waiting') break;
      try {
        if (!(await this.#sealOne(watched, generation, state, fields))) break;
        watched.fullMs.delete(state.number);
        sealed++;
      } catch (error) {
        if (!(error instanceof CrowdbeatError) || error.code !== 'CB_REDIS_REPLY') throw error;
        watched.failedUntilMs.set(state.number, this.#clock.monotonicMs() + failedPauseMs);
        this.#options.log?.(`seal: property ${formatPropertyName(watched.property)}: ${error.message}`);
      }
    }
    return sealed;
  }

  #due({ fullMs, failedUntilMs }: Watched, unsealed: readonly UnsealedState[]): UnsealedState[] {
    const full = unsealed.filter(({ isFull }) => isFull);
    const nowMs = this.#clock.monotonicMs();
    for (const number of fullMs.keys())
      if (!full.some((state) => state.number === number)) fullMs.delete(number);
    for (const { number } of full) if (!fullMs.has(number)) fullMs.set(number, nowMs);
    const { delayMs } = this.#options;
    return full.filter(
      ({ number }) =>
        nowMs - (fullMs.get(number) ?? nowMs) >= delayMs && nowMs >= (failedUntilMs.get(number) ?? nowMs),
    );
  }

  async #sealOne(
    { keys }: Watched,
    generation: string,
    { number, directoryBytes }: UnsealedState,
    fields: readonly string[],
  ): Promise<boolean> {
    const { connection, leaseMs, pageEvents } = this.#options;
    const token = randomBytes(8).toString('hex');
    const ticket = { connection, keys, generation, number, token, leaseMs };
    if (!(await takeSealLease(ticket))) return false;
    try {
      const isStopped = (): boolean => this.#isStopped;
      const { endTurn } = this.#pace;
      return await sealSegment(ticket, { fields, directoryBytes, pageEvents, isStopped, endTurn });
    } finally {
      this.#pace.mark();
      await releaseSealLease(ticket);
    }
  }
}
