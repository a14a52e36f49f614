/**
 * More than `stored`: what a writer is told when it asks that its events be on a disk or on a second machine.
 *
 *   fsynced     the slot's own node syncs its append-only file before each reply (`appendfsync always`), or tells
 *               when it has (WAITAOF: Redis 7.2 and later, Valkey)
 *   replicated  a replica of the slot's own node has acknowledged it (WAIT)
 *
 * WAIT speaks of what its own connection wrote before, and holds up whatever comes behind it. Commits share one
 * connection, so the question goes by another: there a marker is written and deleted again, and as a replica and
 * the append-only file get everything in the order in which it was applied, whoever has the marker has every
 * commit before it. One question for each node is on its way at a time; who comes meanwhile shares the next one, so
 * that a replica that is away costs its time limit once or twice and not once for each writer.
 *
 * Between commit and marker the node may have been replaced by one that never saw the commit. The marker's script
 * says which replication id wrote it; if it is not the commit's, nothing is confirmed, and the writer sends again.
 */
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import type { AskedDurability } from '../protocol/durability.ts';
import { formatPropertyName, type PropertyName } from '../protocol/property.ts';
import type { CommandLine, RedisConnection } from './connection.ts';
import { FsyncPolicies } from './durability-fsync.ts';
import { PropertyKeys } from './keys.ts';

/** Which Redis the events of one store went to. */
export interface Lineage {
  /** Replication id of the node of the last commit; '' before the first. */
  readonly replicationId: string;
  /** How often it was another one than before. */
  readonly changes: number;
}

export const noLineage: Lineage = { replicationId: '', changes: 0 };

export function followLineage(lineage: Lineage, replicationId: string): Lineage {
  if (lineage.replicationId === replicationId) return lineage;
  const changes = lineage.replicationId === '' ? 0 : lineage.changes + 1;
  return { replicationId, changes };
}

export interface ConfirmOptions {
  /** How long a replica, or the disk, may take. Default 1,000. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 1000;

/** KEYS marker. Returns the replication id of the node. The key is gone when the script ends. */
const markerScript = `#!lua flags=allow-oom
redis.call('SET', KEYS[1], '')
redis.call('DEL', KEYS[1])
return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
`;

interface Question {
  readonly key: string;
  readonly answer: Promise<Confirmed>;
  asksDisk: boolean;
  asksReplica: boolean;
}

interface Confirmed {
  readonly replicationId: string;
  /** Replicas that have the marker, and append-only files (of the node itself) that do. */
  readonly replicas: number;
  readonly disks: number;
}

export class Confirmations {
  readonly #connection: RedisConnection;
  readonly #timeoutMs: number;
  readonly #policies: FsyncPolicies;
  /** The question that is being put together for a node while the one before is on its way. */
  readonly #next = new Map<string, Question>();
  readonly #running = new Map<string, Promise<unknown>>();

  /** @param connection not the one of the commits, which WAIT would hold up */
  constructor(connection: RedisConnection, { timeoutMs = defaultTimeoutMs }: ConfirmOptions = {}) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.#policies = new FsyncPolicies(connection);
  }

  /**
   * Why Redis can't promise it, in words; undefined if it can. To be asked before anything is stored. Whether a
   * replica is there is known only afterwards. Throws CB_REDIS_UNREACHABLE.
   */
  async refusal(property: PropertyName, asked: AskedDurability): Promise<string | undefined> {
    if (asked === 'replicated') return undefined;
    const policy = await this.#policies.of(markerKey(property));
    return policy.way === 'none' ? policy.reason : undefined;
  }

  /**
   * Resolves when everything that was committed to the property before is as durable as asked.
   * @param replicationId of the node that the commit was made on
   * @throws CrowdbeatError CB_NOT_REPLICATED, CB_NOT_FSYNCED: stored, but not known to be so durable
   */
  async confirm(property: PropertyName, asked: AskedDurability, replicationId: string): Promise<void> {
    const key = markerKey(property);
    try {
      const why =
        asked === 'replicated'
          ? await this.#whyNotReplicated(key, replicationId)
          : await this.#whyNotFsynced(key, replicationId);
      if (why !== undefined) throw notConfirmed(property, asked, why);
    } catch (error) {
      if (error instanceof CrowdbeatError && error.code.startsWith('CB_NOT_')) throw error;
      throw notConfirmed(property, asked, messageOf(error));
    }
  }

  async #whyNotReplicated(key: string, replicationId: string): Promise<string | undefined> {
    const { replicas, replicationId: written } = await this.#ask(key, 'replica');
    if (written !== replicationId) return 'the node was replaced meanwhile';
    return replicas > 0 ? undefined : `no replica acknowledged them within ${this.#timeoutMs} ms`;
  }

  async #whyNotFsynced(key: string, replicationId: string): Promise<string | undefined> {
    // Asked again, as somebody may have changed it since the write was let in.
    const policy = await this.#policies.fresh(key);
    if (policy.way === 'none') return policy.reason;
    if (policy.way === 'always')
      return policy.replicationId === replicationId ? undefined : 'the node was replaced meanwhile';
    const { disks, replicationId: written } = await this.#ask(key, 'disk');
    if (written !== replicationId) return 'the node was replaced meanwhile';
    return disks > 0 ? undefined : `its disk did not have them within ${this.#timeoutMs} ms`;
  }

  #ask(key: string, whom: 'replica' | 'disk'): Promise<Confirmed> {
    const node = this.#connection.nodeOf(key);
    let question = this.#next.get(node);
    if (question === undefined) {
      const before = this.#running.get(node) ?? Promise.resolve();
      question = { key, answer: before.then(() => this.#send(node)), asksDisk: false, asksReplica: false };
      this.#next.set(node, question);
    }
    if (whom === 'disk') question.asksDisk = true;
    else question.asksReplica = true;
    return question.answer;
  }

  /** From here on nobody can join the question: its marker is about to be written. */
  #send(node: string): Promise<Confirmed> {
    const question = this.#next.get(node) as Question;
    this.#next.delete(node);
    const answer = this.#exchange(question);
    const settled = answer.catch(() => 'its askers are told');
    this.#running.set(node, settled);
    void settled.then(() => {
      if (this.#running.get(node) === settled) this.#running.delete(node);
    });
    return answer;
  }

  async #exchange({ key, asksDisk, asksReplica }: Question): Promise<Confirmed> {
    const timeout = String(this.#timeoutMs);
    const lines: CommandLine[] = [['EVAL', markerScript, '1', key]];
    if (asksReplica) lines.push(['WAIT', '1', timeout]);
    if (asksDisk) lines.push(['WAITAOF', '1', '0', timeout]);
    const [replicationId, ...counts] = await this.#connection.callNodeOf(key, lines);
    const replicas = asksReplica ? Number(counts.shift()) : 0;
    const [disks] = asksDisk ? (counts.shift() as [number, number]) : [0];
    return { replicationId: String(replicationId), replicas, disks: Number(disks) };
  }
}

const markerKey = (property: PropertyName): string => new PropertyKeys(property).marker;

export function notConfirmed(property: PropertyName, asked: AskedDurability, why: string): CrowdbeatError {
  const code = asked === 'replicated' ? 'CB_NOT_REPLICATED' : 'CB_NOT_FSYNCED';
  return new CrowdbeatError(code, `property ${formatPropertyName(property)}: ${why}`);
}
