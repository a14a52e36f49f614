/**
 * A private Redis of our own: one server process, one data directory, one owner.
 *
 *   data directory   appendonlydir/  redis.sock  redis.log  owner.json  start.lock (while starting)
 *
 * States of a data directory's server, and the moves between them:
 *   absent   --start--------------------------> starting
 *   starting --answers, data loaded-----------> running
 *   starting --ends, stays silent, stalls-----> absent, CB_REDIS_START
 *   running  --stop(), or our process exits---> absent
 *   running  --dies---------------------------> absent; `onExit` is told, nothing restarts by itself
 *   running  --its crowdbeat is killed--------> orphaned
 *   orphaned --start, it answers--------------> running (adopted)
 *   orphaned --start, it doesn't--------------> ended, then as from absent
 *
 * A start is refused while another living crowdbeat owns the directory's server. A process is signalled
 * only if id, start time and program name prove that it is the one we recorded.
 *
 * Our 'exit' handler ends the server, also after an uncaught exception. A signal that kills this process
 * outright runs no handler, so programs handle SIGINT, SIGTERM and SIGHUP and call `stop()`.
 */
import { mkdirSync, realpathSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import { inUse, takeStartLock } from './embedded-redis-lock.ts';
import { readClaim } from './embedded-redis-owner.ts';
import { endServer, type FsyncPolicy, lastLogLine } from './embedded-redis-process.ts';
import { adopt, type OwnedServer, startNew, type Wanted } from './embedded-redis-start.ts';
import { findRedisBinary } from './install-redis.ts';

export interface EmbeddedRedisOptions {
  /** Made if it isn't there; `.crowdbeat/redis` by custom. Whatever Redis stores lies here. */
  readonly dataDir: string;
  readonly fsync: FsyncPolicy;
  readonly clock: Clock;
  log(line: string): void;
  /** Told once, with a sentence, if the server ends although nobody stopped it. */
  onExit?(reason: string): void;
  /** How long a starting server may make no progress; 30,000 ms if not given. */
  readonly stallDeadlineMs?: number;
}

export interface EmbeddedRedis {
  /** The path of its Unix socket, or `redis://127.0.0.1:PORT` where that path would be too long. */
  readonly url: string;
  readonly pid: number;
  /** As the server tells it: `7.0.15`. A Valkey tells its own version, not the Redis it is compatible with. */
  readonly version: string;
  /** True if the server was found running, left by a crowdbeat that was killed. */
  readonly adopted: boolean;
  /** Ends the server; done when its process is gone and its data are on disk. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts the server of a data directory, or takes over the one that a killed crowdbeat left there.
 * Throws CB_REDIS_START, CB_REDIS_MISSING or CB_REDIS_TOO_OLD.
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const dataDir = inDirectory(options.dataDir, () => {
    mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
    return realpathSync(options.dataDir);
  });
  const lock = inDirectory(dataDir, () => takeStartLock(dataDir));
  try {
    const claim = readClaim(dataDir);
    if (claim.kind === 'in use') throw inUse(dataDir, claim.ownerPid);
    const { clock, fsync, stallDeadlineMs = 30_000 } = options;
    const wanted: Wanted = { dataDir, clock, fsync, stallDeadlineMs, log: (line) => options.log(line) };
    const adopted = claim.kind === 'orphan' ? await adopt(claim.record, wanted) : undefined;
    return run(adopted ?? (await startNew(await findRedisBinary(), wanted)), options, dataDir);
  } finally {
    lock.release();
  }
}

function inDirectory<T>(dataDir: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof CrowdbeatError) throw thrown;
    const message = `embedded Redis: ${dataDir} can't be its data directory: ${messageOf(thrown)}`;
    throw new CrowdbeatError('CB_REDIS_START', message, { cause: thrown });
  }
}

function run(owned: OwnedServer, options: EmbeddedRedisOptions, dataDir: string): EmbeddedRedis {
  const { process: server, url, version, adopted } = owned;
  let stopping: Promise<void> | undefined;
  void server.ended.then((how) => {
    if (stopping !== undefined) return;
    owned.letGo();
    const what = `embedded Redis (process ${server.pid}) ended unexpectedly, ${how}`;
    options.onExit?.(`${what}; its log ends with: ${lastLogLine(dataDir)}`);
  });
  const stopOnce = async (): Promise<void> => {
    await endServer(server, options.clock);
    owned.letGo();
  };
  const stop = (): Promise<void> => {
    stopping ??= stopOnce();
    return stopping;
  };
  return { url, pid: server.pid, version, adopted, stop };
}
