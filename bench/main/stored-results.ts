/** Results that are on the disk already, as arms of a comparison: a session, or `baseline:main`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Baseline,
  type BenchPlaces,
  baselineShape,
  placesIn,
  readRecord,
  readSession,
  type StoredSession,
} from '../record/index.ts';

const baselinePrefix = 'baseline:';

/** Undefined if the name is none of a stored result. Throws CB_FILE, CB_RECORD or CB_RECORD_VERSION for one that can't be read. */
export function storedResult(name: string, places: BenchPlaces): StoredSession | undefined {
  if (name.startsWith(baselinePrefix)) {
    const pointer: Baseline = readRecord(places.baseline(name.slice(baselinePrefix.length)), baselineShape);
    return readSession(places.session(pointer.sessionId).directory);
  }
  const directory = [name, join(places.root, name)].find((place) => existsSync(placesIn(place).session));
  return directory === undefined ? undefined : readSession(directory);
}
