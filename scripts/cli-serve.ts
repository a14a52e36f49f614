/** `crowdbeat serve`: the collector alone. */
import { join } from 'node:path';
import type { Argv } from 'yargs';
import type { AccessMode } from '../server/access/authorize.ts';
import { CrowdbeatError } from '../server/base/errors.ts';
import type { Log, LogLevel } from '../server/http/failure.ts';
import { type InjectedDelay, readInjectedDelay } from '../server/http/injected-delay.ts';
import type { TimeLimits } from '../server/ingest/enrich.ts';
import { startCollector } from '../server/main/collector.ts';
import { startCollectorCluster } from '../server/main/collector-cluster.ts';
import { type LogFormat, makeLog, readLogOptions } from '../server/main/log.ts';
import type { FlushOptions } from '../server/main/session-flusher.ts';
import type { Retention } from '../server/store/retention.ts';
import { parseRetention } from '../server/store/retention-text.ts';
import {
  type AccessArguments,
  accessOptions,
  accessWords,
  prepareAccess,
  resolveAccess,
} from './cli-serve-access.ts';
import {
  type EnrichArguments,
  enrichOptions,
  type ResolvedEnrichment,
  resolveEnrichment,
} from './cli-serve-enrich.ts';
import { type FlushArguments, flushOptions, resolveFlush } from './cli-serve-flush.ts';
import { resolveSealDelay, resolveTimes, type TimesArguments, timesOptions } from './cli-serve-times.ts';
import type { ServeReady } from './collector-process.ts';
import { findHome } from './home.ts';
import { type FsyncPolicy, type OwnRedis, startRedis } from './stack.ts';

interface ServeArguments extends EnrichArguments, AccessArguments, TimesArguments, FlushArguments {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly redis?: string | undefined;
  readonly redisFsync?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly workers?: string | undefined;
  readonly connectionsMax?: string | undefined;
  readonly quiet?: boolean | undefined;
  readonly injectDelay?: string | undefined;
  readonly retention?: string | undefined;
  readonly logFormat?: string | undefined;
  readonly logLevel?: string | undefined;
}

export interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly redisUrl: string | undefined;
  readonly redisFsync: FsyncPolicy;
  readonly dataDir: string;
  readonly access: AccessMode;
  /** Where the credentials of the first admin of the embedded Redis go. */
  readonly credentialsPath: string;
  /** Processes that serve the port. */
  readonly workers: number;
  /** Of each process. Undefined: what its file descriptors allow. */
  readonly connectionsMax: number | undefined;
  readonly quiet: boolean;
  readonly enrichment: ResolvedEnrichment;
  /** What differs from the defaults. */
  readonly retention: Partial<Retention>;
  readonly timeLimits: Partial<TimeLimits>;
  readonly sealDelayMs: number | 'off';
  readonly sealBacklog: number;
  /** Undefined: nothing is flushed. */
  readonly flush: FlushOptions | undefined;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  /** For benchmarks that have to find it; undefined for everybody else. */
  readonly injectedDelay: InjectedDelay | undefined;
}

export const redisFsyncPolicies = ['everysec', 'always', 'no'] as const;

const workersMax = 256;

export const serveBuilder = (yargs: Argv) =>
  flushOptions(timesOptions(accessOptions(enrichOptions(yargs))))
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
    .option('retention', {
      type: 'string',
      describe: 'how long things are kept: minute=2d,hour=60d,day=400d,session=90d,events=30d,month=forever',
    })
    .option('log-format', { type: 'string', describe: 'text or json, one object a line (default text)' })
    .option('log-level', { type: 'string', describe: 'the least that is said: debug, info, warn, error' })
    // For benchmarks only, so not among what the help shows: docs/benchmarking.md.
    .option('inject-delay', { type: 'string', hidden: true })
    .option('quiet', { type: 'boolean', describe: 'say nothing but errors' });

/** Throws CrowdbeatError CB_OPTION naming the option, the rule and the value. */
export function resolveServeOptions(
  args: ServeArguments,
  environment: NodeJS.ProcessEnv = process.env,
): ServeOptions {
  const host = args.host ?? '127.0.0.1';
  const redisUrl = args.redis ?? nonEmpty(environment['REDIS_URL']);
  const { state } = findHome(environment);
  return {
    port: wholeNumber('--port', args.port ?? '7070', 0, 65_535),
    host,
    redisUrl,
    access: resolveAccess(args, host, redisUrl),
    credentialsPath: join(args.dataDir ?? state, 'admin.json'),
    redisFsync: readFsync(args.redisFsync),
    dataDir: args.dataDir ?? findHome(environment).redisData,
    workers: wholeNumber('--workers', args.workers ?? '1', 1, workersMax),
    connectionsMax:
      args.connectionsMax === undefined
        ? undefined
        : wholeNumber('--connections-max', args.connectionsMax, 1, 1_000_000),
    quiet: args.quiet === true,
    enrichment: resolveEnrichment(args),
    retention: args.retention === undefined ? {} : parseRetention(args.retention),
    timeLimits: resolveTimes(args),
    sealDelayMs: resolveSealDelay(args),
    sealBacklog: wholeNumber('--seal-backlog', args.sealBacklog ?? '16', 0, 10_000),
    flush: resolveFlush(args),
    injectedDelay: resolveInjectedDelay(args),
    ...serveLogOptions(args),
  };
}

function resolveInjectedDelay({ injectDelay, workers = '1' }: ServeArguments): InjectedDelay | undefined {
  if (injectDelay === undefined) return undefined;
  if (workers === '1') return readInjectedDelay(injectDelay);
  throw new CrowdbeatError('CB_OPTION', `--inject-delay: needs one process, got --workers ${workers}`);
}

function serveLogOptions(args: ServeArguments): Pick<ServeOptions, 'logFormat' | 'logLevel'> {
  const { format, level } = readLogOptions(args.logFormat, args.logLevel);
  return { logFormat: format ?? 'text', logLevel: level ?? 'info' };
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
  const log = makeLog({ format: options.logFormat, level: options.logLevel });
  const say = (line: string): void => {
    if (options.quiet) return;
    // For people it is the program's output; for programs every line is one of the log.
    if (options.logFormat === 'json') log(line, { level: 'info' });
    else process.stdout.write(`crowdbeat: ${line}\n`);
  };
  const ended = endRequested();
  const place = { url: options.redisUrl, dataDir: options.dataDir, fsync: options.redisFsync };
  const redis = await startRedis(place, say);
  try {
    await serveUntil(ended, options, redis, say, log);
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
  log: Log,
) {
  const { access: mode, credentialsPath } = options;
  const place = { redisUrl: redis.url, isEmbedded: options.redisUrl === undefined, mode, credentialsPath };
  await prepareAccess({ ...place, environment: process.env }, say);
  const { host, port, workers, connectionsMax, retention, timeLimits, flush, logFormat, logLevel } = options;
  const { sealDelayMs, sealBacklog } = options;
  const { geoMissing, ...enrichment } = options.enrichment;
  if (geoMissing !== undefined) say(`events get no place: ${geoMissing}`);
  const served = {
    host,
    port,
    access: mode,
    redisUrl: redis.url,
    connectionsMax,
    enrichment,
    retention,
    timeLimits,
    sealDelayMs,
    sealBacklog,
    flush,
    logFormat,
    logLevel,
  };
  const collector =
    workers === 1
      ? await startCollector({ ...served, injectedDelay: options.injectedDelay })
      : await startCollectorCluster({ ...served, workers, log });
  const processes = workers === 1 ? '' : ` with ${workers} processes`;
  if (options.injectedDelay !== undefined) say('requests are delayed on purpose: --inject-delay');
  say(`listening on ${collector.url}${processes}; ${accessWords(mode)}`);
  process.send?.({ listening: collector.url } satisfies ServeReady);
  const why = await ended;
  say(`${why}: finishing what is in flight …`);
  await collector.close();
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
