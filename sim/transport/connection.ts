/**
 * One keep-alive connection: one request in flight, then the next.
 *
 * States and moves:
 *
 *   connecting -> idle        the connection (and TLS) is up
 *   idle -> busy              a request's bytes were handed to the socket
 *   busy -> idle              its reply is complete, and the connection may be used again
 *   any -> ended              a failure, a reply that ends the connection, the target closed, or destroy()
 *
 * The pool is told of each move by one call; `ended` is told once and is the last.
 */
import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../server/base/clock.ts';
import { messageOf } from '../../server/base/errors.ts';
import { connectFailure } from './connect-failure.ts';
import type { Failure, FailureKind, Reply } from './exchange.ts';
import { ResponseReader } from './response-reader.ts';

export type ConnectionState = 'connecting' | 'idle' | 'busy' | 'ended';

/** What the pool does about a connection's moves. */
export interface ConnectionOwner {
  connected(connection: Connection): void;
  /** The connection is idle again, or it has ended; the reply is to be read inside the call. */
  replied(connection: Connection, token: number, reply: Reply): void;
  /** From `connecting` or `busy`, with the reason. */
  failed(connection: Connection, from: 'connecting' | 'busy', failure: Failure): void;
  /** An idle connection was closed by the target. */
  lost(connection: Connection): void;
}

export interface ConnectionOptions {
  readonly target: Target;
  readonly clock: Clock;
  /** Filled by the socket and used up inside one callback, so that all connections of a pool share one. */
  readonly readBuffer: Buffer;
  readonly owner: ConnectionOwner;
}

export interface Target {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly rejectUnauthorized: boolean;
}

export class Connection {
  /** The request in flight, and when it was handed to the socket; for the pool's sweep. */
  token = -1;
  /** Monotonic ms: since when it is connecting or busy. */
  sinceMs: number;
  /** Complete replies so far. */
  replies = 0;
  readonly #options: ConnectionOptions;
  readonly #reader: ResponseReader;
  readonly #socket: Socket;
  #state: ConnectionState = 'connecting';

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#reader = new ResponseReader(options.clock);
    this.sinceMs = options.clock.monotonicMs();
    const onread: OnReadOpts = {
      buffer: options.readBuffer,
      callback: (length, bytes) => this.#onRead(bytes, length),
    };
    this.#socket = openSocket(options.target, onread);
    this.#socket
      .setNoDelay(true)
      .once(options.target.tls ? 'secureConnect' : 'connect', () => this.#onConnected())
      .on('error', (error) => this.#onError(error))
      .on('end', () => this.#onEnd())
      .on('close', () => this.#onEnd());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Hands a whole request to the socket. Only when idle. */
  send(token: number, request: string, nowMs: number): void {
    this.#state = 'busy';
    this.token = token;
    this.sinceMs = nowMs;
    this.#reader.begin();
    this.#socket.write(request, 'latin1');
  }

  /** Ends it with a failure of the pool's finding: a timeout, or the pool being closed. */
  fail(kind: FailureKind, problem: string): void {
    this.#fail({ kind, maybeDelivered: this.#state === 'busy', message: `${this.#name()}: ${problem}` });
  }

  /** Ends it without a word to the pool. */
  destroy(): void {
    this.#state = 'ended';
    this.#socket.destroy();
  }

  #name(): string {
    return `${this.#options.target.host}:${this.#options.target.port}`;
  }

  #onConnected(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'idle';
    this.#options.owner.connected(this);
  }

  /** Runs inside the socket's read; true lets it go on reading. */
  #onRead(bytes: Uint8Array, length: number): boolean {
    if (this.#state === 'idle') this.#lose();
    if (this.#state !== 'busy') return true;
    const result = this.#reader.read(bytes as Buffer, length);
    if (result === 'complete') this.#complete();
    else if (result !== 'more') this.fail(result, this.#reader.problem);
    return true;
  }

  #complete(): void {
    const { token } = this;
    this.replies += 1;
    // A reply that came before the whole request had left leaves a connection in the middle of a request.
    if (this.#reader.reusable && this.#socket.writableLength === 0) this.#state = 'idle';
    else this.destroy();
    this.#options.owner.replied(this, token, this.#reader.reply);
  }

  #onError(error: Error): void {
    if (this.#state === 'connecting') this.#fail(connectFailure(this.#name(), error));
    else this.#cut(messageOf(error));
  }

  /** The target closed its side. */
  #onEnd(): void {
    if (this.#state === 'connecting') this.fail('reset', 'closed before the connection was up');
    else if (this.#state === 'busy' && this.#reader.end() === 'complete') this.#complete();
    else this.#cut('closed by the target');
  }

  /** An established connection is over. */
  #cut(problem: string): void {
    if (this.#state === 'idle') this.#lose();
    else if (this.#state === 'busy') this.fail(this.#reader.started ? 'closed_early' : 'reset', problem);
  }

  #lose(): void {
    this.destroy();
    this.#options.owner.lost(this);
  }

  #fail(failure: Failure): void {
    const from = this.#state;
    if (from !== 'connecting' && from !== 'busy') return;
    this.destroy();
    this.#options.owner.failed(this, from, failure);
  }
}

function openSocket(target: Target, onread: OnReadOpts): Socket {
  const { host, port, rejectUnauthorized } = target;
  if (!target.tls) return connectTcp({ host, port, onread });
  const name = isIP(host) === 0 ? { servername: host } : {};
  // Node hands `onread` on to the socket under TLS as well; its types don't know.
  const options = { host, port, rejectUnauthorized, ALPNProtocols: ['http/1.1'], onread, ...name };
  return connectTls(options);
}
