/**
 * The doorway to Redis: one server (by URL or Unix socket) or a cluster (by a list of nodes).
 *
 * States and moves: connecting -> ready (answered, version seen) -> away (the connection was lost; ioredis
 * tries again with growing pauses) -> ready … -> closed. Each move out of ready is a *reset*: the data behind
 * a new connection may be another, so whoever remembers anything about it must forget. Commands are never
 * queued while away and never sent twice: their fate would be hidden from the caller.
 */
import { createHash } from 'node:crypto';
import { Cluster, Command, Redis, type RedisOptions } from 'ioredis';
import { CrowdbeatError, messageOf } from '../base/errors.ts';

export interface ConnectOptions {
  /** How long the first connection may take. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** How long a command may take before its fate is called unknown. Default 5,000. */
  readonly commandTimeoutMs?: number;
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

/** All methods throw CrowdbeatError: CB_REDIS_UNREACHABLE (fate unknown) or CB_REDIS_REPLY (refused). */
export interface RedisConnection {
  /** `redis_version` of the server (of one node, in a cluster). */
  readonly serverVersion: string;
  /** How often the connection was lost since it was made. Whoever caches compares it. */
  readonly resets: number;
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
  close(): Promise<void>;
}

const defaultTimeoutMs = 5000;
const versionMin = [7, 0] as const;

/**
 * Connects to `redis://host:port/db`, `rediss://…`, `redis+unix:///path/to.sock`, `/path/to.sock`, or a comma
 * list of cluster nodes (`redis://a:7000,redis://b:7000`).
 * Throws CB_REDIS_UNREACHABLE when nobody answers in time, CB_REDIS_TOO_OLD below 7.0.
 */
export async function connectRedis(url: string, options: ConnectOptions = {}): Promise<RedisConnection> {
  const client = createClient(url, options);
  // ioredis reports what it will mend by itself here; commands carry their own errors to their callers.
  let lastError = 'no answer';
  client.on('error', (error: unknown) => {
    lastError = messageOf(error);
  });
  const timeoutMs = options.connectTimeoutMs ?? defaultTimeoutMs;
  try {
    await untilReady(client, timeoutMs);
    const version = /redis_version:(\S+)/.exec(String(await client.call('INFO', 'server')))?.[1] ?? 'unknown';
    checkVersion(version, url);
    return new IoredisConnection(client, version);
  } catch (error) {
    client.disconnect();
    if (error instanceof CrowdbeatError) throw error;
    const message = `Redis at ${withoutPassword(url)} did not answer within ${timeoutMs} ms: ${lastError}`;
    throw new CrowdbeatError('CB_REDIS_UNREACHABLE', message, { cause: error });
  }
}

function createClient(url: string, options: ConnectOptions): Redis | Cluster {
  const timeoutMs = options.commandTimeoutMs ?? defaultTimeoutMs;
  const shared = {
    protocol: 2 as const,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: timeoutMs,
    // A connection that is silent for so long is dead (or its server is): only a new one can heal.
    socketTimeout: timeoutMs,
    connectTimeout: options.connectTimeoutMs ?? defaultTimeoutMs,
    disableClientInfo: true,
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times - 1, 6), 2000),
    // After a failover the old master is a replica that refuses writes; connecting again finds the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions;
  const nodes = url.split(',');
  if (nodes.length > 1) {
    return new Cluster(
      nodes.map((node) => checkUrl(node.trim()).href),
      {
        redisOptions: shared,
        enableOfflineQueue: false,
        clusterRetryStrategy: (times) => Math.min(100 * times, 2000),
      },
    );
  }
  if (url.startsWith('/')) return new Redis(url, shared);
  if (url.startsWith('redis+unix://'))
    return new Redis(decodeURIComponent(url.slice('redis+unix://'.length)), shared);
  checkUrl(url);
  return new Redis(url, shared);
}

function checkUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && (parsed.protocol === 'redis:' || parsed.protocol === 'rediss:')) return parsed;
  const rule =
    'needs redis://host:port, rediss://host:port, redis+unix:///path, /path, or a comma list of nodes';
  throw new CrowdbeatError('CB_OPTION', `Redis URL: ${rule}, got "${withoutPassword(url)}"`);
}

const withoutPassword = (url: string): string => url.replace(/:[^:@/]*@/g, ':***@');

function untilReady(client: Redis | Cluster, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('timed out')), timeoutMs);
    client.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
    client.once('end', () => {
      clearTimeout(timer);
      reject(new Error('connection ended'));
    });
  });
}

function checkVersion(version: string, url: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > versionMin[0] || (major === versionMin[0] && minor >= versionMin[1])) return;
  throw new CrowdbeatError(
    'CB_REDIS_TOO_OLD',
    `Redis at ${withoutPassword(url)}: needs version 7.0 or newer, is ${version}`,
  );
}

class IoredisConnection implements RedisConnection {
  readonly serverVersion: string;
  resets = 0;
  readonly #client: Redis | Cluster;
  readonly #listeners = new Set<() => void>();

  constructor(client: Redis | Cluster, serverVersion: string) {
    this.#client = client;
    this.serverVersion = serverVersion;
    const reset = (): void => {
      this.resets++;
      for (const listener of this.#listeners) listener();
    };
    client.on('close', reset);
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
    return this.#client.call(command, ...args).catch(asCrowdbeatError);
  }

  async callBuffer(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    return this.#client.callBuffer(command, ...args).catch(asCrowdbeatError);
  }

  async readScript(
    script: Script,
    keys: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    return this.#client
      .callBuffer('EVALSHA_RO', script.sha1, ...rest)
      .catch((error: unknown) => {
        if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
        return this.#client.callBuffer('EVAL_RO', script.text, ...rest);
      })
      .catch(asCrowdbeatError);
  }

  async runEncoded(script: Script, routingKey: string, encoded: EncodedArguments): Promise<unknown> {
    return this.#send('evalsha', script.sha1, routingKey, encoded)
      .catch((error: unknown) => {
        if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
        return this.#send('eval', script.text, routingKey, encoded);
      })
      .catch(asCrowdbeatError);
  }

  /**
   * ioredis encodes one argument at a time, and joins a buffer for each when one of them is binary; a commit
   * has hundreds, so it brings its own bytes. The visible arguments name one key only: what a cluster needs to
   * find the node.
   */
  #send(name: string, script: string, routingKey: string, encoded: EncodedArguments): Promise<unknown> {
    const command = new Command(name, [script, '1', routingKey], { replyEncoding: 'utf8' });
    const head = `*${encoded.count + 2}\r\n$${name.length}\r\n${name}\r\n$${Buffer.byteLength(script)}\r\n${script}\r\n`;
    command.toWritable = () => Buffer.concat([Buffer.from(head), encoded.bytes]);
    return Promise.resolve(this.#client.sendCommand(command));
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

/** Replies that say "not now" and not "not so": the server is away for this purpose. */
const awayReplies = [
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'BUSY',
  'MISCONF',
  'NOREPLICAS',
  'OOM',
];

function asCrowdbeatError(error: unknown): never {
  if (error instanceof CrowdbeatError) throw error;
  const message = messageOf(error);
  if (message.startsWith('DELETING'))
    throw new CrowdbeatError('CB_PROPERTY_DELETING', message, { cause: error });
  const refused =
    error instanceof Error &&
    error.name === 'ReplyError' &&
    !awayReplies.some((word) => message.startsWith(word));
  if (refused) throw new CrowdbeatError('CB_REDIS_REPLY', `Redis refused: ${message}`, { cause: error });
  throw new CrowdbeatError('CB_REDIS_UNREACHABLE', `Redis did not answer: ${message}`, { cause: error });
}
