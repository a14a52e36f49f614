/**
 * A session on disk. Trials are added as they finish, so that a bench that is killed leaves every finished one:
 *
 *   begin: session.json without end and verdict  ->  add (any number of times)  ->  end: session.json whole,
 *   one line in the index
 */
import { mkdirSync } from 'node:fs';
import { CrowdbeatError, messageOf, systemCodeOf } from '../../server/base/errors.ts';
import { appendLine, readLines } from './json-lines.ts';
import { type BenchPlaces, placesIn, type SessionPlaces } from './places.ts';
import { type IndexEntry, indexEntryShape, type Session, sessionShape } from './session.ts';
import { type Trial, trialShape } from './trial.ts';
import { readRecord, writeRecord } from './whole-file.ts';

export interface StoredSession {
  readonly session: Session;
  readonly trials: readonly Trial[];
  /** What to know of the files: a session that never ended, a torn line. */
  readonly notes: readonly string[];
}

export class SessionWriter {
  readonly places: SessionPlaces;
  readonly #index: string;
  #session: Session;

  /** Makes the session's directory. Throws CB_FILE if there is one of that name: sessions are never written over. */
  constructor(places: BenchPlaces, session: Session) {
    this.places = places.session(session.id);
    this.#index = places.index;
    this.#session = session;
    makeDirectory(places.root, this.places);
    writeRecord(this.places.session, sessionShape, session);
  }

  /** On the disk when this returns. Throws CB_RECORD or CB_FILE. */
  add(trial: Trial): void {
    appendLine(this.places.trials, trialShape, trial);
  }

  /** Writes how it ended and adds the session to the index. */
  end(ending: Pick<Session, 'endedAt' | 'guards' | 'verdict'>, entry: IndexEntry): void {
    this.#session = { ...this.#session, ...ending };
    writeRecord(this.places.session, sessionShape, this.#session);
    appendLine(this.#index, indexEntryShape, entry);
  }
}

function makeDirectory(root: string, places: SessionPlaces): void {
  try {
    mkdirSync(root, { recursive: true });
    mkdirSync(places.directory);
    mkdirSync(places.hlogDirectory);
  } catch (error) {
    const why = systemCodeOf(error) === 'EEXIST' ? 'there is a session of this name' : messageOf(error);
    throw new CrowdbeatError('CB_FILE', `${places.directory}: can't be made: ${why}`, { cause: error });
  }
}

/**
 * The session in a directory. Throws CB_FILE, CB_RECORD (a trial twice, or of a pair that isn't in the plan, too)
 * or CB_RECORD_VERSION.
 */
export function readSession(directory: string): StoredSession {
  const places = placesIn(directory);
  const session = readRecord(places.session, sessionShape);
  const { records: trials, notes } = readLines(places.trials, trialShape);
  checkTrials(session, trials, places.trials);
  const unfinished =
    session.endedAt === null ? [`${directory}: the session never ended; its finished trials are used`] : [];
  return { session, trials, notes: [...unfinished, ...notes] };
}

function checkTrials(session: Session, trials: readonly Trial[], file: string): void {
  const seen = new Set<string>();
  for (const { trialId, pair, arm } of trials) {
    const fault = (rule: string, got: string): never => {
      throw new CrowdbeatError('CB_RECORD', `${file}: trial ${trialId}: needs ${rule}, got ${got}`);
    };
    if (seen.has(`${pair} ${arm}`))
      fault('to be the only one of its pair and arm', `pair ${pair}, arm ${arm} again`);
    seen.add(`${pair} ${arm}`);
    if (pair < 1 || pair > session.plan.order.length)
      fault(`a pair from 1 to ${session.plan.order.length}, as planned`, String(pair));
  }
}

/** Every session that ended, oldest first. Throws CB_RECORD or CB_FILE. */
export function readIndex(places: BenchPlaces): { entries: readonly IndexEntry[]; notes: readonly string[] } {
  const { records, notes } = readLines(places.index, indexEntryShape);
  const entries = [...records].sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
  return { entries, notes };
}
