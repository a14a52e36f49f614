/**
 * Who a run says it is: `username` and `password` or `key`. Options of their own, because what is secret may not get
 * into results, and because it comes from other places: a password never stands on the command line.
 */
import { CrowdbeatError } from '../../server/base/errors.ts';
import { defaultProperty, type PropertyName, parsePropertyName } from '../../server/protocol/property.ts';
import type { Credentials } from '../targets/credentials.ts';
import type { RawSimOptions } from './options.ts';

/** Visible ASCII: it stands in a header. */
const keyPattern = /^[\x21-\x7e]{1,512}$/;

/**
 * @param flags `username` and `key` as typed, and `password` from CROWDBEAT_PASSWORD or a file
 * @throws CrowdbeatError CB_OPTION; no message holds a password or a key
 */
export function resolveAccess(flags: RawSimOptions, file: RawSimOptions, fileName: string): Credentials {
  const read = (name: 'username' | 'password' | 'key'): string | undefined => {
    const value = flags[name] ?? file[name] ?? undefined;
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    const place = flags[name] === undefined ? `${fileName}: "${name}"` : `--${name}`;
    throw new CrowdbeatError('CB_OPTION', `${place}: needs a text that is not empty`);
  };
  const [username, key] = [read('username'), read('key')];
  // A password may be in the environment for other commands: without a user it concerns nobody.
  const password = username === undefined ? undefined : read('password');
  if (username !== undefined && password === undefined) {
    const places = 'CROWDBEAT_PASSWORD, --password-file, or "password" in the config file';
    throw new CrowdbeatError('CB_OPTION', `--username: needs a password too, in ${places}`);
  }
  if (key !== undefined && !keyPattern.test(key))
    throw new CrowdbeatError('CB_OPTION', '--key: needs a publish key, visible ASCII without spaces');
  return { username, password, key };
}

/** The property of a user who names an account and no property: the account's `site`. */
export function propertyOf({ username }: Credentials): PropertyName | undefined {
  const account = username?.includes('/') === true ? username.slice(0, username.indexOf('/')) : undefined;
  return account === undefined ? undefined : parsePropertyName(`${account}/${defaultProperty.property}`);
}

/** What of it may be shown and stored. */
export function describeAccess({ username, key }: Credentials): Record<string, unknown> {
  return { username: username ?? null, key: key === undefined ? null : 'a publish key' };
}
