/**
 * The null server: answers as fast as a socket can, and does nothing. What a client reaches against it is
 * the client's own ceiling, so a run near that figure measured the client.
 *
 *   node dist/bench/null-server.js [port]     prints "listening <port>"; port 0 or none: any free one
 *
 * Every complete POST gets the reply of a collector that stored one event, `GET /ping` an empty object,
 * anything else 404. Requests are told apart by Content-Length alone; it is no HTTP server. Ends on
 * SIGTERM, and when its parent goes away (IPC channel or piped stdin closed).
 */
import { fstatSync, realpathSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const postReply = reply(
  '200 OK',
  '{"durability":"stored","accepted":1,"duplicates":0,"rejected":0,"results":[]}',
);
const pingReply = reply('200 OK', '{}');
const otherReply = reply('404 Not Found', '{}');
const headEnd = Buffer.from('\r\n\r\n');
const none = Buffer.alloc(0);
const letterP = 80;

function reply(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** Begins to listen on 127.0.0.1; `onListening` gets the port. */
export function startNullServer(port: number, onListening: (port: number) => void): Server {
  const server = createServer({ noDelay: true }, serve);
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') onListening(address.port);
  });
  return server;
}

function serve(socket: Socket): void {
  let rest: Buffer = none;
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    let replies = '';
    for (;;) {
      const end = requestEnd(bytes, at);
      if (end < 0) break;
      replies += replyTo(bytes, at);
      at = end;
    }
    rest = at === bytes.length ? none : bytes.subarray(at);
    if (replies !== '') socket.write(replies, 'latin1');
  });
  // A client that goes away in the middle is no concern of a server without state.
  socket.on('error', () => socket.destroy());
}

function replyTo(bytes: Buffer, start: number): string {
  if (bytes[start] === letterP) return postReply;
  return bytes.toString('latin1', start, start + 10) === 'GET /ping ' ? pingReply : otherReply;
}

/** Offset behind the request that begins at `start`, or -1 if it isn't complete. */
function requestEnd(bytes: Buffer, start: number): number {
  const bodyStart = bytes.indexOf(headEnd, start) + headEnd.length;
  if (bodyStart < headEnd.length) return -1;
  const end = bodyStart + contentLength(bytes, start, bodyStart);
  return end <= bytes.length ? end : -1;
}

/** Looks for a line `content-length: N`, whatever the case of its name; 0 if there is none. */
function contentLength(bytes: Buffer, start: number, end: number): number {
  for (let at = bytes.indexOf(10, start); at >= 0 && at < end; at = bytes.indexOf(10, at + 1)) {
    if (((bytes[at + 1] ?? 0) | 32) !== 99 || bytes[at + 15] !== 58) continue;
    if (bytes.toString('latin1', at + 1, at + 15).toLowerCase() === 'content-length') {
      return Number.parseInt(bytes.toString('latin1', at + 16, at + 32), 10) || 0;
    }
  }
  return 0;
}

function main(): void {
  startNullServer(Number(process.argv[2] ?? 0), (port) => process.stdout.write(`listening ${port}\n`));
  process.once('SIGTERM', () => process.exit(0));
  if (process.channel) process.once('disconnect', () => process.exit(0));
  // A pipe ends with the parent that holds its other end; /dev/null and a terminal say nothing about it.
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) process.stdin.on('end', () => process.exit(0)).resume();
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
