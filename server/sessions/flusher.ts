/**
 * The flusher: finds sessions that fell silent, writes one event for each, and takes them out of the store.
 *
 * States of a departed session, and who moves it:
 *
 *   silent --claim--> claimed --write--> written --end--> gone
 *
 * Every step may be done again, by anybody: a claim gives the same number, a write is a duplicate, an end finds
 * nothing to delete. So any number of flushers may run, and one that dies between two steps leaves the rest to the
 * others, or to itself when it comes back. A heartbeat that comes between claim and end makes the end do nothing:
 * the session goes on, with its departure on record, and departs another time.
 */
import type { WriteReply } from '../protocol/replies.ts';
import type { SessionDocument } from './session-document.ts';
import {
  type DepartedSession,
  isBot,
  readDeparted,
  type TimeoutForm,
  timeoutEvent,
} from './timeout-event.ts';

/** Where the sessions are. All methods throw CrowdbeatError when it can't be done now. */
export interface FlushTarget {
  /** Claims sessions that were silent for so long, the longest silent first. */
  claim(silentMs: number, limit: number): Promise<readonly SessionDocument[]>;
  /** @param areBots what the sessions' visitors were taken for; the events' visitors are taken for the same */
  write(events: readonly Record<string, unknown>[], areBots: boolean): Promise<WriteReply>;
  /** Deletes each session unless it was updated since. */
  end(sessions: readonly { readonly id: string; readonly lastUpdated: number }[]): Promise<void>;
}

export interface FlushReport {
  /** Sessions whose departure this flusher was the first to write. */
  readonly written: number;
  /** Sessions whose departure somebody else had written already. */
  readonly duplicates: number;
  /** Sessions that no form of the event was accepted for, with the collector's reasons. They are gone all the same. */
  readonly refused: readonly string[];
}

const sessionsMax = 100;
/** Of events in one write; a body may hold a mebibyte. */
const writeBytesMax = 900_000;
const eventsMax = 200;
const refusedShown = 20;

/** Flushes all that has departed by now. `say` gets one line for each batch. */
export async function flush(
  target: FlushTarget,
  silentMs: number,
  say: (line: string) => void,
): Promise<FlushReport> {
  const report = { written: 0, duplicates: 0, refused: [] as string[] };
  for (;;) {
    const documents = await target.claim(silentMs, sessionsMax);
    const departed = documents.map(readDeparted).filter((session) => session !== undefined);
    if (departed.length > 0) {
      say(`Preparing to flush ${departed.length} ${departed.length === 1 ? 'session' : 'sessions'}`);
      await writeAll(target, departed, report);
      await target.end(
        departed.map(({ sessionId, facts }) => ({ id: sessionId, lastUpdated: facts.lastUpdated })),
      );
    }
    if (documents.length < sessionsMax) return report;
  }
}

interface OpenReport {
  written: number;
  duplicates: number;
  readonly refused: string[];
}

/** Writes each session's event in the first form that is accepted. */
async function writeAll(
  target: FlushTarget,
  departed: readonly DepartedSession[],
  report: OpenReport,
): Promise<void> {
  let left: readonly Refused[] = departed.map((session) => ({ session, reason: '' }));
  for (const form of ['whole', 'least', 'unnumbered'] satisfies TimeoutForm[]) {
    const refused: Refused[] = [];
    for (const areBots of [false, true]) {
      const some = left.filter(({ session }) => isBot(session) === areBots);
      for (const batch of batchesOf(some, form))
        refused.push(...(await writeBatch(target, batch, areBots, report)));
    }
    left = refused;
    if (left.length === 0) return;
  }
  for (const { session, reason } of left.slice(0, refusedShown - report.refused.length))
    report.refused.push(`session ${session.sessionId}: ${reason}`);
}

interface Refused {
  readonly session: DepartedSession;
  readonly reason: string;
}

interface Written {
  readonly session: DepartedSession;
  readonly event: Record<string, unknown>;
}

function* batchesOf(left: readonly Refused[], form: TimeoutForm): Generator<readonly Written[]> {
  let batch: Written[] = [];
  let bytes = 0;
  for (const { session } of left) {
    const event = timeoutEvent(session, form);
    const eventBytes = Buffer.byteLength(JSON.stringify(event)) + 1;
    if (batch.length > 0 && (batch.length === eventsMax || bytes + eventBytes > writeBytesMax)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push({ session, event });
    bytes += eventBytes;
  }
  if (batch.length > 0) yield batch;
}

/** Gives the sessions whose event was rejected. */
async function writeBatch(
  target: FlushTarget,
  batch: readonly Written[],
  areBots: boolean,
  report: OpenReport,
): Promise<Refused[]> {
  const reply = await target.write(
    batch.map(({ event }) => event),
    areBots,
  );
  report.written += reply.accepted;
  report.duplicates += reply.duplicates;
  return reply.results.flatMap(({ index, status, reason = 'rejected', message = reason }) => {
    const session = batch[index]?.session;
    return status === 'rejected' && session !== undefined ? [{ session, reason: message }] : [];
  });
}
