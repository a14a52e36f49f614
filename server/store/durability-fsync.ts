/** Whether a node of Redis can promise that what it has answered is on its disk, and by which way. */
import { messageOf } from '../base/errors.ts';
import type { RedisConnection } from './connection.ts';

/**
 * always: each reply comes after the sync. wait: WAITAOF tells when it has happened. none: neither, and why.
 */
export type FsyncPolicy =
  | { readonly way: 'always'; readonly replicationId: string }
  | { readonly way: 'wait' }
  | { readonly way: 'none'; readonly reason: string };

const settings = ['appendonly', 'appendfsync', 'no-appendfsync-on-rewrite'] as const;

export class FsyncPolicies {
  readonly #connection: RedisConnection;
  readonly #known = new Map<string, FsyncPolicy>();
  #resetsSeen: number;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#resetsSeen = connection.resets;
  }

  /** What the key's node was seen to do since its connection was made; asks it the first time. */
  async of(key: string): Promise<FsyncPolicy> {
    if (this.#connection.resets !== this.#resetsSeen) this.#known.clear();
    this.#resetsSeen = this.#connection.resets;
    return this.#known.get(this.#connection.nodeOf(key)) ?? this.fresh(key);
  }

  /** What the key's node does now. */
  async fresh(key: string): Promise<FsyncPolicy> {
    const node = this.#connection.nodeOf(key);
    const policy = await this.#ask(key);
    // A refusal is not remembered: who changes the setting need not wait for anything.
    if (policy.way === 'none') this.#known.delete(node);
    else this.#known.set(node, policy);
    return policy;
  }

  async #ask(key: string): Promise<FsyncPolicy> {
    const lines = settings.map((name) => ['CONFIG', 'GET', name] as const);
    let replies: unknown[];
    try {
      replies = await this.#connection.callNodeOf(key, [...lines, ['INFO', 'replication']]);
    } catch (error) {
      if (!/NOPERM|unknown command|unknown subcommand/i.test(messageOf(error))) throw error;
      return { way: 'none', reason: 'Redis does not let its appendfsync setting be read (CONFIG GET)' };
    }
    const [appendOnly, fsync, notOnRewrite] = replies.map((reply) => (reply as string[])[1]);
    if (appendOnly !== 'yes')
      return { way: 'none', reason: 'Redis keeps no append-only file (appendonly no)' };
    if (fsync === 'always' && notOnRewrite === 'no') {
      const replicationId = /master_replid:([0-9a-f]+)/.exec(String(replies[settings.length]))?.[1] ?? '';
      return { way: 'always', replicationId };
    }
    if (await this.#hasWaitAof(key)) return { way: 'wait' };
    const found =
      fsync === 'always' ? 'always with no-appendfsync-on-rewrite yes' : `${fsync} in place of always`;
    const reason = `Redis has appendfsync ${found}, and no WAITAOF (Redis 7.2 and later, Valkey)`;
    return { way: 'none', reason };
  }

  async #hasWaitAof(key: string): Promise<boolean> {
    const [reply] = await this.#connection.callNodeOf(key, [['COMMAND', 'INFO', 'WAITAOF']]);
    return Array.isArray(reply) && Array.isArray(reply[0]);
  }
}
