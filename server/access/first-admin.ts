/** The first account of a Redis that has none: its admin, and a property to begin with. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError } from '../base/errors.ts';
import { UserStore } from '../store/accounts.ts';
import { AccountStore } from '../store/accounts-state.ts';
import type { RedisConnection } from '../store/connection.ts';
import { isAccountName, isUserName, nameRule } from './names.ts';
import { PasswordHasher, passwordLengthMax } from './password.ts';

export const passwordLengthMinDefault = 8;

export interface FirstAdmin {
  readonly account: string;
  readonly username: string;
  readonly password: string;
}

/** One that no list of passwords holds: 144 bits. */
export const randomPassword = (): string => randomBytes(18).toString('base64url');

export const hasAccounts = (connection: RedisConnection): Promise<boolean> =>
  new UserStore(connection).hasAccounts();

/**
 * Makes an account with an admin and the property `site`. False if the account has this user already.
 * Throws CB_OPTION naming what can't be a name or a password.
 */
export async function makeFirstAdmin(
  connection: RedisConnection,
  clock: Clock,
  { account, username, password }: FirstAdmin,
  hasher: PasswordHasher = new PasswordHasher(),
): Promise<boolean> {
  if (!isAccountName(account)) throw new CrowdbeatError('CB_OPTION', `account: needs ${nameRule}`);
  if (!isUserName(username)) throw new CrowdbeatError('CB_OPTION', `username: needs ${nameRule}`);
  if (password.length < passwordLengthMinDefault || password.length > passwordLengthMax) {
    const rule = `${passwordLengthMinDefault} to ${passwordLengthMax} characters`;
    throw new CrowdbeatError('CB_OPTION', `password: needs ${rule}, has ${password.length}`);
  }
  const users = new UserStore(connection);
  const hashed = await hasher.hash(password);
  const change = await users.add(account, username, { '*': ['admin'] }, hashed);
  if (change === 'exists') return false;
  await new AccountStore(connection).addProperty(account, 'site', clock.wallMs());
  return true;
}
