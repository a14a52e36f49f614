/**
 * NDJSON, one event per line. Every line is judged alone, also when it is no JSON: a log shipper that cuts one
 * line short must not lose the thousand around it.
 */
import { isUtf8 } from 'node:buffer';
import { limits } from '../protocol/limits.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import type { AcceptedItem } from './accept.ts';
import type { Receipt } from './enrich.ts';
import { readEvent } from './read-event.ts';

/** One item per line that is not blank, in their order; or the reply that refuses the body as a whole. */
export function acceptLines(body: Buffer, receipt: Receipt): AcceptedItem[] | ErrorReply {
  if (!isUtf8(body)) return { status: 400, code: 'not_utf8', message: 'the body is not UTF-8' };
  const items: AcceptedItem[] = [];
  const text = body.toString('utf8');
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end).trim();
    start = end + 1;
    if (line === '') continue;
    if (items.length === limits.eventsPerWriteMax) return tooMany;
    items.push(readLine(line, receipt));
  }
  return items;
}

const tooMany: ErrorReply = {
  status: 413,
  code: 'too_many_events',
  message: `a write holds at most ${limits.eventsPerWriteMax} events, got more lines`,
};

function readLine(line: string, receipt: Receipt): AcceptedItem {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // SyntaxError is the only thing JSON.parse throws.
    return 'not_json';
  }
  return readEvent(value, line, receipt);
}
