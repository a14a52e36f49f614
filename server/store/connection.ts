/**
 * The doorway to Redis: one server (by URL or Unix socket) or a cluster (by a list of nodes).
 *
 * States and moves: connecting -> ready (answered, version seen) -> away (the connection was lost; ioredis
 * tries again with growing pauses) -> ready … -> closed. Each move out of ready is a *reset*: the data behind
 * a new connection may be another, so whoever remembers anything about it must forget. Commands are never
 * queued while away and never sent twice: their fate would be hidden from the caller.
 */
import { createHash } from 'node:crypto';
import { Cluster, Command, type Redis } from 'ioredis';
import { type Clock, systemClock } from '../base/clock.ts';
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import { checkVersion, createClient, untilReady, withoutPassword } from './connection-client.ts';
import { nodeNameOf, nodeOfKey, sendUntilRun, slotPlaceOf, unrunRetryMs } from './connection-cluster.ts';
import { asCrowdbeatError, isElsewhere } from './connection-errors.ts';

export interface ConnectOptions {
  /** How long the first connection may take. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** How long a command may take before its fate is called unknown. Default 5,000. */
  readonly commandTimeoutMs?: number;
  /** How long a command that surely did not run is tried again in a cluster. Default 5,000. */
  readonly unrunRetryMs?: number;
  readonly clock?: Clock;
}

export type RedisArgument = string | Buffer;

/** A Lua script with the SHA-1 that Redis knows it by. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

export function makeScript(text: string): Script {
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

/** Arguments of a script call, ready for the wire: `<number of keys> KEYS… ARGV…` in RESP. */
export interface EncodedArguments {
  readonly count: number;
  readonly bytes: Buffer;
}

/** `call`, for one node. */
export type CallOfNode = (command: string, args: readonly RedisArgument[]) => Promise<unknown>;

/** A command with its arguments. */
export type CommandLine = readonly [command: string, ...args: RedisArgument[]];

/**
 * All methods throw CrowdbeatError: CB_REDIS_UNREACHABLE (fate unknown), CB_REDIS_REPLY (refused), CB_REDIS_FULL
 * and CB_REDIS_DISK (refused: no room in its memory, or it can't write to its disk).
 */
export interface RedisConnection {
  /** `redis_version` of the server (of one node, in a cluster). */
  readonly serverVersion: string;
  /** How often the connection was lost since it was made. Whoever caches compares it. */
  readonly resets: number;
  /** What the connection last broke or could not be made for; undefined if it never did. */
  readonly lastError: string | undefined;
  isReady(): boolean;
  /** Calls the listener whenever the connection was lost. Returns the function that ends that. */
  onReset(listener: () => void): () => void;
  /** One command; replies are texts, numbers, null and arrays of them. */
  call(command: string, args: readonly RedisArgument[]): Promise<unknown>;
  /** The same with Buffers in the place of texts. */
  callBuffer(command: string, args: readonly RedisArgument[]): Promise<unknown>;
  /** A read-only script (EVALSHA_RO); strings of its reply come as Buffers. */
  readScript(script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown>;
  /** A script whose arguments were encoded by the caller; the routing key names the cluster node. */
  runEncoded(script: Script, routingKey: string, encoded: EncodedArguments): Promise<unknown>;
  /** `host:port` of the cluster node that a key belongs to, as far as is known; '' if there is one server only. */
  nodeOf(key: string): string;
  /**
   * Commands for the very node that a key belongs to, in one go on one connection: what WAIT and CONFIG need; the
   * replies, in order. If the key turns out to belong to another node all of them are sent there, once.
   */
  callNodeOf(key: string, lines: readonly CommandLine[]): Promise<unknown[]>;
  /**
   * Where the key's slot is, as a text that stays the same while nothing moves; undefined while it is being
   * moved, with keys on two nodes.
   */
  slotPlace(key: string): Promise<string | undefined>;
  /** What asks one node each, of all masters of a cluster; one, if there is one server only. */
  masters(): readonly CallOfNode[];
  close(): Promise<void>;
}

const defaultTimeoutMs = 5000;

/**
 * Connects to `redis://host:port/db`, `rediss://…`, `redis+unix:///path/to.sock`, `/path/to.sock`, or a comma
 * list of cluster nodes (`redis://a:7000,redis://b:7000`).
 * Throws CB_REDIS_UNREACHABLE when nobody answers in time, CB_REDIS_TOO_OLD below 7.0.
 */
export async function connectRedis(url: string, options: ConnectOptions = {}): Promise<RedisConnection> {
  const timeoutMs = options.connectTimeoutMs ?? defaultTimeoutMs;
  const commandTimeoutMs = options.commandTimeoutMs ?? defaultTimeoutMs;
  const client = createClient(url, { connectTimeoutMs: timeoutMs, commandTimeoutMs });
  // ioredis reports what it will mend by itself here; commands carry their own errors to their callers.
  let lastError = 'no answer';
  client.on('error', (error: unknown) => {
    lastError = messageOf(error);
  });
  try {
    await untilReady(client, timeoutMs);
    const version = /redis_version:(\S+)/.exec(String(await client.call('INFO', 'server')))?.[1] ?? 'unknown';
    checkVersion(version, url);
    return new IoredisConnection(client, version, options);
  } catch (error) {
    client.disconnect();
    if (error instanceof CrowdbeatError) throw error;
    const message = `Redis at ${withoutPassword(url)} did not answer within ${timeoutMs} ms: ${lastError}`;
    throw new CrowdbeatError('CB_REDIS_UNREACHABLE', message, { cause: error });
  }
}

class IoredisConnection implements RedisConnection {
  readonly serverVersion: string;
  resets = 0;
  lastError: string | undefined = undefined;
  readonly #client: Redis | Cluster;
  readonly #clock: Clock;
  readonly #unrunRetryMs: number;
  readonly #listeners = new Set<() => void>();

  constructor(client: Redis | Cluster, serverVersion: string, options: ConnectOptions) {
    this.#client = client;
    this.#clock = options.clock ?? systemClock;
    this.#unrunRetryMs = options.unrunRetryMs ?? unrunRetryMs;
    this.serverVersion = serverVersion;
    const reset = (): void => {
      this.resets++;
      for (const listener of this.#listeners) listener();
    };
    client.on('close', reset);
    client.on('error', (error: unknown) => {
      this.lastError = withoutPassword(messageOf(error));
    });
    // In a cluster one node's connection may go while the whole stays up; its data may have moved.
    if (client instanceof Cluster) client.on('-node', reset).on('node error', reset);
  }

  isReady(): boolean {
    return this.#client.status === 'ready';
  }

  onReset(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async call(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    return this.#issue(() => new Command(command, [...args], { replyEncoding: 'utf8' })).catch(
      asCrowdbeatError,
    );
  }

  async callBuffer(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    return this.#issue(() => new Command(command, [...args])).catch(asCrowdbeatError);
  }

  async readScript(
    script: Script,
    keys: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    return this.#issue(() => new Command('evalsha_ro', [script.sha1, ...rest]))
      .catch((error: unknown) => {
        if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
        return this.#issue(() => new Command('eval_ro', [script.text, ...rest]));
      })
      .catch(asCrowdbeatError);
  }

  async runEncoded(script: Script, routingKey: string, encoded: EncodedArguments): Promise<unknown> {
    return this.#issue(() => encodedCommand('evalsha', script.sha1, routingKey, encoded))
      .catch((error: unknown) => {
        if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
        return this.#issue(() => encodedCommand('eval', script.text, routingKey, encoded));
      })
      .catch(asCrowdbeatError);
  }

  #issue(make: () => Command): Promise<unknown> {
    const client = this.#client;
    return client instanceof Cluster
      ? sendUntilRun(client, make, this.#clock, this.#unrunRetryMs)
      : Promise.resolve(client.sendCommand(make()));
  }

  nodeOf(key: string): string {
    return this.#client instanceof Cluster ? nodeNameOf(this.#client, key) : '';
  }

  async callNodeOf(key: string, lines: readonly CommandLine[]): Promise<unknown[]> {
    return this.#callNode(key, lines)
      .catch(async (error: unknown) => {
        if (!(this.#client instanceof Cluster) || !isElsewhere(error)) throw error;
        // A question that is followed to where the key is; on the way the client learns where that is.
        await this.call('EXISTS', [key]);
        return this.#callNode(key, lines);
      })
      .catch(asCrowdbeatError);
  }

  async #callNode(key: string, lines: readonly CommandLine[]): Promise<unknown[]> {
    const node = nodeOfKey(this.#client, key);
    return Promise.all(lines.map(([command, ...args]) => node.call(command, ...args)));
  }

  masters(): readonly CallOfNode[] {
    const nodes = this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
    return nodes.map((node) => async (command, args) => node.call(command, ...args).catch(asCrowdbeatError));
  }

  async slotPlace(key: string): Promise<string | undefined> {
    if (!(this.#client instanceof Cluster)) return '';
    return slotPlaceOf(this.#client, key).catch(asCrowdbeatError);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    // Only an open connection has an end to wait for; one that is between two tries just stops trying.
    const open = ['connecting', 'connect', 'ready'].includes(this.#client.status);
    const ended = new Promise<void>((resolve) => this.#client.once('end', () => resolve()));
    this.#client.disconnect();
    if (open) await ended;
  }
}

/**
 * ioredis encodes one argument at a time, and joins a buffer for each when one of them is binary; a commit has
 * hundreds, so it brings its own bytes. The visible arguments name one key only: what a cluster needs to find the
 * node.
 */
function encodedCommand(
  name: string,
  script: string,
  routingKey: string,
  encoded: EncodedArguments,
): Command {
  const command = new Command(name, [script, '1', routingKey], { replyEncoding: 'utf8' });
  const head = `*${encoded.count + 2}\r\n$${name.length}\r\n${name}\r\n$${Buffer.byteLength(script)}\r\n${script}\r\n`;
  command.toWritable = () => Buffer.concat([Buffer.from(head), encoded.bytes]);
  return command;
}
