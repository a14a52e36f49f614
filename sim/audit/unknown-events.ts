/**
 * What became of events whose answer never came: stored or not. The collector is asked for each by session, tab and
 * number, many in one question.
 *
 * What it has is stored. What it has not is asked for once more a moment later, because the request may still be on its way
 * through it; then it is absent for good: its connection is closed, and nobody sends it again.
 */
import type { EventName, UnknownEvent } from '../worker/unknown-acts.ts';
import type { CollectorApi } from './collector-api.ts';

/** True: stored. False: surely not. Null: nobody can say. */
export type Resolution = boolean | null;

/** A question may be 16,384 bytes long and have 1,000 values; an event takes about 85 bytes and 3 values. */
const eventsPerQuestion = 150;
/** Each question looks through all events that are kept. */
const eventsMax = 30_000;
const againAfterMs = 1000;

/** The question that finds one event. */
export function eventClause({ sessionId, tab, seq }: EventName): string {
  return `session.id:${JSON.stringify(sessionId)} AND tab.id:"${tab}" AND event.seq:${seq}`;
}

const nameOf = ({ sessionId, tab, seq }: EventName): string => `${sessionId} ${tab} ${seq}`;

/**
 * @param isOver asked before each question: true ends the asking
 * @returns in the order of the events; null where the target has no `/query`, did not answer, or the event is a heartbeat
 * of a session store
 */
export async function resolveUnknown(
  api: CollectorApi,
  events: readonly UnknownEvent[],
  isOver: () => boolean = () => false,
): Promise<Resolution[]> {
  const resolutions: Resolution[] = events.map(() => null);
  const asked = events.flatMap((event, place) => (event.isForStore ? [] : [{ event, place }]));
  let open = asked.slice(0, eventsMax);
  for (const isLast of [false, true]) {
    const missing: typeof open = [];
    for (let at = 0; at < open.length && !isOver(); at += eventsPerQuestion) {
      const some = open.slice(at, at + eventsPerQuestion);
      const found = await whichAreStored(
        api,
        some.map(({ event }) => event),
      );
      if (found === undefined) return resolutions;
      for (const one of some) {
        const isStored = found.has(nameOf(one.event));
        if (isStored || isLast) resolutions[one.place] = isStored;
        else missing.push(one);
      }
    }
    open = missing;
    if (open.length === 0) break;
    if (!isLast) await new Promise((resolve) => setTimeout(resolve, againAfterMs));
  }
  return resolutions;
}

/** Undefined: the target can't be asked. */
async function whichAreStored(
  api: CollectorApi,
  events: readonly EventName[],
): Promise<Set<string> | undefined> {
  const q = events.map((event) => `(${eventClause(event)})`).join(' OR ');
  // A collector that counted one twice has two documents of it.
  const rows = events.length * 3;
  const answer = await api
    .query({ q, rows, fl: 'session.id,tab.id,event.seq' })
    .catch(() => undefined /* away, or it refuses: they stay unknown, which the audit says */);
  if (answer === undefined) return undefined;
  return new Set(answer.docs.map((document) => nameOf(readName(document))));
}

function readName(document: Readonly<Record<string, unknown>>): EventName {
  const { session, tab, event } = document as {
    session?: { id?: string };
    tab?: { id?: string };
    event?: { seq?: number };
  };
  return { sessionId: session?.id ?? '', tab: Number(tab?.id), seq: Number(event?.seq) };
}
