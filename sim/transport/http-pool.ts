/**
 * The load client: a bounded pool of keep-alive HTTP/1.1 connections, one request in flight on each.
 *
 * A request goes out at once on an idle connection, the one used last first. Otherwise it waits, first in
 * first out, and a further connection is opened while there are fewer than `connections`.
 *
 * When the target is away: after a failed connect, or a connection that ended without one reply, the pool
 * tries again with one connection at a time, after a delay (reconnect-backoff.ts), until a reply is
 * complete. Requests keep waiting meanwhile, except that each connect that fails while no other connection
 * is open fails the oldest one waiting, so that its sender hears of it no oftener than the target is
 * tried, and all that have waited for `requestTimeoutMs`, so that nobody waits for ever. A target that is
 * only slow fails no waiting request: that is time blocked, and `withdraw` ends it.
 *
 * Nothing is sent again by the pool. A request that met a connection which the target was just closing
 * fails as `reset`, `maybeDelivered`; its sender knows whether it can be repeated.
 *
 * Time limits are looked after by one sweep every 50 ms, which is how late they may be; it stops when
 * there is nothing to look after. An exchange costs about 11 us of CPU on loopback, 8 of them the kernel's:
 * 0.96 to 1.02 of bare sockets that don't parse, and 0.55 to 0.65 of autocannon, measured in the same run.
 */
import assert from 'node:assert/strict';
import { Connection, type ConnectionOptions, type ConnectionOwner } from './connection.ts';
import type { Failure, Reply } from './exchange.ts';
import { type HttpPoolOptions, targetOf } from './pool-options.ts';
import { ReconnectBackoff } from './reconnect-backoff.ts';
import { RequestQueue, type WaitingRequest } from './request-queue.ts';

export type { ExchangeHandler, Failure, FailureKind, Reply } from './exchange.ts';
export type { HttpPoolOptions } from './pool-options.ts';

const sweepIntervalMs = 50;
const readBufferBytes = 65_536;

export class HttpPool {
  readonly #options: HttpPoolOptions;
  readonly #connectionOptions: ConnectionOptions;
  readonly #connections = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #queue = new RequestQueue();
  readonly #backoff: ReconnectBackoff;
  #connecting = 0;
  #inFlight = 0;
  #closed = false;
  #sweepTimer: NodeJS.Timeout | undefined;
  #connectsFailed = 0;
  #lastConnectFailure: Failure | undefined;

  /** @throws CrowdbeatError CB_OPTION if the URL is neither http: nor https: */
  constructor(options: HttpPoolOptions) {
    assert(
      Number.isInteger(options.connections) && options.connections > 0,
      'connections: needs a whole number from 1',
    );
    this.#options = options;
    this.#backoff = new ReconnectBackoff(options.jitterSeed ?? 0);
    const owner: ConnectionOwner = {
      connected: (connection) => this.#onConnected(connection),
      replied: (connection, token, reply) => this.#onReplied(connection, token, reply),
      failed: (connection, from, failure) => this.#onFailed(connection, from, failure),
      lost: (connection) => this.#onLost(connection),
    };
    const readBuffer = Buffer.allocUnsafeSlow(readBufferBytes);
    this.#connectionOptions = { target: targetOf(options), clock: options.clock, readBuffer, owner };
  }

  /** Connections that are up and carry no request. */
  get idle(): number {
    return this.#idle.length;
  }

  /** Requests that wait for a connection. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Connections that are up. */
  get open(): number {
    return this.#connections.size - this.#connecting;
  }

  /** Requests that were sent and have no reply yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Connect attempts that failed so far, also those that failed no request. */
  get connectsFailed(): number {
    return this.#connectsFailed;
  }

  get lastConnectFailure(): Failure | undefined {
    return this.#lastConnectFailure;
  }

  /**
   * Sends now, or queues.
   *
   * @param token tells the exchange apart in the handler's calls; the same one may be used again later
   * @param request a complete HTTP/1.1 request in ASCII, with its content-length (see http-request.ts)
   */
  send(token: number, request: string): void {
    if (this.#closed) {
      setImmediate(() => this.#options.handler.onFailure(token, poolClosed, this.#now()));
      return;
    }
    const connection = this.#idle.pop();
    if (connection !== undefined) {
      this.#dispatch(connection, token, request);
      return;
    }
    this.#queue.push({ token, request, sinceMs: this.#now() });
    this.#openMore();
  }

  /** Takes a request back that was not sent yet; the handler hears nothing of it. False: it no longer waits. */
  withdraw(token: number): boolean {
    return this.#queue.withdraw(token);
  }

  /** Destroys every connection. What waits or is in flight fails as `closed_early` before this returns. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#idle.length = 0;
    for (const connection of [...this.#connections]) {
      if (connection.state === 'busy') connection.fail('closed_early', 'the pool was closed');
      else this.#forget(connection).destroy();
    }
    this.#connecting = 0;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#options.handler.onFailure(next.token, poolClosed, this.#now());
    }
    this.#stopSweep();
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  #dispatch(connection: Connection, token: number, request: string): void {
    const nowMs = this.#now();
    this.#inFlight += 1;
    connection.send(token, request, nowMs);
    if (this.#sweepTimer === undefined) this.#startSweep();
    this.#options.handler.onSent(token, nowMs);
  }

  /** Gives an idle connection the oldest waiting request, or puts it by. */
  #employ(connection: Connection): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#idle.push(connection);
    else this.#dispatch(connection, next.token, next.request);
  }

  #onConnected(connection: Connection): void {
    this.#connecting -= 1;
    this.#employ(connection);
  }

  #onReplied(connection: Connection, token: number, reply: Reply): void {
    this.#inFlight -= 1;
    this.#backoff.succeeded();
    // The connection takes no request during the call: those that wait are older than what the call sends.
    this.#options.handler.onReply(token, reply, this.#now());
    if (connection.state === 'idle') this.#employ(connection);
    else this.#forget(connection);
    this.#openMore();
  }

  #onFailed(connection: Connection, from: 'connecting' | 'busy', failure: Failure): void {
    const nowMs = this.#now();
    this.#forget(connection);
    // Slow is not away: a timeout is followed by a new connection at once. Anything else that ended a
    // connection before its first reply is, and that stands before the handler may send again.
    const useless = connection.replies === 0 && failure.kind !== 'timeout';
    if (useless || from === 'connecting') this.#backoff.failed(nowMs);
    if (from === 'connecting') {
      this.#onConnectFailed(failure, nowMs);
    } else {
      this.#inFlight -= 1;
      this.#options.handler.onFailure(connection.token, failure, nowMs);
    }
    if (this.#backoff.failing) this.#failOverdue(failure, nowMs);
    this.#openMore();
  }

  #onLost(connection: Connection): void {
    this.#forget(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#openMore();
  }

  #onConnectFailed(failure: Failure, nowMs: number): void {
    this.#connecting -= 1;
    this.#connectsFailed += 1;
    this.#lastConnectFailure = failure;
    const oldest = this.open === 0 ? this.#queue.shift() : undefined;
    if (oldest !== undefined) this.#options.handler.onFailure(oldest.token, failure, nowMs);
  }

  /** The target is away and no connection is left: those that have waited too long hear why. */
  #failOverdue(failure: Failure, nowMs: number): void {
    if (this.open > 0) return;
    while (this.#isOverdue(this.#queue.peek(), nowMs)) {
      const overdue = this.#queue.shift();
      if (overdue !== undefined)
        this.#options.handler.onFailure(overdue.token, { ...failure, maybeDelivered: false }, nowMs);
    }
  }

  #isOverdue(waiting: WaitingRequest | undefined, nowMs: number): boolean {
    return waiting !== undefined && nowMs - waiting.sinceMs >= this.#options.requestTimeoutMs;
  }

  #forget(connection: Connection): Connection {
    this.#connections.delete(connection);
    return connection;
  }

  #openMore(): void {
    if (this.#queue.size === 0) return;
    const nowMs = this.#now();
    while (!this.#closed && this.#wantsOneMore() && this.#backoff.mayTry(nowMs)) {
      this.#connecting += 1;
      this.#connections.add(new Connection(this.#connectionOptions));
    }
    if (!this.#closed) this.#startSweep();
  }

  #wantsOneMore(): boolean {
    const total = this.#connections.size;
    if (total >= this.#options.connections || (this.#backoff.failing && this.#connecting > 0)) return false;
    return this.#connecting < this.#queue.size;
  }

  #startSweep(): void {
    this.#sweepTimer ??= setInterval(this.#sweep, sweepIntervalMs);
  }

  #stopSweep(): void {
    clearInterval(this.#sweepTimer);
    this.#sweepTimer = undefined;
  }

  readonly #sweep = (): void => {
    const nowMs = this.#now();
    const { requestTimeoutMs, connectTimeoutMs } = this.#options;
    for (const connection of this.#connections) {
      const ageMs = nowMs - connection.sinceMs;
      if (connection.state === 'busy' && ageMs >= requestTimeoutMs) {
        connection.fail('timeout', `no complete reply within ${requestTimeoutMs} ms`);
      } else if (connection.state === 'connecting' && ageMs >= connectTimeoutMs) {
        connection.fail('unreachable', `no connection within ${connectTimeoutMs} ms`);
      }
    }
    this.#openMore();
    if (this.#queue.size === 0 && this.#inFlight === 0 && this.#connecting === 0) this.#stopSweep();
  };
}

const poolClosed: Failure = { kind: 'closed_early', maybeDelivered: false, message: 'the pool was closed' };
