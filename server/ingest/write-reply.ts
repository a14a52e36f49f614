/** What became of the events of one write, as the JSON text of a `WriteReply`. */
import { rejectReasons } from '../protocol/event.ts';
import type { Durability, EventResult, WriteReply } from '../protocol/replies.ts';
import type { CommitOutcome } from '../store/event-record.ts';
import type { AcceptedItem } from './accept.ts';

export interface WriteAnswer {
  readonly status: 200 | 400;
  readonly json: string;
}

const none: readonly EventResult[] = [];

/** The answer that nearly every request gets: one event, accepted. */
export const oneAccepted: WriteAnswer = {
  status: 200,
  json: JSON.stringify({
    durability: 'stored',
    accepted: 1,
    duplicates: 0,
    rejected: 0,
    results: none,
  } satisfies WriteReply),
};

/**
 * @param items what `acceptBody` gave
 * @param outcomes what the store said of the items that are events, in their order
 */
export function writeAnswer(
  items: readonly AcceptedItem[],
  outcomes: readonly CommitOutcome[],
  durability: Durability = 'stored',
): WriteAnswer {
  if (items.length === 1 && outcomes[0] === 'accepted' && durability === 'stored') return oneAccepted;
  const results: EventResult[] = [];
  let duplicates = 0;
  let next = 0;
  for (const [index, item] of items.entries()) {
    const outcome = typeof item === 'string' ? item : outcomes[next++];
    if (outcome === undefined) throw new RangeError(`no outcome for event ${index} of ${items.length}`);
    if (outcome === 'accepted') continue;
    if (outcome === 'duplicate') {
      duplicates += 1;
      results.push({ index, status: 'duplicate' });
    } else {
      results.push({ index, status: 'rejected', reason: outcome, message: rejectReasons[outcome] });
    }
  }
  const rejected = results.length - duplicates;
  const accepted = items.length - results.length;
  const reply: WriteReply = { durability, accepted, duplicates, rejected, results };
  const isAllRejected = rejected > 0 && rejected === items.length;
  return { status: isAllRejected ? 400 : 200, json: JSON.stringify(reply) };
}

/** The answer to a write whose events are queued, or only checked: those that are good are taken for accepted. */
export function answerAtOnce(items: readonly AcceptedItem[], durability: 'queued' | 'none'): WriteAnswer {
  const good = items.filter((item) => typeof item !== 'string');
  return writeAnswer(
    items,
    good.map(() => 'accepted' as const),
    durability,
  );
}
