/**
 * The one place that decides who may do what. A request shows credentials; the gate answers with a grant, or with
 * the reply that refuses it. `recall` decides at once from what was looked up within the last two seconds, as
 * nearly every request is decided; `authorize` looks up what is missing.
 *
 * Whatever was taken away (a user, a token, a right, a key, an origin) is refused by every collector two seconds
 * later at the latest: that is how long a look into Redis is believed, from the moment it began.
 *
 *   closed  a token or a publish key decides; a property is reached only by its own account's
 *   open    everybody may do everything, but what comes from a page of another site is kept away
 */
import type { Clock } from '../base/clock.ts';
import type { PropertyName } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import type { Rights } from '../protocol/rights.ts';
import { type AccountState, AccountStore } from '../store/accounts-state.ts';
import type { RedisConnection } from '../store/connection.ts';
import { FreshCache } from './fresh-cache.ts';
import { type Holder, nobody, readHolder } from './holder.ts';
import { defaultPropertyOf, judgeHolder, judgeOpen } from './judge.ts';
import { entriesFor, isAddress, isOriginAllowed, isOwnOrigin } from './origin.ts';
import { propertyOfRequest } from './property-of-request.ts';
import { badToken, noToken, twoTokens } from './refusals.ts';
import { propertyOfKey, secretLengthMax } from './secrets.ts';

export type AccessMode = 'open' | 'closed';

/** What a request shows; texts of headers as node:http gives them. */
export interface Credentials {
  /** `x-crowdbeat-property`. */
  readonly property: string | undefined;
  /** `m1-auth-token`. */
  readonly token: string | undefined;
  readonly authorization: string | undefined;
  /** `x-crowdbeat-key`, or `key=` of the query. */
  readonly key: string | undefined;
  readonly origin: string | undefined;
  readonly host: string | undefined;
  /** `sec-fetch-site`, which browsers send and pages can't. */
  readonly fetchSite?: string | undefined;
}

/** What it wants. */
export interface Need {
  readonly right: string;
  /** `account`: the right is needed for the whole account. */
  readonly scope?: 'account' | undefined;
  /** `property=` of the query, decoded. */
  readonly parameter?: string | undefined;
  /** One object for requests that come by the thousand: verdicts on it are remembered. It has no parameter. */
  readonly isRemembered?: true;
}

export interface Grant {
  readonly property: PropertyName;
  /** Undefined: a publish key, or an open collector. */
  readonly username: string | undefined;
  readonly rights: Rights;
  /** Headers of the reply that let the page read it; undefined for what is no page. */
  readonly corsHeaders: readonly string[] | undefined;
}

export type Verdict = Grant | ErrorReply;

export const believedMs = 2000;
const holdersKept = 10_000;
const accountsKept = 1000;
const verdictsKept = 1000;

/** `recall` and `authorize` keep no secret but the texts of tokens and keys that were shown, for two seconds of use. */
export class Gate {
  readonly mode: AccessMode;
  readonly #clock: Clock;
  readonly #store: AccountStore;
  readonly #states: FreshCache<AccountState>;
  readonly #holders: FreshCache<Holder | typeof nobody>;
  readonly #anyOrigin: FreshCache<'yes' | 'no'>;
  /** On a closed collector by holder, who is read anew every second. */
  readonly #verdicts = new WeakMap<Holder, Map<Need, Verdicts>>();
  readonly #openVerdicts = new Map<Need, Verdicts>();

  constructor(options: {
    readonly connection: RedisConnection;
    readonly clock: Clock;
    readonly mode: AccessMode;
  }) {
    const { connection, clock, mode } = options;
    this.mode = mode;
    this.#clock = clock;
    this.#store = new AccountStore(connection);
    const shared = { clock, lifetimeMs: believedMs };
    const readState = (account: string): Promise<AccountState> => this.#store.read(account);
    this.#states = new FreshCache({
      ...shared,
      entries: accountsKept,
      read: async (account) => ({ value: await readState(account) }),
    });
    this.#holders = new FreshCache({
      ...shared,
      entries: holdersKept,
      read: (secret) => readHolder(connection, readState, secret),
    });
    this.#anyOrigin = new FreshCache({
      ...shared,
      entries: accountsKept,
      read: async (origin) => ({
        value: (await this.#store.isAnyIndexed(entriesFor(origin))) ? 'yes' : 'no',
      }),
    });
  }

  /** The verdict, if all that it needs is known; undefined: `authorize` finds it. */
  recall(credentials: Credentials, need: Need): Verdict | undefined {
    if (this.mode === 'open') return this.#recallOpen(credentials, need);
    const secret = secretOf(credentials, need);
    if (typeof secret !== 'string') return secret;
    const nowMs = this.#clock.monotonicMs();
    const holder = this.#holders.get(secret, nowMs);
    if (holder === undefined) return undefined;
    if (holder === nobody || !isInPlace(holder, credentials)) return badToken;
    const state = this.#states.get(holder.account, nowMs);
    return state && this.#remembered(holder, state, credentials, need);
  }

  /** Throws CB_REDIS_UNREACHABLE when it had to ask and Redis is away, CB_BUSY when too much is being asked. */
  async authorize(credentials: Credentials, need: Need): Promise<Verdict> {
    const known = this.recall(credentials, need);
    if (known !== undefined) return known;
    if (this.mode === 'open') {
      const property = propertyOfRequest(credentials.property, need.parameter);
      if ('status' in property) return property;
      return judgeOpen(property, credentials, need, await this.#states.fetch(property.account));
    }
    const secret = secretOf(credentials, need);
    if (typeof secret !== 'string') return secret;
    const holder = await this.#holders.fetch(secret);
    if (holder === nobody || !isInPlace(holder, credentials)) return badToken;
    return judgeHolder(holder, await this.#states.fetch(holder.account), credentials, need);
  }

  /** What the account has, at most two seconds old. */
  state(account: string): Promise<AccountState> {
    return this.#states.fetch(account);
  }

  /** `site`, or the only one; undefined if the account has neither. */
  async defaultProperty(account: string): Promise<PropertyName | undefined> {
    const property = defaultPropertyOf(await this.#states.fetch(account));
    return property === undefined ? undefined : { account, property };
  }

  /** After a change of the account that this process made. */
  forget(account: string): void {
    this.#states.forget(account);
  }

  /** True if a page of this origin may send to the property. */
  async isOriginAllowed(origin: string, host: string | undefined, property: PropertyName): Promise<boolean> {
    if (isOwnOrigin(origin, host) && isAddress(host)) return true;
    const { origins } = await this.#states.fetch(property.account);
    return isOriginAllowed(origin, origins.get(property.property) ?? []);
  }

  /**
   * What a browser asks before a request. It can't show the headers of that request, so unless the address names
   * the property any property's list will do; the request itself is then held to its own.
   */
  async isPreflightAllowed(asked: {
    readonly origin: string;
    readonly host: string | undefined;
    readonly parameter: string | undefined;
    readonly key: string | undefined;
  }): Promise<boolean> {
    const { origin, host, parameter, key } = asked;
    if (isOwnOrigin(origin, host)) return true;
    const property =
      parameter === undefined ? propertyOfKey(key ?? '') : propertyOfRequest(undefined, parameter);
    if (property === undefined) return (await this.#anyOrigin.fetch(origin.slice(0, 300))) === 'yes';
    return !('status' in property) && this.isOriginAllowed(origin, host, property);
  }

  #recallOpen(credentials: Credentials, need: Need): Verdict | undefined {
    const remembered =
      credentials.origin === undefined && need.isRemembered
        ? verdictsOn(this.#openVerdicts, need, undefined)
        : undefined;
    const known = remembered?.get(credentials.property);
    if (known !== undefined) return known;
    const property = propertyOfRequest(credentials.property, need.parameter);
    if ('status' in property) return property;
    let state: AccountState | undefined;
    if (credentials.origin !== undefined) {
      state = this.#states.get(property.account, this.#clock.monotonicMs());
      if (state === undefined) return undefined;
    }
    const verdict = judgeOpen(property, credentials, need, state);
    remembered?.set(credentials.property, verdict);
    return verdict;
  }

  #remembered(holder: Holder, state: AccountState, credentials: Credentials, need: Need): Verdict {
    if (!need.isRemembered) return judgeHolder(holder, state, credentials, need);
    let byNeed = this.#verdicts.get(holder);
    if (byNeed === undefined) {
      byNeed = new Map<Need, Verdicts>();
      this.#verdicts.set(holder, byNeed);
    }
    const verdicts = verdictsOn(byNeed, need, state);
    const { property, origin, host } = credentials;
    const asked = origin === undefined ? property : `${origin}\n${host}\n${property ?? ''}`;
    let verdict = verdicts.get(asked);
    if (verdict === undefined) {
      verdict = judgeHolder(holder, state, credentials, need);
      verdicts.set(asked, verdict);
    }
    return verdict;
  }
}

/** The need of a plain write. */
export const publishNeed: Need = { right: 'publish', isRemembered: true };

/** A bounded number of verdicts by what was asked. No header holds the line breaks that the parts are joined by. */
class Verdicts {
  readonly state: AccountState | undefined;
  readonly #byAsked = new Map<string | undefined, Verdict>();

  constructor(state?: AccountState) {
    this.state = state;
  }

  get(asked: string | undefined): Verdict | undefined {
    return this.#byAsked.get(asked);
  }

  set(asked: string | undefined, verdict: Verdict): void {
    if (this.#byAsked.size >= verdictsKept) this.#byAsked.clear();
    this.#byAsked.set(asked, verdict);
  }
}

/** The verdicts that hold for this state of the account; others are dropped. */
function verdictsOn(byNeed: Map<Need, Verdicts>, need: Need, state: AccountState | undefined): Verdicts {
  const known = byNeed.get(need);
  if (known !== undefined && known.state === state) return known;
  const verdicts = new Verdicts(state);
  byNeed.set(need, verdicts);
  return verdicts;
}

const bearer = /^bearer +(\S+)$/i;

/** The token, or for a write the publish key; or the reply that there is none. What it is worth is looked up. */
function secretOf({ token, authorization, key }: Credentials, { right }: Need): string | ErrorReply {
  const carried = authorization === undefined ? undefined : bearer.exec(authorization)?.[1];
  if (token !== undefined && carried !== undefined && token !== carried) return twoTokens;
  const shown = token ?? carried ?? (right === 'publish' ? key : undefined);
  if (shown === undefined) return noToken;
  return shown.length > secretLengthMax ? badToken : shown;
}

/** A key in the place of a token, or the other way round, is neither. */
function isInPlace(holder: Holder, { token, authorization }: Credentials): boolean {
  const isToken = token !== undefined || (authorization !== undefined && bearer.test(authorization));
  return isToken === (holder.kind === 'user');
}
