/** Test parts: a socket server that answers as badly as it is told, and a handler that remembers. */
import { createServer, type Server, type Socket } from 'node:net';
import type { ExchangeHandler, Failure, Reply } from './exchange.ts';
import { requestHead } from './http-request.ts';

export interface RawServer {
  readonly url: URL;
  readonly port: number;
  /** Connections accepted so far, and the requests read from all of them, in order. */
  readonly connections: Socket[];
  readonly requests: string[];
  /** Connections that are up stay up. */
  stopListening(): void;
  close(): Promise<void>;
}

/** Called for each complete request; `number` counts all requests of the server from 1. */
export type OnRequest = (socket: Socket, number: number, request: string) => void;

export async function startRawServer(
  onRequest: OnRequest,
  port = 0,
  server: Server = createServer(),
): Promise<RawServer> {
  const connections: Socket[] = [];
  const requests: string[] = [];
  server.on('connection', (socket: Socket) => connections.push(socket));
  server.on(requestEventOf(server), (socket: Socket) => {
    let text = '';
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = requestEnd(text); end >= 0; end = requestEnd(text)) {
        requests.push(text.slice(0, end));
        text = text.slice(end);
        onRequest(socket, requests.length, requests.at(-1) ?? '');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : 0;
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  const stopListening = (): void => void server.close();
  const close = async (): Promise<void> => {
    for (const socket of connections) socket.destroy();
    if (server.listening) server.close();
    await closed;
  };
  const url = new URL(`http://127.0.0.1:${actualPort}`);
  return { url, port: actualPort, connections, requests, stopListening, close };
}

/** A TLS server hands out its sockets after the handshake, under another name. */
function requestEventOf(server: Server): string {
  return 'setSecureContext' in server ? 'secureConnection' : 'connection';
}

function requestEnd(text: string): number {
  const bodyStart = text.indexOf('\r\n\r\n') + 4;
  if (bodyStart < 4) return -1;
  const end = bodyStart + Number(/content-length: (\d+)/i.exec(text.slice(0, bodyStart))?.[1] ?? 0);
  return end <= text.length ? end : -1;
}

/** A port on which nothing listens (any more). */
export async function closedPort(): Promise<number> {
  const server = await startRawServer(() => undefined);
  await server.close();
  return server.port;
}

export function replyText(body: string, head = 'HTTP/1.1 200 OK'): string {
  return `${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export function postText(body: string): string {
  return `${requestHead({ method: 'POST', path: '/write', host: 'test' })}${body.length}\r\n\r\n${body}`;
}

/** Remembers every call, and may act in one: the pool must bear sends from inside. */
export class Exchanges implements ExchangeHandler {
  readonly sent: number[] = [];
  readonly replies: { token: number; status: number; retryAfterMs: number; body: string }[] = [];
  readonly failures: ({ token: number } & Failure)[] = [];
  afterReply: ((token: number) => void) | undefined;
  afterFailure: ((token: number) => void) | undefined;

  onSent(token: number): void {
    this.sent.push(token);
  }

  onReply(token: number, reply: Reply): void {
    this.replies.push({ token, ...reply });
    this.afterReply?.(token);
  }

  onFailure(token: number, failure: Failure): void {
    this.failures.push({ token, ...failure });
    this.afterFailure?.(token);
  }

  get settled(): number {
    return this.replies.length + this.failures.length;
  }
}

/** Polls until the condition holds; fails, naming it, after ten seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let left = 2000; !condition(); left -= 1) {
    if (left === 0) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
