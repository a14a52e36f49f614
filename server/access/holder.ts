/** Whose a token or a publish key is, and what its account has: all that is needed to judge a request. */
import { formatPropertyName, type PropertyName } from '../protocol/property.ts';
import type { Rights } from '../protocol/rights.ts';
import type { AccountState } from '../store/accounts-state.ts';
import { readToken } from '../store/accounts-tokens.ts';
import type { RedisConnection } from '../store/connection.ts';
import type { Reading } from './fresh-cache.ts';
import { epochOf } from './password.ts';
import { accountOfToken, hashOf, propertyOfKey } from './secrets.ts';

export interface Holder {
  readonly account: string;
  readonly kind: 'user' | 'key';
  /** Of a user; how messages call the holder. */
  readonly username: string | undefined;
  readonly rights: Rights;
  /** The one property that a publish key is for. */
  readonly property: string | undefined;
}

export const nobody = 'nobody';

const writeOnly = ['publish'];

export type ReadState = (account: string) => Promise<AccountState>;

/** Looks a token or a publish key up. What can't be one costs no question. */
export async function readHolder(
  connection: RedisConnection,
  readState: ReadState,
  secret: string,
): Promise<Reading<Holder | typeof nobody>> {
  const property = propertyOfKey(secret);
  if (property !== undefined) return { value: await keyHolder(readState, secret, property) };
  const account = accountOfToken(secret);
  const found = account === undefined ? undefined : await readToken(connection, account, hashOf(secret));
  if (account === undefined || found === undefined || found.epoch !== epochOf(found.password))
    return { value: nobody };
  const { username, rights, leftMs } = found;
  return { value: { account, kind: 'user', username, rights, property: undefined }, leftMs };
}

async function keyHolder(
  readState: ReadState,
  key: string,
  { account, property }: PropertyName,
): Promise<Holder | typeof nobody> {
  const known = (await readState(account)).publishKeys.get(hashOf(key));
  if (known?.property !== property) return nobody;
  return { account, kind: 'key', username: undefined, rights: { [property]: writeOnly }, property };
}

/** For messages. */
export function holderName(holder: Holder): string {
  if (holder.username !== undefined) return `User ${holder.username}`;
  return `The publish key of ${formatPropertyName({ account: holder.account, property: holder.property ?? '' })}`;
}
