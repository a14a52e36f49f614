/** What the commit script says, proven once. The head of commit.lua lists the three replies. */
import assert from 'node:assert/strict';
import type { CommitOutcome } from './event-record.ts';

/** Which data the caches of a collector speak of; empty texts expect nothing. */
export interface DataIdentity {
  readonly generation: string;
  readonly replicationId: string;
}

export type CommitReply =
  | { readonly kind: 'stale' }
  | {
      readonly kind: 'ok';
      readonly identity: DataIdentity;
      readonly baseOrdinal: number;
      readonly visitorIds: readonly number[];
    }
  | {
      readonly kind: 'again';
      readonly identity: DataIdentity;
      readonly baseOrdinal: number;
      readonly nextVisitorId: number;
      /** By position in the batch; an event that is missing is clean. */
      readonly outcomes: ReadonlyMap<number, CommitOutcome>;
      /** Per session of the request; empty = say everything of it. */
      readonly days: readonly string[];
      /** Per unknown visitor of the request; -1 = new. */
      readonly visitorIds: readonly number[];
    };

const outcomeOfStatus: Record<number, CommitOutcome> = {
  1: 'duplicate',
  2: 'too_old',
  3: 'seq_jump',
  4: 'too_many_tabs',
};

export function parseCommitReply(reply: unknown): CommitReply {
  assert(Array.isArray(reply), 'commit script: the reply is no list');
  if (reply[0] === 'stale') return { kind: 'stale' };
  if (reply[0] === 'ok') {
    const identity = { generation: String(reply[2]), replicationId: String(reply[3]) };
    return { kind: 'ok', identity, baseOrdinal: Number(reply[1]), visitorIds: list(reply[4]).map(Number) };
  }
  assert.equal(reply[0], 'again', 'commit script: unknown reply');
  return {
    kind: 'again',
    baseOrdinal: Number(reply[1]),
    nextVisitorId: Number(reply[2]),
    identity: { generation: String(reply[3]), replicationId: String(reply[4]) },
    outcomes: parseStatuses(list(reply[5])),
    days: list(reply[6]).map(String),
    visitorIds: list(reply[7]).map(Number),
  };
}

function parseStatuses(flat: readonly unknown[]): Map<number, CommitOutcome> {
  const outcomes = new Map<number, CommitOutcome>();
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const outcome = outcomeOfStatus[Number(flat[i + 1])];
    assert(outcome !== undefined, `commit script: unknown status ${String(flat[i + 1])}`);
    outcomes.set(Number(flat[i]), outcome);
  }
  return outcomes;
}

function list(value: unknown): readonly unknown[] {
  assert(Array.isArray(value), 'commit script: a list is missing in the reply');
  return value;
}
