/** What a Redis server says of its own state, in INFO. Of a cluster one node speaks, any of them. */
import type { RedisConnection } from './connection.ts';

export interface ServerInfo {
  readonly version: string;
  /** It reads its data from disk and answers nothing else yet. */
  readonly isLoading: boolean;
  readonly aof: {
    readonly isEnabled: boolean;
    /** Of the last write to the append-only file; Redis refuses commits while it is bad. */
    readonly isWriteOk: boolean;
    readonly isRewriteOk: boolean;
  };
  /** Of the last snapshot; Redis refuses commits while it is bad, if snapshots are on. */
  readonly isSnapshotOk: boolean;
  readonly memory: {
    readonly usedBytes: number;
    /** 0 = no limit. */
    readonly maxBytes: number;
    readonly policy: string;
  };
  readonly replication: {
    readonly role: string;
    /** Of a replica: whether its master answers. */
    readonly isMasterLinkUp: boolean;
    /** Of a master: replicas that are connected. */
    readonly replicas: number;
  };
}

/** Throws what `call` throws. */
export async function readServerInfo(connection: RedisConnection): Promise<ServerInfo> {
  return parseServerInfo(String(await connection.call('INFO', [])));
}

export function parseServerInfo(text: string): ServerInfo {
  const fields = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  const field = (name: string): string => fields.get(name) ?? '';
  const number = (name: string): number => Number(fields.get(name) ?? 0);
  return {
    version: field('redis_version'),
    isLoading: field('loading') === '1',
    aof: {
      isEnabled: field('aof_enabled') === '1',
      isWriteOk: field('aof_last_write_status') !== 'err',
      isRewriteOk: field('aof_last_bgrewrite_status') !== 'err',
    },
    isSnapshotOk: field('rdb_last_bgsave_status') !== 'err',
    memory: {
      usedBytes: number('used_memory'),
      maxBytes: number('maxmemory'),
      policy: field('maxmemory_policy'),
    },
    replication: {
      role: field('role'),
      isMasterLinkUp: field('master_link_status') !== 'down',
      replicas: number('connected_slaves'),
    },
  };
}
