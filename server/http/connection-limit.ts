/**
 * How many connections a collector holds, so that those who only connect can't take the descriptors that
 * Redis, the logs and everybody else's connections need. Beyond it a connection is told so and closed.
 *
 * Not `server.maxConnections`: that closes without a word, and with several processes the refused connection
 * is handed from one full process to the next without end.
 */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { errorAnswer } from './answer.ts';
import type { Log } from './failure.ts';

/** An idle connection of node:http takes about 8 KB, so this many take 400 MB. */
const connectionsMost = 50_000;
const unknownLimit = 10_000;
/** Time for the client to read the reply before the connection is cut. */
const farewellMs = 500;

/** Seven eighths of the descriptors that this process may have; at least 64 are left for other things. */
export function defaultConnectionsMax(descriptorsMax: number = readDescriptorsMax()): number {
  const spare = Math.max(64, Math.ceil(descriptorsMax / 8));
  return Math.max(1, Math.min(descriptorsMax - spare, connectionsMost));
}

/** The soft limit of this process; node raises it to the hard one when it starts. */
function readDescriptorsMax(): number {
  try {
    const limit = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === 'unlimited' ? connectionsMost * 2 : Number(limit ?? unknownLimit);
  } catch {
    // Not Linux, or /proc is not mounted.
    return unknownLimit;
  }
}

const { json: refusal } = errorAnswer({
  status: 503,
  code: 'too_many_connections',
  message: 'this collector holds as many connections as it may; try again',
});
const refusalBytes = Buffer.from(
  `HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(refusal)}` +
    `\r\nretry-after: 1\r\nconnection: close\r\n\r\n${refusal}`,
);

export class ConnectionLimit {
  readonly #most: number;
  readonly #log: Log;
  #isSaid = false;

  /** @param most connections at a time; undefined: what the descriptors allow */
  constructor(most: number | undefined, log: Log) {
    this.#most = most ?? defaultConnectionsMax();
    this.#log = log;
  }

  /**
   * Refuses a connection that is too many: 503, and it closes. A request that was already on its way must not
   * be answered a second time; `isRefused` tells.
   * @param open connections now, this one included
   */
  admit(socket: Socket, open: number): boolean {
    if (open <= this.#most) {
      // Said again only after the number went clearly down, or every flicker would be a line.
      if (this.#isSaid && open < this.#most * 0.9) this.#isSaid = false;
      return true;
    }
    if (!this.#isSaid) this.#log(`connections: ${this.#most} are open, the most allowed; more are refused`);
    this.#isSaid = true;
    socket.on('error', () => socket.destroy());
    socket.end(refusalBytes);
    setTimeout(() => socket.destroy(), farewellMs).unref();
    return false;
  }
}

/** True for a connection that has had its last reply. */
export function isRefused(socket: Socket): boolean {
  return socket.writableEnded;
}
