/** What a collector's answer to `POST /session/update` means for the one heartbeat that was sent. */
import { retryStatuses, type WriteOutcome } from './write-outcome.ts';

const accepted: WriteOutcome = { fate: 'accepted', reason: '' };

/**
 * 204 is all that an update with one heartbeat is acknowledged by; one that is sent again after an answer got lost
 * is older than what is stored, changes nothing, and is acknowledged too.
 */
export function readHeartbeatOutcome(status: number, body: string): WriteOutcome {
  if (status === 204) return accepted;
  if (retryStatuses.has(status)) return { fate: 'retry', reason: `http ${status}` };
  if (status < 300) return { fate: 'retry', reason: 'not a session reply' };
  return { fate: 'rejected', reason: codeIn(body) ?? `http ${status}` };
}

function codeIn(body: string): string | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const code = typeof value === 'object' && value !== null && 'code' in value ? value.code : undefined;
    return typeof code === 'string' ? code : undefined;
  } catch {
    // Not JSON, so no refusal of a collector: the status is all that is known.
    return undefined;
  }
}
