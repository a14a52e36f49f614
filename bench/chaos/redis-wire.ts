/** One question to a Redis server over a connection of its own, in RESP 2: enough to run a cluster by hand. */
import { connect } from 'node:net';

export type RedisReply = string | number | null | readonly RedisReply[];

const timeoutMs = 5000;

/** The reply, arrays and all; undefined if nobody answers, or with an error. */
export function askRedis(port: number, words: readonly string[]): Promise<RedisReply | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let bytes = Buffer.alloc(0);
    const end = (reply: RedisReply | undefined): void => {
      socket.destroy();
      resolve(reply);
    };
    socket.setTimeout(timeoutMs, () => end(undefined));
    socket.on('error', () => end(undefined));
    socket.on('close', () => end(undefined));
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      const reader = new Reader(bytes);
      const reply = reader.read();
      if (!reader.isShort) end(reader.isError ? undefined : reply);
    });
    const body = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('');
    socket.write(`*${words.length}\r\n${body}`);
  });
}

/** Reads a reply from the start of the bytes; `isShort` if it is not all there. */
class Reader {
  isShort = false;
  isError = false;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): RedisReply {
    const line = this.#line();
    const number = Number(line.slice(1));
    switch (line[0]) {
      case '*':
        return number < 0 ? null : this.#list(number);
      case '$':
        return number < 0 ? null : this.#text(number);
      case ':':
        return number;
      case '-':
        this.isError = true;
        return line.slice(1);
      default:
        return line.slice(1);
    }
  }

  #list(length: number): RedisReply[] {
    const items: RedisReply[] = [];
    for (let i = 0; i < length && !this.isShort; i++) items.push(this.read());
    return items;
  }

  #line(): string {
    const end = this.#bytes.indexOf('\r\n', this.#at);
    if (end < 0) {
      this.isShort = true;
      return '';
    }
    const line = this.#bytes.toString('latin1', this.#at, end);
    this.#at = end + 2;
    return line;
  }

  #text(length: number): string {
    const text = this.#bytes.toString('utf8', this.#at, this.#at + length);
    this.#at += length + 2;
    if (this.#at > this.#bytes.length) this.isShort = true;
    return text;
  }
}
