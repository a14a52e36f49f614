/**
 * The HTTP server: hands requests to routes, bounds what a client may take (time, header bytes, idle time),
 * and closes without losing a reply.
 *
 * On node:http and not on a framework: one request of the hot path may cost 38 us of CPU in all, and the
 * framework alone takes 14 us more than node:http does.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { CrowdbeatError, messageOf, systemCodeOf } from '../base/errors.ts';
import { limits } from '../protocol/limits.ts';
import { sendUnread } from './answer.ts';
import { answerClientError } from './client-error.ts';
import { type Log, sendFailure } from './failure.ts';
import { CollectorRequest, type Response } from './request.ts';
import { type Route, Router } from './router.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly routes: readonly Route[];
  readonly log: Log;
  /** Until the header block is complete. Default 10 s. */
  readonly headersTimeoutMs?: number | undefined;
  /** Until the whole request is complete. Default 30 s. */
  readonly requestTimeoutMs?: number | undefined;
}

export interface HttpServer {
  readonly port: number;
  /** Stops listening, finishes the requests in flight within the deadline, then closes every connection. */
  close(deadlineMs: number): Promise<void>;
}

/** Longer than the 60 s of the usual load balancers, so that they close first and never meet a dead connection. */
const keepAliveTimeoutMs = 75_000;
const headerBytesMax = 16_384;

/** Throws CB_PORT_TAKEN, or CB_OPTION when the address can't be listened on. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const open = new OpenHttpServer(options);
  await open.listen(options.host, options.port);
  return open;
}

class OpenHttpServer implements HttpServer {
  readonly #server: Server<typeof CollectorRequest>;
  readonly #router: Router;
  readonly #log: Log;
  readonly #sockets = new Set<Socket>();
  /** Replies that are owed or being written. */
  readonly #responses = new Set<Response>();
  #port = 0;
  #closing: { readonly onAnswered: () => void } | undefined;

  constructor(options: HttpServerOptions) {
    this.#router = new Router(options.routes);
    this.#log = options.log;
    const { headersTimeoutMs = 10_000, requestTimeoutMs = 30_000 } = options;
    this.#server = createServer(
      {
        IncomingMessage: CollectorRequest,
        maxHeaderSize: headerBytesMax,
        headersTimeout: headersTimeoutMs,
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: keepAliveTimeoutMs,
        connectionsCheckingInterval: Math.min(1000, headersTimeoutMs, requestTimeoutMs),
      },
      (request, response) => this.#handle(request, response),
    );
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      answerClientError(error, socket, this.#owesEarlierReply(socket));
    });
  }

  /** 0 until the server listens. */
  get port(): number {
    return this.#port;
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, host, port)));
      this.#server.listen(port, host, () => {
        // Later errors (no descriptor left for a new connection) concern one connection, not the server.
        this.#server
          .removeAllListeners('error')
          .on('error', (error) => this.#log(`server: ${messageOf(error)}`));
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  async close(deadlineMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const response of this.#responses) response.shouldKeepAlive = false;
    await this.#answered(deadlineMs);
    // Every reply is written or late by now. What a socket still has to send goes out before it closes.
    for (const socket of this.#sockets) socket.destroySoon();
    const lastResort = setTimeout(() => this.#server.closeAllConnections(), 1000);
    await closed;
    clearTimeout(lastResort);
  }

  /** Resolves when no reply is owed, or at the deadline. */
  #answered(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      const onAnswered = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#closing = { onAnswered };
      if (this.#responses.size === 0) onAnswered();
    });
  }

  #handle(request: CollectorRequest, response: Response): void {
    this.#responses.add(response);
    response.on('close', this.#onResponseClose);
    if (this.#closing !== undefined) response.shouldKeepAlive = false;
    const url = request.url ?? '/';
    const questionMark = url.indexOf('?');
    const path = questionMark < 0 ? url : url.slice(0, questionMark);
    const method = request.method ?? 'GET';
    const route = this.#router.find(method, path);
    try {
      if ('handle' in route)
        route.handle(request, response, questionMark < 0 ? '' : url.slice(questionMark + 1));
      else sendUnread(request, response, route, limits.bodyBytesMax);
    } catch (thrown) {
      sendFailure(response, thrown, `${method} ${path}`, this.#log);
    }
  }

  /** One function for all responses; node:http calls it with the response as `this`. */
  readonly #onResponseClose = responseCloser((response) => {
    this.#responses.delete(response);
    if (this.#responses.size === 0) this.#closing?.onAnswered();
  });

  /** True if a request that came whole on this connection still waits for its reply. */
  #owesEarlierReply(socket: Socket): boolean {
    for (const { req } of this.#responses) if (req.socket === socket && req.complete) return true;
    return false;
  }
}

function responseCloser(onClose: (response: Response) => void): (this: Response) => void {
  return function (this: Response): void {
    onClose(this);
  };
}

function listenError(error: Error, host: string, port: number): CrowdbeatError {
  if (systemCodeOf(error) === 'EADDRINUSE') {
    const message = `port ${port} on ${host} is in use; choose another with --port`;
    return new CrowdbeatError('CB_PORT_TAKEN', message, { cause: error });
  }
  return new CrowdbeatError('CB_OPTION', `cannot listen on ${host} port ${port}: ${error.message}`, {
    cause: error,
  });
}
