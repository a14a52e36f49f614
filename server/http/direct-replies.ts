/**
 * The text of replies on the direct path: the same headers that node:http writes. Kept ones are made once a
 * second, when `Date` changes, and not once a reply.
 */
import { STATUS_CODES } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { type Answer, headersOf } from './answer.ts';

/** A reply ready for the socket. */
export interface ReplyText {
  readonly text: string;
  readonly encoding: 'latin1' | 'utf8';
}

export class DirectReplies {
  readonly #clock: Clock;
  readonly #keepAlive: string;
  readonly #kept = new Map<Answer, ReplyText>();
  #date = '';

  constructor(clock: Clock, idleTimeoutMs: number) {
    this.#clock = clock;
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(idleTimeoutMs / 1000)}\r\n`;
    this.tick();
  }

  /** Reads the clock; to be called every second or so. */
  tick(): void {
    const date = new Date(this.#clock.wallMs()).toUTCString();
    if (date === this.#date) return;
    this.#date = date;
    this.#kept.clear();
  }

  /** @param isLast says so in the reply: the connection ends behind it */
  textOf(answer: Answer, isLast: boolean): ReplyText {
    if (answer.allHeaders === undefined || isLast) return this.#make(answer, isLast);
    let reply = this.#kept.get(answer);
    if (reply === undefined) {
      reply = this.#make(answer, isLast);
      this.#kept.set(answer, reply);
    }
    return reply;
  }

  #make(answer: Answer, isLast: boolean): ReplyText {
    const { status, json } = answer;
    const headers = answer.allHeaders ?? headersOf(answer);
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
    for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    head += `Date: ${this.#date}\r\n${isLast ? 'Connection: close\r\n' : this.#keepAlive}\r\n`;
    const bytes = Buffer.from(head + json);
    // ASCII, as nearly all replies are, goes out without being encoded. Decoding it again gives one flat text.
    const isAscii = bytes.length === head.length + json.length;
    return { text: bytes.toString(isAscii ? 'latin1' : 'utf8'), encoding: isAscii ? 'latin1' : 'utf8' };
  }
}
