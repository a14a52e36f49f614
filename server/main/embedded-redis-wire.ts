/**
 * One question to a Redis server, over a socket of its own. It exists because a server that is just
 * starting has to be asked before the store (the only room with a Redis client) can be connected.
 */
import { connect } from 'node:net';

export type RedisAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** Lists arrive flat. `unreachable`: refused, timed out or cut; the text says which. */
export type RedisAnswer =
  | { readonly kind: 'values'; readonly values: readonly string[] }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'unreachable'; readonly text: string };

/** Sends one command and closes. Never throws: no answer is an answer too. */
export function askRedis(
  address: RedisAddress,
  command: readonly string[],
  timeoutMs = 2000,
): Promise<RedisAnswer> {
  return new Promise((resolve) => {
    const socket = connect(address);
    let received = Buffer.alloc(0);
    const finish = (answer: RedisAnswer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => finish({ kind: 'unreachable', text: `no answer in ${timeoutMs} ms` }));
    socket.on('error', (error) => finish({ kind: 'unreachable', text: error.message }));
    socket.on('close', () => finish({ kind: 'unreachable', text: 'connection closed' }));
    socket.on('connect', () => socket.write(encodeCommand(command)));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const answer = parseReply(received);
      if (answer !== undefined) finish(answer);
    });
  });
}

/** The value of one `name:value` line of an INFO answer; undefined if it isn't there. */
export function infoField(answer: RedisAnswer, name: string): string | undefined {
  if (answer.kind !== 'values') return undefined;
  const line = answer.values[0]?.split('\r\n').find((candidate) => candidate.startsWith(`${name}:`));
  return line?.slice(name.length + 1);
}

function encodeCommand(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

/** A whole RESP2 reply, or undefined as long as bytes are missing. */
export function parseReply(bytes: Buffer): RedisAnswer | undefined {
  const values: string[] = [];
  let at = 0;
  for (let pending = 1; pending > 0; pending--) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const kind = String.fromCharCode(bytes[at] ?? 0);
    const line = bytes.toString('utf8', at + 1, lineEnd);
    at = lineEnd + 2;
    if (kind === '-') return { kind: 'error', text: line };
    if (kind === '*') pending += Math.max(Number(line), 0);
    else if (kind === '$' && Number(line) >= 0) {
      const end = at + Number(line);
      if (bytes.length < end + 2) return undefined;
      values.push(bytes.toString('utf8', at, end));
      at = end + 2;
    } else if (kind === '+' || kind === ':') values.push(line);
    else if (kind !== '$') return { kind: 'error', text: `not a Redis reply: ${kind}${line}` };
  }
  return { kind: 'values', values };
}
