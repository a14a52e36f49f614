/**
 * What a collector's answer means for the one event that was sent.
 *
 * `retry`: surely not stored now, or not known; sending the same event (same `event.seq`) again is safe.
 * `final`: the fate is known.
 */
import type { WriteReply } from '../../server/protocol/replies.ts';

export type Fate = 'accepted' | 'duplicate' | 'rejected' | 'retry';

export interface WriteOutcome {
  readonly fate: Fate;
  /** Why, when the event was rejected or must be sent again: a reason of the protocol, or `http <status>`. */
  readonly reason: string;
}

const accepted: WriteOutcome = { fate: 'accepted', reason: '' };
const duplicate: WriteOutcome = { fate: 'duplicate', reason: '' };

/** Statuses after which the same request may be sent again: the target says "not now". */
export const retryStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The answer of nearly every write; compared as text, so that it costs no parsing. */
const acceptedPrefix = '{"durability":"stored","accepted":1,';

/** Reads the answer to a write of one event. */
export function readWriteOutcome(status: number, body: string): WriteOutcome {
  if (status === 200 && body.startsWith(acceptedPrefix)) return accepted;
  if (retryStatuses.has(status)) return { fate: 'retry', reason: `http ${status}` };
  const reply = parseWriteReply(body);
  if (reply === undefined) {
    // A 2xx that is no reply of a collector says nothing about the event; another status is a refusal.
    return {
      fate: status < 300 ? 'retry' : 'rejected',
      reason: status < 300 ? 'not a write reply' : `http ${status}`,
    };
  }
  if (reply.accepted + reply.duplicates + reply.rejected !== 1)
    return { fate: 'retry', reason: 'not a write reply' };
  if (reply.accepted === 1) return accepted;
  if (reply.duplicates === 1) return duplicate;
  return { fate: 'rejected', reason: reply.results[0]?.reason ?? `http ${status}` };
}

function parseWriteReply(body: string): WriteReply | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isWriteReply(value) ? value : undefined;
  } catch {
    // Not JSON: the caller treats it as "no reply of a collector".
    return undefined;
  }
}

function isWriteReply(value: unknown): value is WriteReply {
  if (typeof value !== 'object' || value === null) return false;
  const { accepted, duplicates, rejected, results } = value as Record<string, unknown>;
  return [accepted, duplicates, rejected].every(Number.isInteger) && Array.isArray(results);
}
