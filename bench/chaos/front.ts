/**
 * A TCP front between a crowd and its collectors: balances connections, and misbehaves when it is told to.
 * It knows nothing of HTTP; a reply is whatever a collector sends at once, which for its short answers is
 * the whole of one.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Front {
  readonly url: URL;
  /** Replies that were cut in the middle so far. */
  readonly cuts: number;
  /** Cuts the connection in the middle of every n-th reply; 0: none. */
  cutEvery(replies: number): void;
  /** Holds every reply back for so long; 0: not at all. */
  delay(ms: number): void;
  close(): Promise<void>;
}

class TcpFront implements Front {
  readonly #ports: readonly number[];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #next = 0;
  #cutEvery = 0;
  #delayMs = 0;
  #replies = 0;
  cuts = 0;

  constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#server = createServer((client) => this.#serve(client));
  }

  get url(): URL {
    const address = this.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return new URL(`http://127.0.0.1:${port}`);
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  cutEvery(replies: number): void {
    this.#cutEvery = replies;
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(client: Socket): void {
    this.#keep(client);
    client.pause();
    this.#connectOn(client, this.#ports.length);
  }

  /** Round robin; a collector that refuses is passed over, and when all do the client is hung up on. */
  #connectOn(client: Socket, triesLeft: number): void {
    if (triesLeft === 0 || client.destroyed) {
      client.destroy();
      return;
    }
    const port = this.#ports[this.#next % this.#ports.length] ?? 0;
    this.#next += 1;
    const onward = connect({ port, host: '127.0.0.1' });
    this.#keep(onward);
    let isUp = false;
    onward.once('connect', () => {
      isUp = true;
      this.#join(client, onward);
    });
    onward.once('close', () => {
      if (isUp) client.destroy();
      else this.#connectOn(client, triesLeft - 1);
    });
  }

  #join(client: Socket, onward: Socket): void {
    client.on('data', (bytes) => onward.write(bytes));
    client.once('close', () => onward.destroy());
    onward.on('data', (bytes: Buffer) => this.#reply(client, bytes));
    client.resume();
  }

  #reply(client: Socket, bytes: Buffer): void {
    this.#replies += 1;
    if (this.#cutEvery > 0 && this.#replies % this.#cutEvery === 0) {
      this.cuts += 1;
      client.end(bytes.subarray(0, bytes.length >> 1));
      return;
    }
    if (this.#delayMs === 0) client.write(bytes);
    else setTimeout(() => client.write(bytes), this.#delayMs);
  }

  /** Errors end in 'close', which is where the other side is dealt with. */
  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

export async function startFront(ports: readonly number[]): Promise<Front> {
  const front = new TcpFront(ports);
  await front.listen();
  return front;
}
