/**
 * owner.json in the data directory says which Redis runs there and whose it is, so that a server whose
 * crowdbeat was killed is found again, and a stranger is never touched.
 *
 *   { "server": { "pid": 4711, "startTime": "123456@BOOT" },
 *     "owner":  { "pid": 4700, "startTime": "123390@BOOT" },
 *     "url": "/home/ann/app/.crowdbeat/redis/redis.sock" }
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess, isAlive, ownMark, type ProcessMark } from './embedded-redis-identity.ts';
import { parseMark } from './embedded-redis-lock.ts';

export interface OwnerRecord {
  readonly server: ProcessMark;
  readonly owner: ProcessMark;
  /** As `EmbeddedRedis.url`. */
  readonly url: string;
}

/** What a data directory's record means now. */
export type Claim =
  /** No server of ours lives here. */
  | { readonly kind: 'free' }
  /** Both the server and the crowdbeat that started it live. */
  | { readonly kind: 'in use'; readonly ownerPid: number }
  /** The server lives, but its crowdbeat was killed. */
  | { readonly kind: 'orphan'; readonly record: OwnerRecord };

const serverCommand = /^(?:redis|valkey)-server$/;

/** Is this living process the very server that was remembered? */
export function isOurServer(mark: ProcessMark): boolean {
  const identity = identifyProcess(mark.pid);
  return identity?.startTime === mark.startTime && serverCommand.test(identity.command);
}

export function readClaim(dataDir: string): Claim {
  const record = readOwner(dataDir);
  if (record === undefined || !isOurServer(record.server)) return { kind: 'free' };
  if (isAlive(record.owner)) return { kind: 'in use', ownerPid: record.owner.pid };
  return { kind: 'orphan', record };
}

/** Makes this process the owner of a server. Replaces the file in one step, so that no reader sees half of it. */
export function writeOwner(dataDir: string, server: ProcessMark, url: string): void {
  const record: OwnerRecord = {
    server: { pid: server.pid, startTime: server.startTime },
    owner: ownMark(),
    url,
  };
  const draft = join(dataDir, `owner.json.${process.pid}`);
  writeFileSync(draft, `${JSON.stringify(record)}\n`);
  renameSync(draft, join(dataDir, 'owner.json'));
}

/** Removes the record of this server; leaves that of a later one. */
export function forgetOwner(dataDir: string, server: ProcessMark): void {
  if (readOwner(dataDir)?.server.startTime === server.startTime)
    rmSync(join(dataDir, 'owner.json'), { force: true });
}

function readOwner(dataDir: string): OwnerRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(dataDir, 'owner.json'), 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    if (!('server' in value && 'owner' in value && 'url' in value)) return undefined;
    const [server, owner, url] = [parseMark(value.server), parseMark(value.owner), value.url];
    return server && owner && typeof url === 'string' ? { server, owner, url } : undefined;
  } catch {
    // Missing or garbled: nothing is known, so nothing is claimed. A server that still answers on the
    // socket is noticed there.
    return undefined;
  }
}
