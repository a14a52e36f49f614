/**
 * The geo part of `crowdbeat setup`. It needs 12 s and most of a gigabyte, once; where that is not to be had, the
 * collector works without places. So it runs in a thread of its own, whose lack of memory ends nothing else.
 */
import { Worker } from 'node:worker_threads';
import { messageOf } from '../server/base/errors.ts';
import { findPackagedDatabase, geoPackage } from '../server/ingest/enrich/packaged-database.ts';

const heapMbMax = 2048;

/** Says what came of it; rejects never. */
export async function setUpGeo(log: (line: string) => void): Promise<void> {
  const found = findPackagedDatabase();
  if (found === undefined) {
    log(`no geo database, events get no place: the package ${geoPackage} is not installed`);
    return;
  }
  try {
    if (!found.isMade) {
      log('making the geo database, once, about 15 s …');
      await makeInThread();
    }
    log(`geo database: ${found.file} (IP Geolocation by DB-IP, https://db-ip.com)`);
  } catch (thrown) {
    log(`no geo database, events get no place: it could not be made: ${messageOf(thrown)}`);
  }
}

function makeInThread(): Promise<void> {
  const program = new URL('../server/ingest/enrich/make-database.js', import.meta.url);
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { resourceLimits: { maxOldGenerationSizeMb: heapMbMax } });
    worker.once('error', reject);
    worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`it ended with code ${code}`))));
  });
}
