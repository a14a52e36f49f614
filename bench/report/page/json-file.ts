/** A file of JSON that holds an object. */
import { readFileSync } from 'node:fs';
import { CrowdbeatError, messageOf } from '../../../server/base/errors.ts';
import type { Json } from './json-rows.ts';

/** Throws CB_FILE if it can't be read, CB_RECORD if it is no JSON object. */
export function readJsonFile(path: string): Json {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CrowdbeatError('CB_FILE', `${path}: can't be read: ${messageOf(error)}`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CrowdbeatError('CB_RECORD', `${path}: needs JSON: ${messageOf(error)}`, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new CrowdbeatError(
    'CB_RECORD',
    `${path}: needs a JSON object, got ${JSON.stringify(value).slice(0, 60)}`,
  );
}
