/** Which client a Redis URL asks for: one server, by address or socket, or a cluster by some of its nodes. */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { CrowdbeatError } from '../base/errors.ts';

export interface ClientTimeouts {
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
}

const versionMin = [7, 0] as const;

/** How often a cluster is asked who has which slot, beside whenever an answer shows that it has changed. */
const slotsRefreshIntervalMs = 5000;

/** Throws CB_OPTION if the URL is of no form that is known. */
export function createClient(url: string, timeouts: ClientTimeouts): Redis | Cluster {
  const shared = sharedOptions(timeouts);
  if (url.includes(',')) return createCluster(url, shared);
  if (url.startsWith('/')) return new Redis(url, shared);
  if (url.startsWith('redis+unix://'))
    return new Redis(decodeURIComponent(url.slice('redis+unix://'.length)), shared);
  checkUrl(url);
  return new Redis(url, shared);
}

function sharedOptions({ connectTimeoutMs, commandTimeoutMs }: ClientTimeouts) {
  return {
    protocol: 2 as const,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    // A connection that is silent for so long is dead (or its server is): only a new one can heal.
    socketTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    disableClientInfo: true,
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times - 1, 6), 2000),
    // After a failover the old master is a replica that refuses writes; connecting again finds the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions;
}

/** A list with one node and a comma behind it is a cluster, too: the others are learned from it. */
function createCluster(url: string, shared: ReturnType<typeof sharedOptions>): Cluster {
  const nodes = url
    .split(',')
    .map((node) => node.trim())
    .filter((node) => node !== '')
    .map(checkUrl);
  const [first] = nodes;
  if (first === undefined) return refuse(url);
  return new Cluster(
    nodes.map(({ href }) => href),
    {
      redisOptions: { ...shared, ...nodeOptions(first) },
      enableOfflineQueue: false,
      clusterRetryStrategy: (times) => Math.min(100 * times, 2000),
      slotsRefreshInterval: slotsRefreshIntervalMs,
      // A lost connection hides what became of a command; connection-cluster.ts sends only what was never sent.
      retryDelayOnFailover: 0,
      retryDelayOnTryAgain: 50,
      // The certificate of a node that others announced by address names its host.
      ...(first.protocol === 'rediss:' ? { dnsLookup: (address, done) => done(null, address) } : {}),
    },
  );
}

/** User, password and TLS also hold for the nodes that are learned later. */
function nodeOptions({ protocol, username, password }: URL) {
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

function checkUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isKnown = parsed !== undefined && (parsed.protocol === 'redis:' || parsed.protocol === 'rediss:');
  return isKnown ? parsed : refuse(url);
}

function refuse(url: string): never {
  const rule =
    'needs redis://host:port, rediss://host:port, redis+unix:///path, /path, or a comma list of nodes';
  throw new CrowdbeatError('CB_OPTION', `Redis URL: ${rule}, got "${withoutPassword(url)}"`);
}

export const withoutPassword = (url: string): string => url.replace(/:[^:@/]*@/g, ':***@');

/** Resolves when commands may be sent; rejects after the time, or when the client has given up. */
export function untilReady(client: Redis | Cluster, timeoutMs: number): Promise<void> {
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

/** Throws CB_REDIS_TOO_OLD. */
export function checkVersion(version: string, url: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > versionMin[0] || (major === versionMin[0] && minor >= versionMin[1])) return;
  throw new CrowdbeatError(
    'CB_REDIS_TOO_OLD',
    `Redis at ${withoutPassword(url)}: needs version 7.0 or newer, is ${version}`,
  );
}
