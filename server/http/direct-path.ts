/**
 * The direct path: connections begin here, below node:http, and stay as long as they send the requests
 * that thousands a second are. docs/decisions/0005-own-http-path.md says why.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { DirectConnection, type DirectOwner, type DirectRoute } from './direct-connection.ts';
import { DirectHead } from './direct-head.ts';
import { DirectReplies } from './direct-replies.ts';
import type { RequestCounts } from './request-counts.ts';
import type { HandleWhole } from './router.ts';

export interface DirectPathOptions {
  readonly routes: readonly { readonly path: string; readonly handle: HandleWhole }[];
  readonly clock: Clock;
  readonly counts: RequestCounts;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Gives a connection to node:http, which reads first what is in the socket's buffer already. */
  readonly serveHttp: (socket: Socket) => void;
  /** Called while closing, whenever a connection rests or is over. */
  readonly onRest: () => void;
}

export class DirectPath implements DirectOwner {
  readonly head: DirectHead;
  readonly replies: DirectReplies;
  readonly routes: readonly DirectRoute[];
  readonly headersTicks: number;
  readonly requestTicks: number;
  readonly idleTicks: number;
  readonly counts: RequestCounts;
  ticks = 0;
  isClosing = false;
  readonly #options: DirectPathOptions;
  readonly #connections = new Set<DirectConnection>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: DirectPathOptions) {
    const { headersTimeoutMs, requestTimeoutMs, idleTimeoutMs } = options;
    const tickMs = Math.min(1000, headersTimeoutMs, requestTimeoutMs, idleTimeoutMs);
    this.#options = options;
    this.counts = options.counts;
    this.routes = options.routes.map(({ path, handle }) => ({ handle, statuses: options.counts.of(path) }));
    this.head = new DirectHead(...options.routes.map(({ path }) => path));
    this.replies = new DirectReplies(options.clock, idleTimeoutMs);
    this.headersTicks = Math.ceil(headersTimeoutMs / tickMs);
    this.requestTicks = Math.ceil(requestTimeoutMs / tickMs);
    this.idleTicks = Math.ceil(idleTimeoutMs / tickMs);
    this.#timer = setInterval(() => this.#tick(), tickMs).unref();
  }

  /** Takes a new connection. */
  take(socket: Socket): void {
    this.#connections.add(new DirectConnection(socket, this));
  }

  /** True while a reply is owed or a request's body is on its way. */
  get isBusy(): boolean {
    for (const connection of this.#connections) if (connection.isBusy) return true;
    return false;
  }

  /** Ends the connections that rest; the others end with their last reply. */
  close(): void {
    this.isClosing = true;
    for (const connection of this.#connections) connection.close();
  }

  /** Ends the timer. */
  stop(): void {
    clearInterval(this.#timer);
  }

  handOver(connection: DirectConnection, rest: Buffer): void {
    this.#connections.delete(connection);
    const { socket } = connection;
    // A paused socket keeps what it is given back; node:http reads it first and the rest from the connection.
    socket.unshift(rest);
    this.#options.serveHttp(socket);
    socket.resume();
  }

  rests(connection: DirectConnection): void {
    if (connection.socket.destroyed) this.#connections.delete(connection);
    if (this.isClosing) this.#options.onRest();
  }

  #tick(): void {
    this.ticks++;
    this.replies.tick();
    for (const connection of this.#connections) connection.sweep();
  }
}
