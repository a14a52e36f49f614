/** Files that are one record: read whole, and replaced whole or not at all. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { CrowdbeatError, messageOf } from '../../server/base/errors.ts';
import { parseRecord } from './schema.ts';
import { recordAt, type Shape } from './shape.ts';

/** Makes the directory too. Throws CB_RECORD if the record doesn't keep its shape, CB_FILE if it can't be written. */
export function writeRecord<T>(path: string, shape: Shape<T>, record: T): void {
  const proven = shape(record, recordAt(path, true));
  const partial = `${path}.${process.pid}.partial`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeDurably(partial, `${JSON.stringify(proven, null, 2)}\n`);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw new CrowdbeatError('CB_FILE', `${path}: can't be written: ${messageOf(error)}`, { cause: error });
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'w');
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Throws CB_FILE if it isn't there or can't be read, CB_RECORD or CB_RECORD_VERSION for what it holds. */
export function readRecord<T>(path: string, shape: Shape<T>): T {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CrowdbeatError('CB_FILE', `${path}: can't be read: ${messageOf(error)}`, { cause: error });
  }
  return parseRecord(shape, text, path);
}
