/** Which build this is: one hash over the programs below a directory and over the packages they use. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const programPattern = /\.(?:js|mjs|lua|ts)$/;
const otherPattern = /\.(?:test|testing)\.ts$|\.d\.ts$/;

/** Where package-lock.json may lie: beside `server/`, or beside `dist/` with `server/` in it. */
const lockPlaces = ['../package-lock.json', '../../package-lock.json'];

/**
 * `sha256:…` over path and content of every program below `<directory>/server` and over package-lock.json.
 * Some 50 ms. Undefined if there is no such directory.
 *
 * @param directory the folder that holds `server/`: `dist`, or the root of the sources
 */
export function buildHashOf(directory: string): string | undefined {
  const server = join(directory, 'server');
  if (!existsSync(server)) return undefined;
  const hash = createHash('sha256');
  for (const file of programsBelow(server)) {
    const content = readFileSync(join(server, file));
    // Lengths keep the end of one file from passing as the start of the next.
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  const lock = lockPlaces.map((place) => join(server, place)).find((path) => existsSync(path));
  if (lock !== undefined) hash.update(readFileSync(lock));
  return `sha256:${hash.digest('hex')}`;
}

function programsBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && programPattern.test(entry.name) && !otherPattern.test(entry.name))
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}
