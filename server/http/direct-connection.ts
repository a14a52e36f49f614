/**
 * A connection on the direct path: requests that `DirectHead` knows are answered here, one buffer in and one
 * text out; at the first other request the connection goes to node:http, with its bytes, and stays there.
 *
 * States and moves:
 *
 *   reading   between two requests, or in the middle of one. Requests may follow each other without waiting
 *             (pipelining); their replies go out in their order.
 *             A whole request: handled, still reading.  A request that isn't ours: -> leaving.
 *             The client ends its side, or the server closes: -> ending, once it is in no request.
 *   leaving   no more is read; owed replies go out first, since node:http knows nothing of them.
 *             Nothing owed: handed over, -> over.  (If the client ended its side meanwhile, what it sent
 *             behind the direct requests is lost: bytes can't be given back to a socket that has ended.)
 *   ending    no more is read; owed replies go out, then the socket closes, -> over.
 *   over      the socket is closed, or another's.
 *
 * Time is counted in ticks of the server's one timer, so that a request costs no look at a clock.
 */
import type { Socket } from 'node:net';
import type { Answer } from './answer.ts';
import { answerClientError } from './client-error.ts';
import { type DirectHead, type HeadFields, incomplete, notOurs } from './direct-head.ts';
import type { DirectReplies } from './direct-replies.ts';
import { ipOf } from './request.ts';
import type { RequestCounts } from './request-counts.ts';
import { saneRequestId, withRequestId } from './request-id.ts';
import type { HandleWhole, PendingReply } from './router.ts';

/** What all connections of a server share. */
export interface DirectOwner {
  readonly head: DirectHead;
  readonly replies: DirectReplies;
  /** What handles the requests of each path, in the order that `head` knows them by. */
  readonly routes: readonly DirectRoute[];
  /** Ticks so far, and how many of them things may take. */
  readonly ticks: number;
  readonly headersTicks: number;
  readonly requestTicks: number;
  readonly idleTicks: number;
  readonly isClosing: boolean;
  readonly counts: RequestCounts;
  /** The socket is node:http's from now on, and `rest` is what it reads first. */
  handOver(connection: DirectConnection, rest: Buffer): void;
  /** The connection is in no request any more, or it is over. */
  rests(connection: DirectConnection): void;
}

export interface DirectRoute {
  readonly handle: HandleWhole;
  /** Its replies by status. */
  readonly statuses: Float64Array;
}

/** Requests of one connection that are handled at a time; what follows waits in its socket. */
const owedMost = 64;

const noBytes = Buffer.alloc(0);

/** A request whose reply is owed; a link in its connection's list. */
class Exchange implements PendingReply {
  next: Exchange | undefined = undefined;
  given: Answer | undefined = undefined;
  readonly requestId: string | undefined;
  readonly route: DirectRoute;
  readonly #connection: DirectConnection;

  constructor(connection: DirectConnection, route: DirectRoute, requestId: string | undefined) {
    this.requestId = requestId;
    this.route = route;
    this.#connection = connection;
  }

  answer(answer: Answer): void {
    if (this.given !== undefined) return;
    this.given = answer.status < 400 ? answer : withRequestId(answer, saneRequestId(this.requestId));
    this.#connection.answered(this);
  }
}

export class DirectConnection {
  readonly socket: Socket;
  readonly #owner: DirectOwner;
  readonly #ip: string;
  #state: 'reading' | 'leaving' | 'ending' | 'over' = 'reading';
  /** The beginning of a head; while leaving, all that node:http shall read. */
  #rest: Buffer = noBytes;
  /** The body that is being read: what came of it, how much is to come, and whose it is. */
  #body: Buffer[] = [];
  #bodyMissing = 0;
  #fields: HeadFields | undefined;
  #route = 0;
  /** Requests in the order of their replies. */
  #first: Exchange | undefined;
  #last: Exchange | undefined;
  #owed = 0;
  #isFlushPlanned = false;
  #isEnded = false;
  #hasAsked = false;
  /** The tick at which the request that is incomplete began; without one, the tick of the last request. */
  #sinceTicks: number;

  constructor(socket: Socket, owner: DirectOwner) {
    this.socket = socket;
    this.#owner = owner;
    this.#ip = ipOf(socket);
    this.#sinceTicks = owner.ticks;
    socket.on('data', this.#onData).on('end', this.#onEnd).on('drain', this.#onDrain);
    socket.on('error', this.#onError).on('close', this.#onClose);
  }

  /** A reply is owed, or a request's body is on its way. */
  get isBusy(): boolean {
    return this.#state !== 'over' && (this.#owed > 0 || this.#bodyMissing > 0);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state === 'leaving') this.#rest = Buffer.concat([this.#rest, chunk]);
    else if (this.#state === 'reading') this.#read(chunk);
  };

  #read(chunk: Buffer): void {
    const wasIncomplete = this.#isIncomplete;
    let at = 0;
    let bytes = chunk;
    let handled = 0;
    if (this.#bodyMissing > 0) {
      at = this.#readBody(chunk);
      if (this.#bodyMissing === 0) handled++;
    } else if (this.#rest.length > 0) {
      bytes = Buffer.concat([this.#rest, chunk]);
      this.#rest = noBytes;
    }
    while (at < bytes.length && this.#state === 'reading') {
      at = this.#readRequest(bytes, at);
      if (!this.#isIncomplete) handled++;
    }
    if (!wasIncomplete || handled > 0) this.#sinceTicks = this.#owner.ticks;
    if (this.#owed >= owedMost && this.#state === 'reading') this.socket.pause();
  }

  get #isIncomplete(): boolean {
    return this.#rest.length > 0 || this.#bodyMissing > 0;
  }

  /** Gives the offset behind the part of the body. */
  #readBody(chunk: Buffer): number {
    const taken = Math.min(this.#bodyMissing, chunk.length);
    this.#body.push(taken === chunk.length ? chunk : chunk.subarray(0, taken));
    this.#bodyMissing -= taken;
    if (this.#bodyMissing === 0) {
      const body = Buffer.concat(this.#body);
      this.#body = [];
      this.#handle(body, this.#route, this.#fields as HeadFields);
    }
    return taken;
  }

  /** Reads one request, or the beginning of one; gives the offset behind what it took. */
  #readRequest(bytes: Buffer, at: number): number {
    const { head } = this.#owner;
    const bodyAt = head.read(bytes, at);
    if (bodyAt === incomplete) {
      this.#rest = bytes.subarray(at);
      return bytes.length;
    }
    if (bodyAt === notOurs) {
      this.#leave(bytes.subarray(at));
      return bytes.length;
    }
    const end = bodyAt + head.contentLength;
    if (end <= bytes.length) {
      this.#handle(bytes.subarray(bodyAt, end), head.route, head.fields);
      return end;
    }
    this.#body.push(bytes.subarray(bodyAt));
    this.#bodyMissing = end - bytes.length;
    this.#fields = head.fields;
    this.#route = head.route;
    return bytes.length;
  }

  #handle(body: Buffer, routeNumber: number, fields: HeadFields): void {
    const route = this.#owner.routes[routeNumber] as DirectRoute;
    const exchange = new Exchange(this, route, fields.requestId);
    if (this.#last === undefined) this.#first = exchange;
    else this.#last.next = exchange;
    this.#last = exchange;
    this.#owed++;
    this.#hasAsked = true;
    route.handle(body, fields, this.#ip, exchange);
  }

  #leave(rest: Buffer): void {
    this.#state = 'leaving';
    this.#rest = rest;
    this.socket.pause();
    if (this.#owed === 0) this.#rested();
  }

  /** Called by an exchange of this connection, once. */
  answered(exchange: Exchange): void {
    if (this.#state === 'over') return;
    if (this.#owed === 1 && exchange === this.#first) this.#flush();
    else if (!this.#isFlushPlanned) {
      // Several replies of one connection usually come together: they go out in one write.
      this.#isFlushPlanned = true;
      process.nextTick(this.#flush);
    }
  }

  /** Writes the replies whose turn it is. */
  readonly #flush = (): void => {
    this.#isFlushPlanned = false;
    let text = '';
    let encoding: 'latin1' | 'utf8' = 'latin1';
    let isLast = false;
    while (this.#state !== 'over' && this.#first?.given !== undefined) {
      isLast = this.#owed === 1 && this.#bodyMissing === 0 && this.#owner.isClosing;
      const { given } = this.#first;
      const { statuses } = this.#first.route;
      statuses[given.status] = (statuses[given.status] as number) + 1;
      const reply = this.#owner.replies.textOf(given, isLast);
      text += reply.text;
      if (reply.encoding === 'utf8') encoding = 'utf8';
      this.#first = this.#first.next;
      this.#owed--;
    }
    if (this.#first === undefined) this.#last = undefined;
    if (text === '') return;
    if (!this.socket.write(text, encoding)) this.socket.pause();
    if (isLast) this.#state = 'ending';
    if (this.#owed === 0) this.#rested();
    else this.#onDrain();
  };

  /** No reply is owed. */
  #rested(): void {
    if (this.#state === 'leaving' && !this.#isEnded) {
      this.#detach();
      this.#owner.handOver(this, this.#rest);
    } else if (this.#state === 'ending' || this.#state === 'leaving') this.#end();
    else this.#onDrain();
    if (!this.isBusy) this.#owner.rests(this);
  }

  /** Sends what the socket still holds, then closes it. */
  #end(): void {
    this.#state = 'ending';
    this.#sinceTicks = this.#owner.ticks;
    this.socket.destroySoon();
  }

  /** Reads on, if it was too much that stopped it. */
  readonly #onDrain = (): void => {
    if (this.#state !== 'reading' || !this.socket.isPaused()) return;
    if (this.#owed < owedMost / 2 && !this.socket.writableNeedDrain) this.socket.resume();
  };

  readonly #onEnd = (): void => {
    this.#isEnded = true;
    if (this.#state !== 'reading') return;
    if (this.#isIncomplete) {
      this.#refuse('HPE_INVALID_EOF_STATE');
      return;
    }
    this.#state = 'ending';
    if (this.#owed === 0) this.#rested();
  };

  readonly #onError = (): void => {
    // A client that resets its connection is no news; 'close' follows.
    this.socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#state = 'over';
    this.#first = undefined;
    this.#last = undefined;
    this.#owner.rests(this);
  };

  /** The server closes: ends the connection now if it is between two requests, otherwise with its last reply. */
  close(): void {
    if (this.#state === 'reading' && !this.isBusy && this.#rest.length === 0) this.#end();
  }

  /** Ends what takes too long. Once a tick. */
  sweep(): void {
    const { ticks, headersTicks, requestTicks, idleTicks } = this.#owner;
    const age = ticks - this.#sinceTicks;
    if (this.#state === 'ending') {
      // Replies are owed, or the client doesn't read them.
      if (this.#owed === 0 && age > requestTicks) this.socket.destroy();
    } else if (this.#state !== 'reading') return;
    else if (this.#bodyMissing > 0) {
      if (age > requestTicks) this.#refuse('ERR_HTTP_REQUEST_TIMEOUT');
    } else if (this.#rest.length > 0 || !this.#hasAsked) {
      if (age > headersTicks) this.#refuse('ERR_HTTP_REQUEST_TIMEOUT');
    } else if (this.#owed === 0 && age > idleTicks) this.socket.destroy();
  }

  /** Ends a connection that stopped in the middle of a request, with the words of node:http's own path. */
  #refuse(code: string): void {
    this.#state = 'ending';
    this.#bodyMissing = 0;
    const error = Object.assign(new Error(code), { code });
    answerClientError(error, this.socket, this.#owed > 0, this.#owner.counts);
  }

  #detach(): void {
    this.#state = 'over';
    const { socket } = this;
    socket.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain);
    socket.off('error', this.#onError).off('close', this.#onClose);
  }
}
