/** `crowdbeat report`: a run's or a session's folder as one HTML file. */
import { existsSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import { type Comparison, compareSession, comparisonShape } from '../compare/index.ts';
import { BenchPlaces, placesIn, readIndex, readRecord, readSession } from '../record/index.ts';
import { pageHtml } from './page/html.ts';
import type { Page } from './page/model.ts';
import { isRun, runPage } from './page/run-page.ts';
import { sessionPage } from './page/session-page.ts';
import type { Reported } from './reported.ts';

/** @param tool version of this program, for comparisons that are made anew */
export function readReported(directory: string, tool: string): Reported {
  const stored = readSession(directory);
  const { comparison } = placesIn(directory);
  const known: Comparison = existsSync(comparison)
    ? readRecord(comparison, comparisonShape)
    : compareSession(stored, { tool });
  return { stored, comparison: known };
}

/** The page of a folder of either kind. Throws CB_FILE, CB_RECORD or CB_RECORD_VERSION. */
export function pageOf(directory: string, tool: string): Page {
  if (existsSync(placesIn(directory).session)) {
    // The index lies beside the sessions, in results/bench.
    const { entries } = readIndex(new BenchPlaces(dirname(dirname(directory))));
    return sessionPage({ reported: readReported(directory, tool), places: placesIn(directory), entries });
  }
  if (isRun(directory)) return runPage(directory);
  throw new CrowdbeatError(
    'CB_FILE',
    `${directory}: needs the folder of a run (run.json, intervals.hlog) or of a session (session.json)`,
  );
}

/** Where a run or session is meant by its name alone. */
export function findResult(name: string, resultsDirectory: string): string {
  const places = [name, join(resultsDirectory, name), join(resultsDirectory, 'bench', name)];
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return basename(found) === 'run.json' ? dirname(found) : found;
  throw new CrowdbeatError('CB_FILE', `${name}: is neither a folder nor a result in ${resultsDirectory}`);
}

export interface ReportOptions {
  readonly directory: string;
  readonly file: string;
  readonly tool: string;
  /** ISO 8601. */
  readonly madeAt: string;
}

/** Writes the page; gives its size in bytes. Throws CB_FILE too if it can't be written. */
export function writeReport({ directory, file, tool, madeAt }: ReportOptions): number {
  const html = pageHtml(pageOf(directory, tool), madeAt);
  try {
    writeFileSync(file, html);
  } catch (error) {
    throw new CrowdbeatError('CB_FILE', `${file}: can't be written: ${messageOf(error)}`, { cause: error });
  }
  return Buffer.byteLength(html);
}
