/** One session store of a property: the last heartbeat of each live session, and who has departed. */
import { readFileSync } from 'node:fs';
import { CrowdbeatError } from '../base/errors.ts';
import { formatPropertyName, type PropertyName } from '../protocol/property.ts';
import { type EncodedArguments, makeScript, type RedisConnection } from './connection.ts';
import { PropertyKeys, type SessionStoreKeys } from './keys.ts';
import { isImplicitStore } from './session-store-names.ts';
import {
  heartbeatText,
  readSession,
  type SessionHeartbeat,
  type StoredSession,
  timeText,
} from './session-store-record.ts';

export type SessionOperation =
  | { readonly kind: 'upsert'; readonly heartbeat: SessionHeartbeat }
  /** @property lastUpdatedMs deletes the session only if it was last updated then */
  | { readonly kind: 'delete'; readonly sessionId: string; readonly lastUpdatedMs?: number | undefined };

/** `stale`: a newer heartbeat is there. `missing`: nothing to delete. `kept`: updated since, so not deleted. */
export type SessionOutcome = 'created' | 'updated' | 'stale' | 'deleted' | 'missing' | 'kept';

export interface DepartingSession extends StoredSession {
  readonly sessionId: string;
}

const outcomeOfLetter: Readonly<Record<string, SessionOutcome>> = {
  c: 'created',
  u: 'updated',
  s: 'stale',
  d: 'deleted',
  m: 'missing',
  k: 'kept',
};

/**
 * How long it is remembered how often a session departed. As long as the windows of seen numbers live, which are
 * what makes the event of a departure count once.
 */
const goneSeconds = 9 * 86_400;

/** Departures that one script notes: 0.7 ms of Redis. */
const claimSlice = 100;

const readScript = (name: string) => makeScript(readFileSync(new URL(name, import.meta.url), 'utf8'));
const updateScript = readScript('./session-store-update.lua');
const claimScript = readScript('./session-store-claim.lua');

/** Methods throw CB_REDIS_UNREACHABLE, CB_REDIS_REPLY, CB_PROPERTY_DELETING. */
export class SessionStore {
  readonly property: PropertyName;
  readonly name: string;
  readonly keys: SessionStoreKeys;
  readonly #connection: RedisConnection;
  /** The arguments of an update that are always the same. */
  readonly #head: string;
  readonly #place: string;

  constructor(connection: RedisConnection, property: PropertyName, name: string) {
    this.#connection = connection;
    this.property = property;
    this.name = name;
    this.keys = new PropertyKeys(property).sessionStore(name);
    const { generation, stores, seen, docs } = this.keys;
    this.#head = [generation, stores, seen, docs].map(bulk).join('');
    this.#place = bulk(name) + bulk(isImplicitStore(property, name) ? '1' : '0');
  }

  /**
   * Applies all operations, in their order, or none: one script. At most 1,000; 128 heartbeats of 500 bytes take
   * Redis about 1 ms, and 1,000 about 8 ms. Resolves with one outcome each, or undefined if there is no such store.
   */
  async apply(
    operations: readonly SessionOperation[],
    receivedMs: number,
  ): Promise<readonly SessionOutcome[] | undefined> {
    const request = this.#encode(operations, receivedMs);
    const reply = await this.#connection.runEncoded(updateScript, this.keys.generation, request);
    if (reply === 'NOSTORE') return undefined;
    if (reply === 'DELETING') throw this.#deleting();
    const outcomes = Array.from(String(reply), (letter) => outcomeOfLetter[letter] as SessionOutcome);
    if (String(reply).includes('c')) await this.#recall(operations, outcomes);
    return outcomes;
  }

  /**
   * Takes sessions for departed that were last updated until `untilMs` (epoch ms), the longest silent ones first.
   * The same heartbeat gets the same departure number, however often it is claimed.
   */
  async claim(untilMs: number, limit: number): Promise<DepartingSession[]> {
    const range = ['-inf', String(untilMs), 'BYSCORE', 'LIMIT', '0', String(limit), 'WITHSCORES'];
    const flat = (await this.#connection.call('ZRANGE', [this.keys.seen, ...range])) as string[];
    const ids = flat.filter((_text, index) => index % 2 === 0);
    const departing: DepartingSession[] = [];
    for (let at = 0; at < ids.length; at += claimSlice) {
      const slice = ids.slice(at, at + claimSlice);
      const lastUpdated = (index: number): string => timeText(Number(flat[2 * (at + index) + 1]));
      const records = await this.#runClaim('claim', await this.#withGone(slice, lastUpdated));
      for (const [index, record] of records.entries()) {
        const sessionId = slice[index];
        if (record.length > 0 && sessionId !== undefined)
          departing.push({ ...readSession(record), sessionId });
      }
    }
    return departing;
  }

  /** A session that was created may be one that came back. */
  async #recall(operations: readonly SessionOperation[], outcomes: readonly SessionOutcome[]): Promise<void> {
    const created = operations.flatMap((operation, index) =>
      operation.kind === 'upsert' && outcomes[index] === 'created' ? [operation.heartbeat.sessionId] : [],
    );
    const args = await this.#withGone(created, () => '');
    const returned = args.filter(([, , gone]) => gone !== '');
    if (returned.length > 0) await this.#runClaim('recall', returned);
  }

  async #withGone(
    ids: readonly string[],
    lastUpdated: (index: number) => string,
  ): Promise<readonly (readonly [id: string, lastUpdated: string, gone: string])[]> {
    const gone = (await this.#connection.call('MGET', ids.map(this.keys.gone))) as (string | null)[];
    return ids.map((id, index) => [id, lastUpdated(index), gone[index] ?? ''] as const);
  }

  async #runClaim(mode: 'claim' | 'recall', args: readonly (readonly string[])[]): Promise<Buffer[]> {
    const { generation, docs } = this.keys;
    const rest = ['2', generation, docs, mode, ...args.flat()];
    const reply = await this.#connection.callBuffer('EVAL', [claimScript.text, ...rest]);
    if (!Array.isArray(reply)) throw this.#deleting();
    return reply as Buffer[];
  }

  /** One text for all of it: a heartbeat costs the collector a concatenation and no object. */
  #encode(operations: readonly SessionOperation[], receivedMs: number): EncodedArguments {
    let keys = this.#head;
    let keyCount = 4;
    let texts = this.#place + bulk(timeText(receivedMs)) + bulk(String(goneSeconds));
    for (const operation of operations) {
      if (operation.kind === 'upsert') {
        texts += bulk(operation.heartbeat.sessionId) + bulk(heartbeatText(operation.heartbeat));
      } else {
        const { sessionId, lastUpdatedMs } = operation;
        keys += bulk(this.keys.gone(sessionId));
        keyCount += 1;
        texts += bulk(sessionId) + bulk(lastUpdatedMs === undefined ? '-' : `-${timeText(lastUpdatedMs)}`);
      }
    }
    const count = 1 + keyCount + 4 + 2 * operations.length;
    return { count, bytes: Buffer.from(bulk(String(keyCount)) + keys + texts) };
  }

  #deleting(): CrowdbeatError {
    const message = `property ${formatPropertyName(this.property)} is being deleted`;
    return new CrowdbeatError('CB_PROPERTY_DELETING', message);
  }
}

/** A bulk string in RESP. */
function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}
