/**
 * What a crowd needs when no --target is given: a Redis and a collector, each a process of its own, started
 * in this order and ended in the other.
 */
import { systemClock } from '../server/base/clock.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../server/main/embedded-redis.ts';
import { ensureRedisBinary } from '../server/main/install-redis.ts';
import { type CollectorProcess, startCollectorProcess } from './collector-process.ts';

export type FsyncPolicy = 'everysec' | 'always' | 'no';

export interface RedisPlace {
  /** From --redis or REDIS_URL; undefined: an embedded one. */
  readonly url: string | undefined;
  readonly dataDir: string;
  readonly fsync: FsyncPolicy;
}

export interface OwnRedis {
  readonly url: string;
  stop(): Promise<void>;
}

/** The Redis that was named, or an embedded one; says in one line which. */
export async function startRedis(place: RedisPlace, say: (line: string) => void): Promise<OwnRedis> {
  if (place.url !== undefined) {
    say(`using Redis at ${withoutPassword(place.url)}`);
    return { url: place.url, stop: () => Promise.resolve() };
  }
  await ensureRedisBinary(say);
  const redis: EmbeddedRedis = await startEmbeddedRedis({
    dataDir: place.dataDir,
    fsync: place.fsync,
    clock: systemClock,
    log: say,
    onExit: (reason) => say(reason),
  });
  if (!redis.adopted) say(`started Redis ${redis.version} (process ${redis.pid}, data in ${place.dataDir})`);
  return redis;
}

/** Credentials in a URL are nobody's business on a terminal. */
export function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//…@');
}

export interface Stack {
  readonly collector: CollectorProcess;
  stop(): Promise<void>;
}

/**
 * @param workers processes of the collector, all on one port
 * @param further options of `serve`
 */
export async function startStack(
  place: RedisPlace,
  say: (line: string) => void,
  workers = 1,
  further: readonly string[] = [],
): Promise<Stack> {
  const redis = await startRedis(place, say);
  try {
    const collector = await startCollectorProcess(redis.url, say, workers, further);
    const processes =
      workers === 1 ? `process ${collector.pid}` : `${workers} processes under ${collector.pid}`;
    say(`started the collector at ${collector.url.origin} (${processes})`);
    return {
      collector,
      stop: async () => {
        await collector.stop();
        await redis.stop();
      },
    };
  } catch (error) {
    await redis.stop();
    throw error;
  }
}
