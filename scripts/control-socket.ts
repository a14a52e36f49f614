/**
 * How a live run is steered from other terminals: a Unix socket in the state directory, for its owner only.
 *
 * One line of JSON asks (`ControlRequest`), one answers (`ControlReply`); then the connection closes, but
 * after `stop` it stays open until the run has ended and a second line says how.
 *
 * The socket is made under a name of its own and then linked to `control.sock`, which fails if that is there:
 * so of two runs that start together one wins. A socket that refuses connections was left by a run that was
 * killed; it is moved away, and put back if meanwhile it was another's.
 */
import { createHash } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CrowdbeatError, messageOf, systemCodeOf } from '../server/base/errors.ts';

export type ControlRequest =
  | { readonly command: 'status' }
  | { readonly command: 'add' | 'sendHome'; readonly visitors: number }
  | { readonly command: 'stop' };

export interface ControlReply {
  readonly ok: boolean;
  /** What was done, or why not, for people. */
  readonly text: string;
}

export interface ControlServer {
  /** Tells those who wait for the end how it came, and closes. */
  close(lastWords: string): Promise<void>;
}

/** Bytes that a Unix socket's path may have on every system (macOS: 104 with its final zero). */
const pathBytesMax = 100;
const requestBytesMax = 4096;

/** `control.sock` in the state directory, or a short name in the system's one if that is too long. */
export function controlPath(state: string): string {
  const path = join(state, 'control.sock');
  if (Buffer.byteLength(path) <= pathBytesMax) return path;
  const name = createHash('sha256').update(state).digest('hex').slice(0, 16);
  return join(tmpdir(), `crowdbeat-${name}.sock`);
}

/** Undefined if another run is live there. */
export async function openControl(
  state: string,
  answer: (request: ControlRequest) => ControlReply,
): Promise<ControlServer | undefined> {
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const path = controlPath(state);
  const own = `${path.slice(0, -'.sock'.length)}.${process.pid.toString(36)}`;
  const waiting = new Set<Socket>();
  const server = createServer((socket) => converse(socket, answer, waiting));
  rmSync(own, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(own, resolve);
  }).catch((error: unknown) => {
    throw new CrowdbeatError('CB_FILE', `control socket ${own}: can't be made: ${messageOf(error)}`, {
      cause: error,
    });
  });
  chmodSync(own, 0o600);
  const isOurs = await claim(own, path);
  rmSync(own, { force: true });
  if (!isOurs) {
    server.close();
    return undefined;
  }
  return { close: (lastWords) => closeServer(server, path, waiting, lastWords) };
}

/** Sends one request to the run that is live; undefined if there is none. */
export async function askRun(
  state: string,
  request: ControlRequest,
  onLine?: (reply: ControlReply) => void,
): Promise<ControlReply | undefined> {
  const socket = await connectTo(controlPath(state));
  if (socket === undefined) return undefined;
  socket.write(`${JSON.stringify(request)}\n`);
  let last: ControlReply | undefined;
  for await (const line of createInterface({ input: socket })) {
    last = JSON.parse(line) as ControlReply;
    onLine?.(last);
  }
  return last ?? { ok: false, text: 'the run ended before it answered' };
}

async function claim(own: string, path: string): Promise<boolean> {
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      linkSync(own, path);
      return true;
    } catch (error) {
      if (systemCodeOf(error) !== 'EEXIST') throw error;
    }
    const inode = inodeOf(path);
    const live = await connectTo(path);
    live?.destroy();
    if (live !== undefined) return false;
    if (inode !== undefined) moveStale(path, inode);
  }
  return false;
}

function moveStale(path: string, inode: number): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
    // Somebody was quicker and this is a live run's socket: back with it, unless there is another by now.
    if (inodeOf(aside) !== inode) linkSync(aside, path);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT' && systemCodeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Undefined: nobody listens there. */
function connectTo(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error) => {
      const code = systemCodeOf(error);
      if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(undefined);
      else
        reject(new CrowdbeatError('CB_FILE', `control socket ${path}: ${error.message}`, { cause: error }));
    });
  });
}

function converse(
  socket: Socket,
  answer: (request: ControlRequest) => ControlReply,
  waiting: Set<Socket>,
): void {
  // Whoever asks may go away before the answer; the run does not care.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => waiting.delete(socket));
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    const end = text.indexOf('\n');
    if (end < 0 && text.length <= requestBytesMax) return;
    socket.removeAllListeners('data');
    socket.resume();
    const request = parseRequest(text.slice(0, Math.max(end, 0)));
    const reply = request === undefined ? { ok: false, text: 'not understood' } : answer(request);
    const line = `${JSON.stringify(reply)}\n`;
    if (request?.command === 'stop' && reply.ok) {
      waiting.add(socket);
      socket.write(line);
    } else {
      socket.end(line);
    }
  });
}

export function parseRequest(line: string): ControlRequest | undefined {
  try {
    const value = JSON.parse(line) as Partial<Record<'command' | 'visitors', unknown>> | null;
    const { command, visitors } = value ?? {};
    if (command === 'status' || command === 'stop') return { command };
    const isCount = typeof visitors === 'number' && Number.isInteger(visitors) && visitors > 0;
    return (command === 'add' || command === 'sendHome') && isCount ? { command, visitors } : undefined;
  } catch {
    // Not JSON: answered as not understood.
    return undefined;
  }
}

async function closeServer(
  server: Server,
  path: string,
  waiting: Set<Socket>,
  lastWords: string,
): Promise<void> {
  rmSync(path, { force: true });
  for (const socket of waiting) socket.end(`${JSON.stringify({ ok: true, text: lastWords })}\n`);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    // Connections without a request must not hold up the end.
    setTimeout(resolve, 500).unref();
  });
}
