/**
 * The HTTP server: hands requests to routes, bounds what a client may take (time, header bytes, idle time),
 * and closes without losing a reply.
 *
 * Two paths behind one port. A connection begins on the direct path (direct-connection.ts), which answers the
 * plain requests of the hottest route; at the first other request it goes to node:http for good.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Clock, systemClock } from '../base/clock.ts';
import { CrowdbeatError, messageOf, systemCodeOf } from '../base/errors.ts';
import { limits } from '../protocol/limits.ts';
import type { Admission } from './admission.ts';
import { type Answer, sendUnread } from './answer.ts';
import { answerClientError } from './client-error.ts';
import { ConnectionLimit, isRefused } from './connection-limit.ts';
import { DirectPath } from './direct-path.ts';
import { type Log, sendFailure } from './failure.ts';
import { CollectorRequest, type Response } from './request.ts';
import { RequestCounts } from './request-counts.ts';
import { requestIdHeader, saneRequestId } from './request-id.ts';
import { type Route, Router } from './router.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly routes: readonly Route[];
  readonly log: Log;
  readonly clock?: Clock | undefined;
  /** Who may do what. Without one everybody may do everything, for tests of routes. */
  readonly admission?: Admission | undefined;
  /** Where requests and connections are counted. */
  readonly counts?: RequestCounts | undefined;
  /** Until the header block is complete. Default 10 s. */
  readonly headersTimeoutMs?: number | undefined;
  /** Until the whole request is complete. Default 30 s. */
  readonly requestTimeoutMs?: number | undefined;
  /** How long a connection may stay open between two requests. Default 75 s. */
  readonly idleTimeoutMs?: number | undefined;
  /** Connections at a time; more are told so and closed. Default: what the process's descriptors allow. */
  readonly connectionsMax?: number | undefined;
}

export interface HttpServer {
  readonly port: number;
  /** Stops listening, finishes the requests in flight within the deadline, then closes every connection. */
  close(deadlineMs: number): Promise<void>;
}

/** Longer than the 60 s of the usual load balancers, so that they close first and never meet a dead connection. */
const idleTimeoutDefaultMs = 75_000;
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
  readonly #admission: Admission | undefined;
  readonly #log: Log;
  readonly #counts: RequestCounts;
  readonly #sockets = new Set<Socket>();
  readonly #direct: DirectPath | undefined;
  /** Replies of node:http that are owed or being written. */
  readonly #responses = new Set<Response>();
  /** Connections on which a request came before the one before it was answered. */
  readonly #pipelined = new WeakSet<Socket>();
  #port = 0;
  #closing: { readonly onAnswered: () => void } | undefined;

  constructor(options: HttpServerOptions) {
    this.#router = new Router(options.routes);
    this.#admission = options.admission;
    this.#log = options.log;
    this.#counts = options.counts ?? new RequestCounts();
    const { headersTimeoutMs = 10_000, requestTimeoutMs = 30_000 } = options;
    const { idleTimeoutMs = idleTimeoutDefaultMs, connectionsMax } = options;
    const limit = new ConnectionLimit(connectionsMax, options.log);
    this.#server = createServer(
      {
        IncomingMessage: CollectorRequest,
        maxHeaderSize: headerBytesMax,
        headersTimeout: headersTimeoutMs,
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: idleTimeoutMs,
        connectionsCheckingInterval: Math.min(1000, headersTimeoutMs, requestTimeoutMs),
      },
      (request, response) => this.#handle(request, response),
    );
    this.#direct = this.#directPath(options, { headersTimeoutMs, requestTimeoutMs, idleTimeoutMs });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      this.#counts.connections = this.#sockets.size;
      socket.on('close', () => this.#onSocketClose(socket));
      if (limit.admit(socket, this.#sockets.size)) this.#direct?.take(socket);
      else this.#counts.connectionsRefused += 1;
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      answerClientError(error, socket, this.#owesEarlierReply(socket), this.#counts);
    });
  }

  /** The path of the routes that have one. New connections are its, and node:http gets them when it lets go. */
  #directPath(options: HttpServerOptions, timeouts: DirectTimeouts): DirectPath | undefined {
    const { admission } = options;
    const routes = options.routes.flatMap(({ path, right = 'admin', handleWhole: handle }) =>
      handle === undefined ? [] : [{ path, handle: admission?.admitWhole(handle, path, right) ?? handle }],
    );
    if (routes.length === 0) return undefined;
    const serveHttp = this.#server.listeners('connection')[0] as (socket: Socket) => void;
    this.#server.removeAllListeners('connection');
    return new DirectPath({
      routes,
      clock: options.clock ?? systemClock,
      counts: this.#counts,
      ...timeouts,
      serveHttp: (socket) => serveHttp.call(this.#server, socket),
      onRest: () => this.#noteAnswered(),
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
    this.#direct?.close();
    await this.#answered(deadlineMs);
    // Every reply is written or late by now. What a socket still has to send goes out before it closes.
    for (const socket of this.#sockets) socket.destroySoon();
    const lastResort = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, 1000);
    await closed;
    clearTimeout(lastResort);
    this.#direct?.stop();
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
      this.#noteAnswered();
    });
  }

  /** Called whenever a reply may have been the last that was owed. */
  #noteAnswered(): void {
    if (this.#closing === undefined || this.#responses.size > 0 || this.#direct?.isBusy === true) return;
    this.#closing.onAnswered();
  }

  #handle(request: CollectorRequest, response: Response): void {
    if (isRefused(request.socket)) return;
    this.#responses.add(response);
    // node:http gives a response its socket when its turn comes.
    if (response.socket === null) this.#pipelined.add(request.socket);
    response.on('close', this.#onResponseClose);
    if (this.#closing !== undefined) response.shouldKeepAlive = false;
    const requestId = saneRequestId(request.headers[requestIdHeader]);
    if (requestId !== undefined) response.setHeader(requestIdHeader, requestId);
    const url = request.url ?? '/';
    const questionMark = url.indexOf('?');
    const path = questionMark < 0 ? url : url.slice(0, questionMark);
    const method = request.method ?? 'GET';
    const route = this.#router.find(method, path);
    if ('handle' in route) request.route = route.path;
    try {
      const query = questionMark < 0 ? '' : url.slice(questionMark + 1);
      if ('handle' in route) {
        if (this.#admission === undefined) route.handle(request, response, query);
        else this.#admission.admit(route, request, response, query);
      } else if (method === 'OPTIONS' && route.status === 405 && request.headers.origin !== undefined)
        this.#preflight(request, response, path, query);
      else sendUnread(request, response, route, limits.bodyBytesMax);
    } catch (thrown) {
      sendFailure(response, thrown, `${method} ${path}`, this.#log);
    }
  }

  #preflight(request: CollectorRequest, response: Response, path: string, query: string): void {
    const methods = this.#router.methods(path);
    if (this.#admission !== undefined) this.#admission.preflight(request, response, query, methods);
    else sendUnread(request, response, this.#router.find('OPTIONS', path) as Answer, limits.bodyBytesMax);
  }

  /** One function for all responses; node:http calls it with the response as `this`. */
  readonly #onResponseClose = responseCloser((response) => this.#forget(response));

  #forget(response: Response): void {
    const isNews = this.#responses.delete(response);
    if (isNews && response.headersSent) this.#counts.add(response.req.route, response.statusCode);
    this.#noteAnswered();
  }

  /** A response whose turn never came gets no 'close' of its own. */
  #onSocketClose(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#counts.connections = this.#sockets.size;
    if (!this.#pipelined.has(socket)) return;
    for (const response of this.#responses) if (response.req.socket === socket) this.#forget(response);
  }

  /** True if a request that came whole on this connection still waits for its reply. */
  #owesEarlierReply(socket: Socket): boolean {
    for (const { req } of this.#responses) if (req.socket === socket && req.complete) return true;
    return false;
  }
}

interface DirectTimeouts {
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
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
