/**
 * A small raw client that writes batches of 100 heartbeats, closed loop: on each connection the next write
 * goes out when the reply to the last is in.
 *
 *   node dist/bench/batch-writer.js <port> <seconds> [connections]    prints {"events","seconds","problem"}
 *
 * Each write holds one heartbeat of each of 100 sessions, as a site's own server sends that gathers for its
 * visitors: the dearest mix for the store, which touches 100 sessions for it. A first round starts them.
 */
import { connect, type Socket } from 'node:net';
import { systemClock } from '../server/base/clock.ts';

const batchEvents = 100;
const groupsPerConnection = 20;
const started = systemClock.wallMs();
const run = started.toString(16).slice(-12).padStart(12, '0');

const uuid = (kind: string, number: number): string =>
  `${number.toString(16).padStart(8, '0')}-${kind}-8000-8000-${run}`;

function batch(group: number, seq: number): string {
  const time = systemClock.wallMs();
  const items: string[] = [];
  for (let i = 0; i < batchEvents; i++) {
    const number = group * batchEvents + i;
    const path = `/products/${number % 97}`;
    const page = `{"url":"https://shop.example${path}","path":"${path}","title":"Product ${number % 97}"}`;
    const who = `"session":{"id":"${uuid('5e55', number)}","start":${started}},"visitor":{"id":"${uuid('0051', number)}"}`;
    const event = `{"type":"heartbeat","time":${time},"seq":${seq}}`;
    items.push(`{"event":${event},${who},"tab":{"id":"1"},"page":${page}}`);
  }
  return `{"items":[${items.join(',')}]}`;
}

class Writer {
  readonly #socket: Socket;
  readonly #first: number;
  readonly #onReply: (text: string) => void;
  #writes = 0;
  #received = '';

  constructor(port: number, index: number, onReply: (text: string) => void) {
    this.#first = index * groupsPerConnection;
    this.#onReply = onReply;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#receive(text));
    this.#socket.on('error', (error) => onReply(error.message));
    this.write();
  }

  write(): void {
    const seq = 1 + Math.floor(this.#writes / groupsPerConnection);
    const body = batch(this.#first + (this.#writes % groupsPerConnection), seq);
    this.#writes += 1;
    const head = 'POST /write HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: ';
    this.#socket.write(`${head}${body.length}\r\n\r\n${body}`, 'latin1');
  }

  #receive(text: string): void {
    this.#received += text;
    if (!this.#received.includes('\r\n\r\n') || !this.#received.endsWith('}')) return;
    const reply = this.#received;
    this.#received = '';
    this.#onReply(reply);
  }

  end(): void {
    this.#socket.destroy();
  }
}

const [port = '', seconds = '5', connections = '8'] = process.argv.slice(2);
const startMs = systemClock.monotonicMs();
const endMs = startMs + Number(seconds) * 1000;
let events = 0;
const writers: Writer[] = [];

function finish(problem: string): never {
  for (const writer of writers) writer.end();
  const elapsed = (systemClock.monotonicMs() - startMs) / 1000;
  process.stdout.write(`${JSON.stringify({ events, seconds: elapsed, problem })}\n`);
  process.exit(0);
}

for (let index = 0; index < Number(connections); index++) {
  writers[index] = new Writer(Number(port), index, (reply) => {
    if (!reply.includes(`"accepted":${batchEvents},`)) finish(reply.slice(0, 300));
    events += batchEvents;
    if (systemClock.monotonicMs() >= endMs) finish('');
    writers[index]?.write();
  });
}
