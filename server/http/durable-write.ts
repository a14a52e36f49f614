/**
 * Writes that ask for more than `stored`: they are stored as any other, in the same commits, and answered when their
 * Redis has confirmed that they are on its disk or on a replica. Nobody else waits for that.
 *
 *   refused   Redis can't promise it: 409 before anything is stored
 *   stored    and confirmed: the reply names the durability
 *   stored    and not confirmed: 503; sent again its events are duplicates, and confirmed as such
 */
import type { AcceptedItem } from '../ingest/accept.ts';
import type { Batcher, WriteRefusal } from '../ingest/batcher.ts';
import type { Intake } from '../ingest/intake.ts';
import { writeAnswer } from '../ingest/write-reply.ts';
import type { AskedDurability } from '../protocol/durability.ts';
import type { PropertyName } from '../protocol/property.ts';
import { type Confirmations, notConfirmed } from '../store/durability.ts';
import type { EventRecord } from '../store/event-record.ts';
import { type Answer, errorAnswer } from './answer.ts';

export interface DurableWritesOptions {
  readonly intake: Intake;
  readonly batcher: Pick<Batcher, 'lineageOf'>;
  /** Connects when it is first asked. Rejects with CB_REDIS_UNREACHABLE. */
  readonly confirmations: () => Promise<Confirmations>;
}

export class DurableWrites {
  readonly #options: DurableWritesOptions;

  constructor(options: DurableWritesOptions) {
    this.#options = options;
  }

  /**
   * @param items what the body gave, of which `records` are the good ones
   * @returns the answer, or what the intake says of a write that it does not take
   * @throws what the commit threw, CB_NOT_REPLICATED, CB_NOT_FSYNCED
   */
  async write(
    property: PropertyName,
    items: readonly AcceptedItem[],
    records: readonly EventRecord[],
    asked: AskedDurability,
  ): Promise<Answer | WriteRefusal> {
    const { intake, batcher } = this.#options;
    const confirmations = await this.#options.confirmations();
    const reason = await confirmations.refusal(property, asked);
    if (reason !== undefined) return unsupported(asked, reason);
    const before = batcher.lineageOf(property);
    const pending = intake.write(property, records);
    if (typeof pending === 'string') return pending;
    const outcomes = await pending;
    if (records.length > 0) {
      const { changes, replicationId } = batcher.lineageOf(property);
      // A write may take several commits: all of them must have gone to the node that is asked.
      if (changes !== before.changes) throw notConfirmed(property, asked, 'the node was replaced');
      await confirmations.confirm(property, asked, replicationId);
    }
    return writeAnswer(items, outcomes, asked);
  }
}

export function unsupported(asked: AskedDurability, reason: string): Answer {
  const message = `durability=${asked} can't be promised, so nothing was stored: ${reason}`;
  return errorAnswer({ status: 409, code: 'durability_unsupported', message });
}
