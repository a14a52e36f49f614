/**
 * The body of one `POST /write` becomes events: `{"items":[…]}`, a bare array, or one event object.
 *
 * The body as a whole can be refused (no UTF-8, no JSON, too many events); within a good body every event
 * is judged alone, so that one bad event does not take its neighbours with it.
 */
import { isUtf8 } from 'node:buffer';
import type { RejectReason } from '../protocol/event.ts';
import { limits } from '../protocol/limits.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import type { EventRecord } from '../store/event-record.ts';
import type { Receipt } from './enrich.ts';
import { jsonErrorPosition } from './json-position.ts';
import { readEvent } from './read-event.ts';
import { type WriteWords, wordsOfMembers, writeWordNames } from './write-words.ts';

/** A proven event, or (a text) the reason why it was rejected. */
export type AcceptedItem = EventRecord | RejectReason;

/** The items of a write that says how it wants to be written. */
export interface AcceptedWrite {
  readonly items: AcceptedItem[];
  readonly words: WriteWords;
}

/** One item per event of the body, in its order; or the reply that refuses the body as a whole. */
export function acceptBody(body: Buffer, receipt: Receipt): AcceptedItem[] | AcceptedWrite | ErrorReply {
  if (!isUtf8(body)) return refuse(400, 'not_utf8', 'the body is not UTF-8');
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse(400, 'bad_json', `the body is not JSON: ${describeError(text)}`);
  }
  if (Array.isArray(value)) return readAll(value, receipt);
  return isEnvelope(value) ? readEnvelope(value, receipt) : [readEvent(value, text, receipt)];
}

/** `items` makes an envelope, unless there is an `event` too: an event may have a member of that name. */
function isEnvelope(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'items' in value && !('event' in value);
}

const envelopeNames: readonly string[] = ['items', ...writeWordNames];

function readEnvelope(
  envelope: Record<string, unknown>,
  receipt: Receipt,
): AcceptedItem[] | AcceptedWrite | ErrorReply {
  const unknownName = Object.keys(envelope).find((name) => !envelopeNames.includes(name));
  if (unknownName !== undefined) {
    return refuse(
      400,
      'bad_body',
      `beside ${envelopeNames.join(', ')} no other member is known, got "${unknownName.slice(0, 100)}"`,
    );
  }
  const { items } = envelope;
  if (!Array.isArray(items)) return refuse(400, 'bad_body', '"items" must be an array of events');
  const words = wordsOfMembers(envelope);
  if (words !== undefined && 'status' in words) return words;
  const read = readAll(items, receipt);
  return words === undefined || !Array.isArray(read) ? read : { items: read, words };
}

function readAll(values: readonly unknown[], receipt: Receipt): AcceptedItem[] | ErrorReply {
  if (values.length > limits.eventsPerWriteMax) {
    return refuse(
      413,
      'too_many_events',
      `a write holds at most ${limits.eventsPerWriteMax} events, got ${values.length}`,
    );
  }
  return values.map((value) => readEvent(value, undefined, receipt));
}

function describeError(text: string): string {
  const position = jsonErrorPosition(text) ?? 0;
  const found =
    position < text.length ? JSON.stringify(text.slice(position, position + 12)) : 'end of the body';
  return `unexpected ${found} at position ${position}`;
}

function refuse(status: number, code: string, message: string): ErrorReply {
  return { status, code, message };
}
