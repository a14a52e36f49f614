/** The two ways to a running server of a data directory: start one, or take over an orphan. */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import { inUse } from './embedded-redis-lock.ts';
import { forgetOwner, type OwnerRecord, writeOwner } from './embedded-redis-owner.ts';
import {
  endServer,
  type FsyncPolicy,
  type ServerProcess,
  spawnServer,
  watchAdopted,
} from './embedded-redis-process.ts';
import { awaitReady, type Waiting } from './embedded-redis-ready.ts';
import { askRedis, infoField, type RedisAddress } from './embedded-redis-wire.ts';
import type { RedisBinary } from './redis-binary.ts';

export interface Wanted extends Waiting {
  readonly fsync: FsyncPolicy;
}

/** A server that is ours: recorded in owner.json, and ended with this process. */
export interface OwnedServer {
  readonly process: ServerProcess;
  readonly url: string;
  readonly version: string;
  readonly adopted: boolean;
  /** Takes back record and exit handler; to be called when the process is gone. */
  letGo(): void;
}

/** Socket addresses hold 104 bytes on macOS and 108 on Linux. */
const socketPathBytesMax = 100;

/** An orphan that makes no progress for this long is ended. */
const orphanStallMs = 10_000;

/** Somebody may take a free port between our look and Redis' bind. */
const portTriesMax = 3;

/** Starts a new server; the caller holds the start lock. Throws CB_REDIS_START. */
export async function startNew(binary: RedisBinary, wanted: Wanted): Promise<OwnedServer> {
  for (let tries = 1; ; tries++) {
    const address = await chooseAddress(wanted.dataDir);
    await refuseIfAnswered(address, wanted.dataDir);
    const server = await spawnServer(binary, { ...wanted, address });
    try {
      return await own(server, address, wanted, false);
    } catch (thrown) {
      const portLost = 'port' in address && /Failed listening|another server/.test(messageOf(thrown));
      if (!portLost || tries === portTriesMax) throw thrown;
    }
  }
}

/** Takes over an orphan if it answers and accepts the fsync policy; otherwise ends it and gives undefined. */
export async function adopt(record: OwnerRecord, wanted: Wanted): Promise<OwnedServer | undefined> {
  const server = watchAdopted(record.server);
  const left = `the embedded Redis (process ${server.pid}) that process ${record.owner.pid} left running`;
  try {
    const waiting = { ...wanted, stallDeadlineMs: Math.min(wanted.stallDeadlineMs, orphanStallMs) };
    const owned = await own(server, parseUrl(record.url), waiting, true);
    wanted.log(`took over ${left}`);
    return owned;
  } catch (thrown) {
    // It was ended by `own`; a new one takes its place, so this is news and no failure.
    wanted.log(`ended ${left}, because it could not be used: ${messageOf(thrown)}`);
    return undefined;
  }
}

/** Records the server, ties it to this process and waits until it is ready; ends it if it doesn't get there. */
async function own(
  server: ServerProcess,
  address: RedisAddress,
  wanted: Wanted,
  adopted: boolean,
): Promise<OwnedServer> {
  const url = formatUrl(address);
  const endWithUs = (): void => server.signal('SIGTERM');
  const letGo = (): void => {
    process.off('exit', endWithUs);
    forgetOwner(wanted.dataDir, server);
  };
  process.on('exit', endWithUs);
  try {
    writeOwner(wanted.dataDir, server, url);
    const version = await awaitReady(server, address, wanted);
    if (adopted) await setFsync(address, wanted.fsync);
    return { process: server, url, version, adopted, letGo };
  } catch (thrown) {
    await endServer(server, wanted.clock);
    letGo();
    throw thrown;
  }
}

async function setFsync(address: RedisAddress, fsync: FsyncPolicy): Promise<void> {
  const answer = await askRedis(address, ['CONFIG', 'SET', 'appendfsync', fsync]);
  if (answer.kind === 'values') return;
  throw new CrowdbeatError('CB_REDIS_START', `appendfsync could not be set to ${fsync}: ${answer.text}`);
}

/** No record, but a server on our socket: it was started from another container, or its record was deleted. */
async function refuseIfAnswered(address: RedisAddress, dataDir: string): Promise<void> {
  if ('port' in address) return;
  const info = await askRedis(address, ['INFO', 'server']);
  if (info.kind !== 'unreachable') throw inUse(dataDir, Number(infoField(info, 'process_id')));
}

/** A Unix socket in the data directory, or a free port where the path is too long or reads as something else in a URL. */
async function chooseAddress(dataDir: string): Promise<RedisAddress> {
  const path = join(dataDir, 'redis.sock');
  if (Buffer.byteLength(path) <= socketPathBytesMax && !/[?,]/.test(path)) return { path };
  return { host: '127.0.0.1', port: await freePort() };
}

/** A free port, never 6379: the user's own Redis may come back to it. */
async function freePort(): Promise<number> {
  const port = await new Promise<number>((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
  return port === 6379 ? freePort() : port;
}

function formatUrl(address: RedisAddress): string {
  return 'path' in address ? address.path : `redis://${address.host}:${address.port}`;
}

function parseUrl(url: string): RedisAddress {
  if (url.startsWith('/')) return { path: url };
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
