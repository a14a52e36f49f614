/** Whom `crowdbeat serve` lets in: nobody without a token, or everybody; and who is the first to have one. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Argv } from 'yargs';
import type { AccessMode } from '../server/access/authorize.ts';
import { hasAccounts, makeFirstAdmin, randomPassword } from '../server/access/first-admin.ts';
import { systemClock } from '../server/base/clock.ts';
import { CrowdbeatError, messageOf } from '../server/base/errors.ts';
import { defaultProperty } from '../server/protocol/property.ts';
import { connectRedis } from '../server/store/connection.ts';

export interface AccessArguments {
  readonly open?: boolean | undefined;
  readonly closed?: boolean | undefined;
}

const loopback = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

export const accessOptions = <T>(yargs: Argv<T>) =>
  yargs
    .option('open', {
      type: 'boolean',
      describe: 'ask nobody for a token (default on loopback with the embedded Redis)',
    })
    .option('closed', { type: 'boolean', describe: 'ask everybody for a token (default otherwise)' });

/** Throws CB_OPTION when both are asked for. */
export function resolveAccess(
  { open = false, closed = false }: AccessArguments,
  host: string,
  redisUrl: string | undefined,
): AccessMode {
  if (open && closed)
    throw new CrowdbeatError('CB_OPTION', '--open, --closed: only one of them can be, got both');
  if (open) return 'open';
  return closed || redisUrl !== undefined || !loopback.test(host) ? 'closed' : 'open';
}

/** For the line that says where it listens. */
export function accessWords(mode: AccessMode): string {
  return mode === 'open'
    ? 'OPEN: nobody is asked for a token, whoever can reach it may write and read'
    : 'closed: a token or a publish key is needed';
}

export interface AccessPlace {
  readonly redisUrl: string;
  readonly isEmbedded: boolean;
  readonly mode: AccessMode;
  /** Where the credentials of the first admin go. */
  readonly credentialsPath: string;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Makes the first admin of a Redis that has no account: with the password of CROWDBEAT_ADMIN_PASSWORD, or on the
 * embedded one with a random password, in a file that only its owner can read.
 */
export async function prepareAccess(place: AccessPlace, say: (line: string) => void): Promise<void> {
  const connection = await connectRedis(place.redisUrl);
  try {
    if (await hasAccounts(connection)) return;
    const given = place.environment['CROWDBEAT_ADMIN_PASSWORD'];
    const isGiven = given !== undefined && given !== '';
    if (!isGiven && !place.isEmbedded) {
      if (place.mode === 'closed')
        say(
          'nobody can log in yet: crowdbeat user add --first-admin makes the first admin, or CROWDBEAT_ADMIN_PASSWORD at the start',
        );
      return;
    }
    const { account } = defaultProperty;
    const admin = { account, username: 'admin', password: isGiven ? given : randomPassword() };
    // The file first: a password that nobody knows could never be changed.
    if (!isGiven) writeCredentials(place.credentialsPath, admin);
    if (!(await makeFirstAdmin(connection, systemClock, admin))) return;
    const where = isGiven ? 'its password is the given one' : `its password is in ${place.credentialsPath}`;
    say(`made the account demo with the property site and the user admin; ${where}`);
  } finally {
    await connection.close();
  }
}

function writeCredentials(path: string, admin: object): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // One that is there is from a Redis that is gone, and may be anybody's to read.
    rmSync(path, { force: true });
    writeFileSync(path, `${JSON.stringify(admin, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new CrowdbeatError('CB_FILE', `${path}: the credentials can’t be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
