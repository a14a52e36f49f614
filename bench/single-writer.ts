/**
 * A small raw client that writes one heartbeat a request, closed loop: on each connection the next goes out when
 * the reply to the last is in. Every request has a User-Agent and names a client behind a proxy, 20,000 of them, so
 * that a collector has something to enrich.
 *
 *   node dist/bench/single-writer.js <port> <seconds> [connections]    prints {"events","problem"}
 */
import { connect, type Socket } from 'node:net';
import { systemClock } from '../server/base/clock.ts';
import { deviceKinds } from '../sim/crowd/devices.ts';

const clients = 20_000;
const started = systemClock.wallMs();
const run = started.toString(16).slice(-12).padStart(12, '0');

const agents = deviceKinds.flatMap(({ userAgent, versions }) =>
  versions.map((version) => userAgent.replace('{v_}', version.replace('.', '_')).replaceAll('{v}', version)),
);

/** Public addresses all over the world. */
const addressOf = (client: number): string =>
  `${[5, 24, 41, 62, 78, 91, 133, 177, 189, 203][client % 10]}.${(client * 7) % 256}.${(client * 31) % 256}.9`;

function request(client: number, seq: number): string {
  const time = systemClock.wallMs();
  const path = `/products/${client % 97}`;
  const page = `{"url":"https://shop.example${path}","path":"${path}","title":"Product ${client % 97}"}`;
  const id = client.toString(16).padStart(8, '0');
  const who = `"session":{"id":"${id}-5e55-8000-8000-${run}","start":${started}},"visitor":{"id":"${id}-0051-8000-8000-${run}"}`;
  const body = `{"event":{"type":"heartbeat","time":${time},"seq":${seq}},${who},"tab":{"id":"1"},"page":${page}}`;
  const from = `user-agent: ${agents[client % agents.length]}\r\nx-forwarded-for: ${addressOf(client)}\r\n`;
  const head = `POST /write HTTP/1.1\r\nhost: bench\r\n${from}content-type: application/json\r\n`;
  return `${head}content-length: ${body.length}\r\n\r\n${body}`;
}

const [port = '', seconds = '5', connections = '64'] = process.argv.slice(2);
const endMs = systemClock.monotonicMs() + Number(seconds) * 1000;
let events = 0;
let writes = 0;
const sockets: Socket[] = [];

function finish(problem: string): never {
  for (const socket of sockets) socket.destroy();
  process.stdout.write(`${JSON.stringify({ events, problem })}\n`);
  process.exit(0);
}

function write(socket: Socket): void {
  socket.write(request(writes % clients, 1 + Math.floor(writes / clients)), 'latin1');
  writes += 1;
}

for (let index = 0; index < Number(connections); index++) {
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
  let received = '';
  socket.setEncoding('latin1').on('error', (error) => finish(error.message));
  socket.on('data', (text: string) => {
    received += text;
    if (!received.includes('\r\n\r\n') || !received.endsWith('}')) return;
    if (!received.includes('"accepted":1,')) finish(received.slice(0, 300));
    received = '';
    events += 1;
    if (systemClock.monotonicMs() >= endMs) finish('');
    write(socket);
  });
  sockets.push(socket);
  write(socket);
}
