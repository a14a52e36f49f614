/** `crowdbeat serve`: the collector alone. */
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import { startCollector } from '../server/main/collector.ts';
import { startCollectorCluster } from '../server/main/collector-cluster.ts';
import type { ServeReady } from './collector-process.ts';
import { findHome } from './home.ts';
import { type FsyncPolicy, type OwnRedis, startRedis } from './stack.ts';

interface ServeArguments {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly redis?: string | undefined;
  readonly redisFsync?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly workers?: string | undefined;
  readonly connectionsMax?: string | undefined;
  readonly open?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

export interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly redisUrl: string | undefined;
  readonly redisFsync: FsyncPolicy;
  readonly dataDir: string;
  /** Processes that serve the port. */
  readonly workers: number;
  /** Of each process. Undefined: what its file descriptors allow. */
  readonly connectionsMax: number | undefined;
  readonly quiet: boolean;
}

export const redisFsyncPolicies = ['everysec', 'always', 'no'] as const;

const workersMax = 256;

const loopback = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

export const serveBuilder = (yargs: Argv) =>
  yargs
    .option('port', { type: 'string', describe: 'port to listen on; 0 = any free one (default 7070)' })
    .option('host', { type: 'string', describe: 'address to listen on (default 127.0.0.1)' })
    .option('redis', {
      type: 'string',
      describe: 'Redis to use, redis://host:port or a socket (default REDIS_URL, else an embedded one)',
    })
    .option('redis-fsync', {
      type: 'string',
      describe: 'everysec, always or no, for the embedded Redis (default everysec)',
    })
    .option('data-dir', { type: 'string', describe: 'data of the embedded Redis (default .crowdbeat/redis)' })
    .option('workers', { type: 'string', describe: 'processes that share the port (default 1)' })
    .option('connections-max', {
      type: 'string',
      describe: 'connections that each process holds; more get a 503 (default: what ulimit -n allows)',
    })
    .option('open', { type: 'boolean', describe: 'let anybody who can reach the address write and read' })
    .option('quiet', { type: 'boolean', describe: 'say nothing but errors' });

/** Throws CrowdbeatError CB_OPTION naming the option, the rule and the value. */
export function resolveServeOptions(
  args: ServeArguments,
  environment: NodeJS.ProcessEnv = process.env,
): ServeOptions {
  const host = args.host ?? '127.0.0.1';
  if (!loopback.test(host) && args.open !== true) {
    const why = 'this collector asks nobody for a token, so an address that others can reach needs --open';
    throw new CrowdbeatError('CB_OPTION', `--host: ${why}, got ${JSON.stringify(host)}`);
  }
  return {
    port: wholeNumber('--port', args.port ?? '7070', 0, 65_535),
    host,
    redisUrl: args.redis ?? nonEmpty(environment['REDIS_URL']),
    redisFsync: readFsync(args.redisFsync),
    dataDir: args.dataDir ?? findHome(environment).redisData,
    workers: wholeNumber('--workers', args.workers ?? '1', 1, workersMax),
    connectionsMax:
      args.connectionsMax === undefined
        ? undefined
        : wholeNumber('--connections-max', args.connectionsMax, 1, 1_000_000),
    quiet: args.quiet === true,
  };
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  if (/^\d{1,7}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  const rule = `needs a whole number from ${min} to ${max}`;
  throw new CrowdbeatError('CB_OPTION', `${name}: ${rule}, got ${JSON.stringify(text)}`);
}

export const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

export function readFsync(value: string | undefined): FsyncPolicy {
  const policy = redisFsyncPolicies.find((one) => one === (value ?? 'everysec'));
  if (policy === undefined) {
    throw new CrowdbeatError(
      'CB_OPTION',
      `--redis-fsync: needs everysec, always or no, got ${JSON.stringify(value)}`,
    );
  }
  return policy;
}

/** Serves until SIGTERM, SIGINT, SIGHUP or the end of the parent; then drains. Resolves with the exit code. */
export async function serveCommand(args: ServeArguments): Promise<number> {
  const options = resolveServeOptions(args);
  const say = (line: string): void => {
    if (!options.quiet) process.stdout.write(`crowdbeat: ${line}\n`);
  };
  const ended = endRequested();
  const place = { url: options.redisUrl, dataDir: options.dataDir, fsync: options.redisFsync };
  const redis = await startRedis(place, say);
  try {
    await serveUntil(ended, options, redis, say);
  } finally {
    await redis.stop();
    // An open channel to the parent would keep this process alive.
    if (process.connected) process.disconnect();
  }
  say('ended');
  return 0;
}

async function serveUntil(
  ended: Promise<string>,
  options: ServeOptions,
  redis: OwnRedis,
  say: (line: string) => void,
) {
  const { host, port, workers, connectionsMax } = options;
  const served = { host, port, redisUrl: redis.url, connectionsMax };
  const collector =
    workers === 1
      ? await startCollector(served)
      : await startCollectorCluster({ ...served, workers, log: sayError });
  const processes = workers === 1 ? '' : ` with ${workers} processes`;
  say(`listening on ${collector.url}${processes}; open: whoever can reach it may write and read`);
  process.send?.({ listening: collector.url } satisfies ServeReady);
  const why = await ended;
  say(`${why}: finishing what is in flight …`);
  await collector.close();
}

/** What `--quiet` does not silence. */
function sayError(line: string): void {
  process.stderr.write(`crowdbeat: ${line}\n`);
}

function endRequested(): Promise<string> {
  return new Promise((resolve) => {
    let asked = 0;
    const request = (why: string): void => {
      asked += 1;
      resolve(why);
      // The 'exit' handler of the embedded Redis still ends it.
      if (asked > 1 && why !== 'parent gone') process.exit(130);
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => request(signal));
    if (process.channel !== undefined) process.once('disconnect', () => request('parent gone'));
  });
}
