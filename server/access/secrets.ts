/**
 * Tokens and publish keys: 256 random bits, and behind a point whose they are, so that one look in the slot of that
 * account decides. Only their SHA-256 is stored: a secret of that many bits needs no slow hash.
 *
 *   token        <43 characters>.<account in base64url>
 *   publish key  pk_<43 characters>.<account/property in base64url>
 *
 * What stands behind the point proves nothing: the hash is of the whole text, and it is looked for where the text
 * says it belongs, so another name finds another account's hashes, and not this one.
 */
import { createHash, randomBytes } from 'node:crypto';
import { formatPropertyName, type PropertyName, parsePropertyName } from '../protocol/property.ts';
import { isAccountName } from './names.ts';

/** Characters: 43, a point, and two names of 128 characters of up to three bytes in base64url. */
export const secretLengthMax = 1100;
const tokenPattern = /^[\w-]{43}\.([\w-]+)$/;
const keyPattern = /^pk_[\w-]{43}\.([\w-]+)$/;

export const newToken = (account: string): string => `${random()}.${encode(account)}`;

export const newPublishKey = (property: PropertyName): string =>
  `pk_${random()}.${encode(formatPropertyName(property))}`;

/** What is stored of a secret. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

/** The account that a token says it is of; undefined if it is no token. */
export function accountOfToken(token: string): string | undefined {
  if (token.length > secretLengthMax) return undefined;
  const account = decode(tokenPattern.exec(token)?.[1]);
  return account !== undefined && isAccountName(account) ? account : undefined;
}

/** The property that a publish key says it is of; undefined if it is no key. */
export function propertyOfKey(key: string): PropertyName | undefined {
  if (key.length > secretLengthMax) return undefined;
  const text = decode(keyPattern.exec(key)?.[1]);
  return text === undefined ? undefined : parsePropertyName(text);
}

const random = (): string => randomBytes(32).toString('base64url');

const encode = (text: string): string => Buffer.from(text).toString('base64url');

function decode(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const decoded = Buffer.from(text, 'base64url').toString();
  // One text for one name: what is not exactly what `encode` makes is not ours.
  return encode(decoded) === text ? decoded : undefined;
}
