/**
 * Files of one record a line that only grow. A line is on the disk before `appendLine` returns. A process that
 * is killed in the middle of one, or a disk that is full, leaves a torn last line. The reader passes over it and
 * says so; the next append ends it with a mark:
 *
 *   {"schema":"crowdbeat.bench-trial/1","trialId":"p01-B",…}
 *   {"schema":"crowdbeat.bench-trial/1","trialId":"p01-C","pai#torn
 *   {"schema":"crowdbeat.bench-trial/1","trialId":"p02-C",…}
 *
 * A line without the mark that is no record is a fault of the file, and an error. Nothing is ever cut off, so
 * two programs may add to one file.
 */
import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { CrowdbeatError, messageOf, systemCodeOf } from '../../server/base/errors.ts';
import { parseRecord, recordLine } from './schema.ts';
import type { Shape } from './shape.ts';

const tornMark = '#torn';

export interface Lines<T> {
  readonly records: readonly T[];
  /** What was passed over, in words; empty for a whole file. */
  readonly notes: readonly string[];
}

/** Throws CB_RECORD if the record doesn't keep its shape, CB_FILE if the disk doesn't take it. */
export function appendLine<T>(path: string, shape: Shape<T>, record: T): void {
  const line = Buffer.from(`${recordLine(shape, record, path)}\n`);
  try {
    appendDurably(path, line);
  } catch (error) {
    throw new CrowdbeatError('CB_FILE', `${path}: can't be added to: ${messageOf(error)}`, { cause: error });
  }
}

function appendDurably(path: string, line: Buffer): void {
  const file = openSync(path, 'a+');
  try {
    const whole = endsWithLineEnd(file) ? line : Buffer.concat([Buffer.from(`${tornMark}\n`), line]);
    for (let at = 0; at < whole.length; ) at += writeSync(file, whole, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function endsWithLineEnd(file: number): boolean {
  const sizeBytes = fstatSync(file).size;
  if (sizeBytes === 0) return true;
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, sizeBytes - 1);
  return last[0] === 0x0a;
}

/** A file that isn't there has no lines. Throws CB_RECORD, CB_RECORD_VERSION or CB_FILE. */
export function readLines<T>(path: string, shape: Shape<T>): Lines<T> {
  const lines = readTextOr(path, '').split('\n');
  const tail = lines.pop() ?? '';
  const notes: string[] = [];
  const records: T[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.endsWith(tornMark)) notes.push(`${path}:${index + 1}: a torn line was passed over`);
    else records.push(parseRecord(shape, line, path, index + 1));
  }
  // Without its line end even a line that looks whole was never reported as written.
  if (tail !== '') notes.push(`${path}:${lines.length + 1}: the last line is torn and was passed over`);
  return { records, notes };
}

/** Throws CB_FILE for anything but a missing file. */
export function readTextOr(path: string, missing: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return missing;
    throw new CrowdbeatError('CB_FILE', `${path}: can't be read: ${messageOf(error)}`, { cause: error });
  }
}
