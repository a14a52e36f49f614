/** The rules, as pure functions of what was looked up. */
import type { PropertyName } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import { everyProperty, hasAccountRight, hasRight, type Rights } from '../protocol/rights.ts';
import type { AccountState } from '../store/accounts-state.ts';
import type { Credentials, Need, Verdict } from './authorize.ts';
import { type Holder, holderName } from './holder.ts';
import { isAddress, isOriginAllowed, isOwnOrigin } from './origin.ts';
import { propertyOfRequest } from './property-of-request.ts';
import { foreignHost, foreignOrigin, noDefaultProperty, noRight, unknownProperty } from './refusals.ts';

const everything: Rights = { [everyProperty]: ['admin'] };

/** Where events of an account go that name no property. */
const defaultName = 'site';

/** On a closed collector: what the holder of a token or key may do to a property of its own account. */
export function judgeHolder(
  holder: Holder,
  state: AccountState,
  credentials: Credentials,
  need: Need,
): Verdict {
  const property = propertyFor(holder, state, credentials, need);
  if ('status' in property) return property;
  const { right, scope } = need;
  const may =
    right === 'self' ||
    (scope === 'account'
      ? hasAccountRight(holder.rights, right)
      : hasRight(holder.rights, property.property, right));
  if (!may) return noRight(holderName(holder), right);
  const { origin, host } = credentials;
  // A page of the collector's own has no more than its token, wherever its name points.
  const isOwn =
    origin !== undefined && isOwnOrigin(origin, host) && (holder.kind === 'user' || isAddress(host));
  if (origin !== undefined && !isOwn && !isOriginAllowed(origin, state.origins.get(property.property) ?? []))
    return foreignOrigin(origin);
  return { property, username: holder.username, rights: holder.rights, corsHeaders: corsHeaders(origin) };
}

/** On an open collector. @param state may be missing when there is no origin */
export function judgeOpen(
  property: PropertyName,
  credentials: Credentials,
  { right }: Need,
  state: AccountState | undefined,
): Verdict {
  const { origin, host, fetchSite } = credentials;
  const isOwn = origin === undefined || (isOwnOrigin(origin, host) && isAddress(host));
  const isVerb = right === 'admin' || right === 'self';
  if (isVerb && !(isOwn && isAddress(host) && (fetchSite === undefined || ownSites.includes(fetchSite))))
    return foreignHost;
  if (!isOwn && !isOriginAllowed(origin, state?.origins.get(property.property) ?? []))
    return foreignOrigin(origin);
  return { property, username: undefined, rights: everything, corsHeaders: corsHeaders(origin) };
}

const ownSites = ['same-origin', 'none'];

function propertyFor(
  holder: Holder,
  state: AccountState,
  credentials: Credentials,
  { parameter, scope, right }: Need,
): PropertyName | ErrorReply {
  const { account } = holder;
  if (credentials.property !== undefined || parameter !== undefined) {
    const named = propertyOfRequest(credentials.property, parameter);
    if ('status' in named) return named;
    return named.account === account && state.properties.has(named.property) ? named : unknownProperty(named);
  }
  const property = holder.property ?? defaultPropertyOf(state);
  if (property !== undefined && state.properties.has(property)) return { account, property };
  // What concerns the account, or the user alone, needs no property to be there.
  return scope === 'account' || right === 'self' ? { account, property: defaultName } : noDefaultProperty;
}

export function defaultPropertyOf({ properties }: AccountState): string | undefined {
  if (properties.has(defaultName)) return defaultName;
  const [only] = properties;
  return properties.size === 1 ? only : undefined;
}

/** What a reply says so that the page that asked may read it (Fetch standard, CORS protocol). */
export const corsHeaders = (origin: string | undefined): readonly string[] | undefined =>
  origin === undefined ? undefined : ['access-control-allow-origin', origin, 'vary', 'Origin'];
