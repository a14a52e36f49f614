/**
 * How scripts of visitor questions reach Redis: one at a time on a connection, in the order in which they were
 * asked for, each short. So a heavy question lines up again after each of its scripts, a light one passes between
 * them, and ingest never waits for more than one. A question ends between two scripts: at its deadline, or when
 * nobody waits for it.
 */
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import type { RedisArgument, RedisConnection, Script } from './connection.ts';

const queues = new WeakMap<RedisConnection, Promise<unknown>>();

export interface QueryLimits {
  readonly clock: Clock;
  /** How long the question may take, waiting included. */
  readonly timeoutMs: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
  /** What one script may cost Redis, estimated. Default: so that none comes near 2 ms. */
  readonly scriptBudgetUs?: number | undefined;
  /** Which of several ways to the same answer is taken, whatever it costs: tests compare them. */
  readonly ways?: QueryWays | undefined;
}

export interface QueryWays {
  readonly counts?: 'redis' | 'collector';
  readonly funnel?: 'members' | 'bounds' | 'blocks';
}

/** A script is closed when it has so much to do: half of the 2 ms that none may take, for estimates err. */
const scriptBudgetDefaultUs = 900;

/** Of the event loop for one question, before others have theirs. */
const turnMs = 2;

export class VisitorScripts {
  readonly connection: RedisConnection;
  readonly ways: QueryWays;
  /** Scripts sent so far. */
  sent = 0;
  readonly budgetUs: number;
  /** Most keys that were read last were sets, not bitmaps; see fetchValues. */
  expectLists = false;
  readonly #limits: QueryLimits;
  readonly #endMs: number;
  #turnMs: number;

  constructor(connection: RedisConnection, limits: QueryLimits) {
    this.connection = connection;
    this.budgetUs = limits.scriptBudgetUs ?? scriptBudgetDefaultUs;
    this.#limits = limits;
    this.ways = limits.ways ?? {};
    this.#turnMs = limits.clock.monotonicMs();
    this.#endMs = limits.clock.monotonicMs() + limits.timeoutMs;
  }

  /** Throws CB_QUERY_TIMEOUT, CB_QUERY_CANCELLED when the question has ended. Call it in long loops too. */
  check(): void {
    if (this.#limits.signal?.aborted === true)
      throw new CrowdbeatError('CB_QUERY_CANCELLED', 'the question was cancelled: its client is gone');
    if (this.#limits.clock.monotonicMs() < this.#endMs) return;
    const message = `the question took longer than ${this.#limits.timeoutMs} ms and was ended`;
    throw new CrowdbeatError('CB_QUERY_TIMEOUT', message);
  }

  /** The same, and lets others have the event loop when the question has had it for long. For work between scripts. */
  async breathe(): Promise<void> {
    this.check();
    const { clock } = this.#limits;
    if (clock.monotonicMs() - this.#turnMs < turnMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#turnMs = clock.monotonicMs();
  }

  /** A script that only reads; strings come as Buffers. */
  read(script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown> {
    return this.#inTurn(() => this.connection.readScript(script, keys, args));
  }

  /** Strings as they lie; null for what is missing, or no string. */
  readStrings(keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
    return this.#inTurn(() => this.connection.callBuffer('MGET', keys)) as Promise<(Buffer | null)[]>;
  }

  /** A script that may write. */
  run(script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    return this.#inTurn(() =>
      this.connection.callBuffer('EVALSHA', [script.sha1, ...rest]).catch((thrown: unknown) => {
        if (!messageOf(thrown).includes('NOSCRIPT')) throw thrown;
        return this.connection.callBuffer('EVAL', [script.text, ...rest]);
      }),
    );
  }

  async #inTurn(send: () => Promise<unknown>): Promise<unknown> {
    this.check();
    const before = queues.get(this.connection) ?? Promise.resolve();
    const reply = before.then(() => {
      this.check();
      this.sent++;
      this.#turnMs = this.#limits.clock.monotonicMs();
      return send();
    });
    // The next in the queue comes after this one also when it failed; whoever asked hears of it.
    queues.set(
      this.connection,
      reply.catch(() => undefined),
    );
    return reply;
  }
}
