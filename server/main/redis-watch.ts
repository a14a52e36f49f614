/**
 * Knows since when Redis is away, and says so in the log when it goes and when it comes back. `look` asks how it is,
 * for /health: at most once in a quarter of a second, however many ask, and waits for a second at most.
 */
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { formatDuration } from '../base/units.ts';
import type { Log } from '../http/failure.ts';
import type { RedisConnection } from '../store/connection.ts';
import { readServerInfo, type ServerInfo } from '../store/server-info.ts';

const checkIntervalMs = 500;
const freshMs = 250;
const answerDeadlineMs = 1000;

/** How Redis was when it was asked. */
export interface RedisState {
  readonly isReady: boolean;
  /** Epoch ms; undefined while it is there. */
  readonly awaySinceMs: number | undefined;
  /** Why it went or did not answer, the last time that it did. */
  readonly lastError: string | undefined;
  /** Undefined if it gave none now. */
  readonly info: ServerInfo | undefined;
}

export class RedisWatch {
  readonly #connection: RedisConnection;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  readonly #endListening: () => void;
  #awaySinceMs: number | undefined;
  #lastError: string | undefined;
  #asked: { readonly atMs: number; readonly state: Promise<RedisState> } | undefined;

  constructor(connection: RedisConnection, clock: Clock, log: Log) {
    this.#connection = connection;
    this.#clock = clock;
    this.#log = log;
    this.#endListening = connection.onReset(() => this.#notice());
    this.#timer = setInterval(() => this.#notice(), checkIntervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#endListening();
  }

  look(): Promise<RedisState> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#asked === undefined || nowMs - this.#asked.atMs > freshMs)
      this.#asked = { atMs: nowMs, state: this.#ask() };
    return this.#asked.state;
  }

  async #ask(): Promise<RedisState> {
    this.#notice();
    let info: ServerInfo | undefined;
    if (this.#connection.isReady()) {
      try {
        info = await withinDeadline(readServerInfo(this.#connection));
      } catch (thrown) {
        this.#lastError = messageOf(thrown);
      }
    }
    this.#notice();
    const isReady = this.#connection.isReady();
    return { isReady, awaySinceMs: this.#awaySinceMs, lastError: this.#lastError, info };
  }

  /** Compares what is with what was. */
  #notice(): void {
    this.#lastError = this.#connection.lastError ?? this.#lastError;
    const nowMs = this.#clock.wallMs();
    if (!this.#connection.isReady()) {
      if (this.#awaySinceMs !== undefined) return;
      this.#awaySinceMs = nowMs;
      this.#log('Redis: the connection is lost; trying again until it is back', { level: 'error' });
    } else if (this.#awaySinceMs !== undefined) {
      const away = formatDuration(Math.max(0, nowMs - this.#awaySinceMs));
      this.#awaySinceMs = undefined;
      this.#log(`Redis: back after ${away}`, { level: 'warn' });
    }
  }
}

function withinDeadline<Result>(answer: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const late = new Error(`Redis did not answer INFO within ${answerDeadlineMs} ms`);
    const timer = setTimeout(() => reject(late), answerDeadlineMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
